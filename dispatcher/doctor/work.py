"""Whether somebody works: the clock and the workers of each queue."""

from collections.abc import Iterator

from django.conf import settings
from django.utils import timezone

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
        if queue.workers_alive(name):
            continue
        waiting = queue.waiting(name)
        jobs = f", and {waiting:,} {'job waits' if waiting == 1 else 'jobs wait'}" if waiting else ""
        yield Problem(
            f"No worker is running for {name}: {WITHOUT.get(name, 'its work waits')}{jobs}.",
            f"python manage.py worker {name}",
        )
