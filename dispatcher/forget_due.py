"""What is left to do of erasures: files of messages are written anew, and calls that were under way are forgotten.

A chore that every erasure rings for, and the clock until nothing is left. Killed at any moment it begins again.
"""

import logging
from collections import defaultdict
from datetime import timedelta

from django.conf import settings
from django.db.models.functions import Now
from django.utils import timezone

from dispatcher import file_place
from dispatcher.erase import forget_calls
from dispatcher.forget import files, forget
from dispatcher.message_files import Damaged
from dispatcher.models import Erasure
from dispatcher.store import LeftAlone
from wires import queue

logger = logging.getLogger(__name__)
AGAIN = timedelta(minutes=1)


def ring_unfinished() -> None:
    """Ring for what is left, at most once a minute however often this is called."""
    if Erasure.objects.filter(done_at=None, looked_at__lt=Now() - AGAIN).update(looked_at=Now()):
        queue.ask_to_forget()


def forget_due() -> None:
    """Go over all erasures that are not done."""
    out_of_files()
    out_of_hands()
    Erasure.objects.filter(done_at=None, in_hand=[], out_of_files_at__isnull=False).update(done_at=Now())


def out_of_hands() -> None:
    """Of calls that were under way the simulated provider learned later: no call outlives two leases."""
    ended = timezone.now() - timedelta(seconds=2 * settings.LEASE_SECONDS)
    for erasure in Erasure.objects.filter(done_at=None, at__lt=ended).exclude(in_hand=[]):
        forget_calls(erasure.in_hand)
        Erasure.objects.filter(pk=erasure.pk).update(in_hand=[])


def out_of_files() -> None:
    """All who were erased are taken out of a file at once; what cannot be done is noted and tried again."""
    erasures = Erasure.objects.filter(done_at=None, out_of_files_at=None)
    people: dict[int, set[int]] = defaultdict(set)
    for workspace, person in erasures.values_list("workspace", "person"):
        people[workspace].add(person)
    if not people:
        return
    try:
        with file_place.held():
            for workspace, theirs in people.items():
                trouble = forget_in(workspace, theirs)
                done = {"trouble": trouble[:300]} if trouble else {"trouble": "", "out_of_files_at": Now()}
                erasures.filter(workspace=workspace, person__in=theirs).update(**done)
    except file_place.NoPlace as fact:
        logger.warning("erased people were not taken out of the files of messages: %s", fact)
        erasures.update(trouble=str(fact)[:300])


def forget_in(workspace: int, people: set[int]) -> str:
    """Take these people out of the files of their workspace; returns why not, where one of them was left alone."""
    trouble = ""
    for file in files().filter(campaign__workspace=workspace):
        try:
            forget(file, people, by=None)
        except (LeftAlone, Damaged, OSError) as refusal:
            logger.warning("erased people stay in the file of campaign %s: %s", file.campaign_id, refusal)
            trouble = trouble or f"{file}: {refusal}"
    return trouble
