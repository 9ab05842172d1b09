"""Comparing everybody with the suppression list, after digests came onto it that do not tell whose they are.

The first people at once, the others range by range as a chore that takes up where it was. Until it is over, whatever
is handed over is looked up in the list itself (dispatcher/intent.py).
"""

from datetime import timedelta

from django.db import transaction
from django.db.models.functions import Now

from accounts.models import Workspace
from people.held import hold_workspace
from people.models import ListLook, Recipient
from people.suppression import look_at
from wires import queue

RANGE = 10_000
AGAIN = timedelta(seconds=30)


@transaction.atomic
def begin(workspace: Workspace) -> bool:
    """Look at the first people, and ring for the others; returns whether there are any."""
    ListLook.objects.update_or_create(workspace=workspace, defaults={"up_to": 0, "moved_at": Now()})
    is_more = look_on(workspace.pk)
    if is_more:
        queue.ask_to_look()
    return is_more


@transaction.atomic
def look_on(workspace: int) -> bool:
    """Look at the next people of this workspace; returns whether there are more."""
    hold_workspace(workspace)
    look = ListLook.objects.filter(workspace=workspace).first()
    if look is None:
        return False
    people = Recipient.objects.filter(workspace=workspace, pk__gt=look.up_to).order_by("pk")
    ids = list(people.values_list("pk", flat=True)[:RANGE])
    look_at(ids)
    if len(ids) < RANGE:
        look.delete()
        return False
    ListLook.objects.filter(pk=look.pk).update(up_to=ids[-1], moved_at=Now())
    return True


def look_due() -> None:
    """Look at everybody who is left, in every workspace."""
    for workspace in list(ListLook.objects.order_by("pk").values_list("workspace", flat=True)):
        while look_on(workspace):
            pass


def ring_unfinished() -> None:
    """Ring for what is left, at most every 30 seconds however often this is called."""
    if ListLook.objects.filter(moved_at__lt=Now() - AGAIN).update(moved_at=Now()):
        queue.ask_to_look()
