"""The engine itself, in worker processes of its own that all begin on one word."""

import json
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from subprocess import Popen

from campaigns.models import Campaign
from tests.bench import costs
from tests.bench.children import child, hear, tell

AT_ZERO_LATENCY = {"SIMULATOR_PROFILE": "perfect", "DISPATCH_WINDOW": 1000}


@dataclass(frozen=True)
class Cost:
    """What it took to send one campaign."""

    messages: int
    seconds: float
    worker_cpu: float
    database_cpu: float
    memory: int  # bytes, of the worker that had most

    @property
    def rate(self) -> float:
        return self.messages / self.seconds

    @property
    def microseconds(self) -> float:
        """CPU for one message, of the workers and the database together."""
        return (self.worker_cpu + self.database_cpu) / self.messages * 1e6


def send(campaign: Campaign, messages: int, workers: int = 1, **environment: object) -> Cost:
    """Send all of a campaign at zero latency, or as the environment says."""
    with shifts(workers, seconds=600, **{**AT_ZERO_LATENCY, **environment}) as running:
        used = costs.database_cpu()
        begin(running)
        told = [json.loads(hear(shift)) for shift in running]
        used = costs.database_cpu() - used
    campaign.refresh_from_db()
    if campaign.status != Campaign.Status.SENT:
        raise SystemExit(f"the campaign ended as {campaign.get_status_display()}")
    seconds = max(one["ended"] for one in told) - min(one["began"] for one in told)
    return Cost(messages, seconds, sum(one["cpu"] for one in told), used, max(one["memory"] for one in told))


@contextmanager
def shifts(workers: int, *, seconds: float, **environment: object) -> Iterator[list[Popen]]:
    """Workers that wait for the word to begin a shift of so many seconds."""
    with ExitStack() as stack:
        running = [
            stack.enter_context(child("-m", "tests.bench.shift", seconds, **environment)) for _ in range(workers)
        ]
        for shift in running:
            hear(shift)
        yield running


def begin(running: list[Popen]) -> None:
    for shift in running:
        tell(shift, "go")
