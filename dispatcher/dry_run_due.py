"""Rings for dry runs that a worker lost."""

from datetime import timedelta

from django.db.models.functions import Now

from dispatcher.models import DryRun
from wires import queue

LOST_AFTER = timedelta(seconds=30)


def ring_unfinished() -> None:
    """Ring for those nobody has carried on for a while, at most every 30 seconds however often this is called."""
    lost = DryRun.objects.filter(state=DryRun.State.RUNNING, moved_at__lt=Now() - LOST_AFTER)
    for pk in lost.values_list("pk", flat=True):
        if lost.filter(pk=pk).update(moved_at=Now()):
            queue.ask_for_dry_run(pk)
