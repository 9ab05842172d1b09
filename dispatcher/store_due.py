"""What is old enough moves to files by itself where KEEP_MESSAGES_DAYS says so: a chore that the clock rings for."""

import logging
import time
from datetime import timedelta

from django.conf import settings

from campaigns.models import Campaign, IllegalMove
from dispatcher import file_place, store
from dispatcher.message_files import Damaged
from wires import queue

logger = logging.getLogger(__name__)
SECONDS = 60  # then somebody else's import has its turn before the next campaigns


def is_due() -> bool:
    """Whether anything is old enough, or was left half done."""
    days = settings.KEEP_MESSAGES_DAYS
    return days > 0 and (store.candidates(timedelta(days=days)).exists() or store.half_moved().exists())


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
    for campaign in store.candidates(timedelta(days=settings.KEEP_MESSAGES_DAYS)):
        if moved and time.monotonic() > ends:
            queue.ask_to_store()
            break
        try:
            store.store(campaign, by=None)
        except store.Undecided:
            continue  # its page and Attention say so
        except (store.LeftAlone, IllegalMove, Damaged, OSError, Campaign.DoesNotExist) as refusal:
            logger.warning("the messages of campaign %s stay in the tables: %s", campaign.pk, refusal)
        else:
            moved += 1
    if moved:
        store.vacuum()
