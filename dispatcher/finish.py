"""Finishing: a campaign is over when nothing of it is open, and only then."""

from django.db import transaction
from django.utils import timezone

from campaigns.models import Campaign
from dispatcher.books import books_of
from dispatcher.crash import crash_point
from dispatcher.models import Batch
from wires import live

Status = Campaign.Status


def finish_if_over(campaign_id: int) -> bool:
    """Look without a lock first: most batches are not the last one, and whoever closes the last sees all closed."""
    open_batches = Batch.objects.filter(campaign=campaign_id, due_at__isnull=False)
    return not open_batches.exists() and finish(campaign_id)


@transaction.atomic
def finish(campaign_id: int) -> bool:
    """Close the campaign if no batch is open; True if it is over now."""
    crash_point("before_finish")
    campaign = Campaign.objects.select_for_update(of=("self",)).filter(pk=campaign_id).first()
    if not campaign or campaign.finished_at or campaign.status not in (Status.SENDING, Status.PAUSED, Status.CANCELLED):
        return False
    # A second statement: it sees what was committed while the first one waited for the lock.
    if campaign.batches.filter(due_at__isnull=False).exists():
        return False
    now = timezone.now()
    if campaign.status == Status.CANCELLED:
        Campaign.objects.filter(pk=campaign.pk).update(finished_at=now)
    else:
        books = books_of(campaign)
        over = Status.SENT if books.sent else Status.FAILED
        campaign.move_to(over, by=None, reason=summary(books), finished_at=now)
    live.changed(campaign.pk, campaign.workspace_id)
    return True


def summary(books) -> str:
    """The outcome in a few words: "964 sent, 12 failed, 4 skipped"."""
    counts = [(n, word) for word in ("sent", "failed", "skipped", "unknown") if (n := getattr(books, word))]
    return ", ".join(f"{n:,} {word}" for n, word in counts)
