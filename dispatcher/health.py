"""Whether the house stands: the database, the queue, the workers and the clock, told within two seconds."""

from collections.abc import Callable
from concurrent.futures import Future, wait
from threading import Lock, Thread
from time import monotonic
from typing import Generic, TypeVar

from django.contrib.auth.decorators import login_not_required
from django.db import connection, transaction
from django.http import HttpRequest, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from dispatcher import clock
from wires import queue

DEADLINE = 1.3  # seconds for all answers together
GIVEN_UP = 5.0  # seconds after which a question without an answer is asked anew

Answer = TypeVar("Answer")


class Question(Generic[Answer]):
    """Asked in a thread of its own, once for all who wait: where something hangs, requests must not pile up.

    An answer is given again for `kept` seconds.
    """

    def __init__(self, ask: Callable[[], Answer], *, kept: float = 0) -> None:
        self.ask = ask
        self.kept = kept
        self.lock = Lock()
        self.asked_at = 0.0
        self.answer: Future[Answer] | None = None

    def put(self) -> Future[Answer]:
        with self.lock:
            age = monotonic() - self.asked_at
            if self.answer is None or age > (self.kept if self.answer.done() else GIVEN_UP):
                self.answer, self.asked_at = Future(), monotonic()
                Thread(target=self._find_out, args=[self.answer], name="health", daemon=True).start()
            return self.answer

    def _find_out(self, answer: Future[Answer]) -> None:
        try:
            answer.set_result(self.ask())
        except Exception as error:
            answer.set_exception(error)


def clock_ticks() -> bool:
    """Asks the database, on a connection of this thread's own. Raises DatabaseError."""
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SET LOCAL statement_timeout = '1s'")
            return clock.is_alive()
    finally:
        connection.close()


def workers_alive() -> dict[str, int]:
    """Asks Redis. Raises RedisError."""
    names = ("dispatch", "chores")
    return {name: sum(not queue.is_broken(each) for each in queue.workers_alive(name)) for name in names}


DATABASE = Question(clock_ticks)
QUEUE = Question(workers_alive)


@login_not_required
@never_cache
@require_safe
def health(request: HttpRequest) -> JsonResponse:
    """200 healthy; 200 degraded when nobody works; 503 unhealthy when database or queue do not answer."""
    database, workers = DATABASE.put(), QUEUE.put()
    asked: list[Future] = [database, workers]
    wait(asked, timeout=DEADLINE)
    stands = answered(database) and answered(workers)
    checks: dict[str, dict[str, str | int]] = {
        "database": {"status": word(answered(database))},
        "queue": {"status": word(answered(workers))},
        "workers": of_workers(workers.result()) if answered(workers) else {"status": "unknown"},
        "clock": {"status": word(database.result()) if answered(database) else "unknown"},
    }
    works = all(check["status"] == "healthy" for check in checks.values())
    status = "healthy" if works else "degraded" if stands else "unhealthy"
    return JsonResponse({"status": status, "checks": checks}, status=200 if stands else 503)


def of_workers(counts: dict[str, int]) -> dict[str, str | int]:
    return {"status": word(all(counts.values())), **counts}


def answered(answer: Future) -> bool:
    return answer.done() and answer.exception() is None


def word(good: bool) -> str:
    return "healthy" if good else "unhealthy"
