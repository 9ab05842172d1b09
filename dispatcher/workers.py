"""Who works: the workers that were heard of lately, on both queues, as Redis knows them."""

import time
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils import timezone
from redis.exceptions import RedisError

from dispatcher.owner import owner_of
from wires import queue

ASKED_EVERY = 2.0  # seconds; everybody who looks in between is given the same answer
SILENT_AFTER = timedelta(seconds=10)  # they are heard of every five
QUEUES = ("dispatch", "chores")


@dataclass(frozen=True)
class Worker:
    """One process that works; `owner` is what stands on the batches it holds."""

    name: str
    queue: str
    state: str
    host: str
    pid: int | None
    since: datetime | None
    heard_at: datetime | None
    is_broken: bool = False

    @property
    def is_silent(self) -> bool:
        return self.heard_at is not None and timezone.now() - self.heard_at > SILENT_AFTER

    @property
    def owner(self) -> str:
        return owner_of(self.host, self.pid, self.name)


def alive() -> list[Worker]:
    """The workers of both queues. Raises RedisError when Redis does not answer."""
    return [
        Worker(
            found.name[:8],
            name,
            str(found.get_state()),
            found.hostname or "",
            found.pid,
            found.birth_date,
            found.last_heartbeat,
            queue.is_broken(found),
        )
        for name in QUEUES
        for found in queue.workers_alive(name)
    ]


_asked: tuple[float, list[Worker] | None] = (float("-inf"), None)


def known() -> list[Worker] | None:
    """The same, or None when Redis does not answer. Asked every two seconds at most."""
    global _asked
    if time.monotonic() - _asked[0] > ASKED_EVERY:
        try:
            found = alive()
        except RedisError:
            found = None
        _asked = time.monotonic(), found
    return _asked[1]


def sending() -> int | None:
    """How many workers that send were heard of lately, or None when Redis does not answer."""
    return _working("dispatch")


def doing_chores() -> int | None:
    """How many workers that do chores were heard of lately, or None when Redis does not answer."""
    return _working("chores")


def _working(queue: str) -> int | None:
    found = known()
    return None if found is None else sum(worker.queue == queue and not worker.is_broken for worker in found)
