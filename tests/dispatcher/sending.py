"""How tests drive the engine: real shifts in this process, with time set instead of slept."""

from collections.abc import Callable
from threading import Thread

from django.db import connection
from django.db.models.functions import Now

from campaigns.models import Campaign
from dispatcher import engine, operations
from dispatcher.audit import findings
from dispatcher.books import Books, books_of
from dispatcher.models import Batch, Message


def send(campaign: Campaign) -> Books:
    """Launch and work until nothing is open; the books at the end."""
    operations.launch(campaign, by=None)
    return work_off(campaign)


def work_off(campaign: Campaign, shifts: int = 12) -> Books:
    """Shift after shift until nothing is open, with every wait cut short."""
    for _ in range(shifts):
        if not make_due(campaign):
            break
        engine.work(seconds=0.3)
    campaign.refresh_from_db()
    return books_of(campaign)


def make_due(campaign: Campaign) -> int:
    """As if all waits and leases were over; returns how many batches are open."""
    waiting = {"is_rest": True, "variant": 0}  # for the winner, however long that takes
    return Batch.objects.filter(campaign=campaign, due_at__isnull=False).exclude(**waiting).update(due_at=Now())


def message_to(campaign: Campaign, address: str) -> Message:
    return Message.objects.get(campaign=campaign, address=address)


def wrong_with_the_books(campaign: Campaign) -> list[str]:
    """What the auditor finds, but for the questions about the simulated provider, which was not asked."""
    campaign.refresh_from_db()
    found = [finding.sentence for finding in findings(campaign)]
    return [sentence for sentence in found if "provider" not in sentence]


def press(verb: Callable, campaign: Campaign) -> None:
    """Press a button from elsewhere while the engine works: in a thread, on a connection of its own."""

    def run() -> None:
        verb(campaign, by=None)
        connection.close()

    thread = Thread(target=run)
    thread.start()
    thread.join()
