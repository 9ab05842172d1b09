"""Whether somebody works: the clock and the workers of each queue."""

from collections.abc import Iterator, Sequence

from django.conf import settings
from django.utils import timezone
from rq.worker import BaseWorker

from dispatcher import clock
from dispatcher.doctor.finding import Finding, Problem
from dispatcher.models import Heartbeat
from dispatcher.words import duration
from wires import queue

WITHOUT = {
    "dispatch": "nothing is sent",
    "chores": "imports wait, and campaigns with generated words",
}


def clock_ticks() -> Iterator[Finding]:
    if clock.is_alive():
        return
    beat = Heartbeat.objects.filter(name=clock.NAME).first()
    ago = (
        f"it was last heard of {duration((timezone.now() - beat.at).total_seconds())} ago" if beat else "none ever ran"
    )
    yield Problem(f"No clock is running: {ago}. Schedules do not start.", "python manage.py clock")


def workers_work() -> Iterator[Finding]:
    for name in settings.RQ_QUEUES:
        if alive := queue.workers_alive(name):
            yield from broken_ones(name, alive)
            continue
        waiting = queue.waiting(name)
        jobs = f", and {waiting:,} {'job waits' if waiting == 1 else 'jobs wait'}" if waiting else ""
        yield Problem(
            f"No worker is running for {name}: {WITHOUT.get(name, 'its work waits')}{jobs}.",
            f"python manage.py worker {name}",
        )


def broken_ones(name: str, alive: Sequence[BaseWorker]) -> Iterator[Finding]:
    broken = [worker for worker in alive if queue.is_broken(worker)]
    if broken:
        which = "The worker" if len(broken) == len(alive) == 1 else f"{len(broken)} of {len(alive)} workers"
        failed = sum(worker.failed_job_count for worker in broken)
        sentence = f"{which} for {name} failed at every job, {failed:,} so far: {WITHOUT.get(name, 'its work waits')}."
        yield Problem(sentence, "Look into the log of the worker: it says why; then start it anew.")
