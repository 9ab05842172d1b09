"""What is old enough moves to files by itself where KEEP_MESSAGES_DAYS says so: a chore that the clock rings for."""

import logging
import time
from datetime import timedelta

from django.conf import settings
from django.db.models import Q, QuerySet
from django.db.models.functions import Now

from campaigns.models import Campaign, IllegalMove
from dispatcher import file_place, store
from dispatcher.message_files import Damaged
from wires import queue

logger = logging.getLogger(__name__)
A_DAY = timedelta(days=1)
SECONDS = 60  # then somebody else's import has its turn before the next campaigns


def due() -> QuerySet[Campaign]:
    """What is old enough, except for what was left alone in the last 24 hours: another audit would say the same."""
    is_its_turn = Q(left_alone_at=None) | Q(left_alone_at__lt=Now() - A_DAY)
    return store.candidates(timedelta(days=settings.KEEP_MESSAGES_DAYS)).filter(is_its_turn)


def is_due() -> bool:
    """Whether anything is old enough, or was left half done."""
    return settings.KEEP_MESSAGES_DAYS > 0 and (due().exists() or store.half_moved().exists())


def store_due() -> None:
    """Move campaign after campaign for about a minute, and ring again if more are left."""
    try:
        with file_place.held():
            file_place.clear_up()
            move()
    except file_place.NoPlace as fact:
        logger.warning("no messages were moved to files: %s", fact)


def move() -> None:
    ends, moved = time.monotonic() + SECONDS, 0
    for file in store.half_moved():
        try:
            store.carry_on(file)
        except (store.LeftAlone, OSError) as refusal:
            logger.warning("the messages of campaign %s: %s", file.campaign_id, refusal)
    for tried, campaign in enumerate(due()):
        if tried and time.monotonic() > ends:
            queue.ask_to_store()
            break
        moved += was_moved(campaign)
    if moved:
        store.vacuum()


def was_moved(campaign: Campaign) -> bool:
    """Try it; what is left alone is noted, so that each turn comes further than the one before."""
    try:
        store.store(campaign, by=None)
    except store.Undecided:
        pass  # its page and Attention say so
    except (store.LeftAlone, IllegalMove, Damaged, OSError, Campaign.DoesNotExist) as refusal:
        logger.warning("the messages of campaign %s stay in the tables: %s", campaign.pk, refusal)
    else:
        return True
    Campaign.objects.filter(pk=campaign.pk).update(left_alone_at=Now())
    return False
