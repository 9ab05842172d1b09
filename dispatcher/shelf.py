"""Putting away what is over: archive it, take it out again, or delete it for good."""

from django.db import connection, transaction
from django.db.models.functions import Now

from accounts import audit_log
from accounts.models import Actor
from campaigns.models import Campaign, IllegalMove
from dispatcher import file_place, operations
from dispatcher.books import Books, books_of
from dispatcher.models import Attempt, Message
from simulator.forget import forget
from wires import live

# In this order: each is pointed at only by those above it. A test holds this list against the models.
ROWS = {
    "dispatcher_attempt": "message_id IN (SELECT id FROM dispatcher_message WHERE campaign_id = %s)",
    "dispatcher_message": "campaign_id = %s",
    "dispatcher_batch": "campaign_id = %s",
    "dispatcher_settlement": "campaign_id = %s",
    "dispatcher_dismissal": "campaign_id = %s",
    "dispatcher_linkhit": "campaign_id = %s",
    "dispatcher_linkcount": "campaign_id = %s",
    "dispatcher_generation": "campaign_id = %s",
    "dispatcher_dryrun": "campaign_id = %s",
}


class NotOver(IllegalMove):
    """Something of the campaign is still open."""

    def __init__(self, campaign: Campaign, verb: str) -> None:
        super().__init__(campaign, Campaign.Status(campaign.status))
        status = campaign.get_status_display()
        if campaign.phase == "completed":
            status = f"{status}, but not all of it is closed yet"
        self.args = (f"“{campaign}” is {status}; only campaigns that are over can be {verb}.",)


class NameDiffers(Exception):
    """The name that was typed is not that of the campaign."""

    def __init__(self) -> None:
        super().__init__("That is not the name of this campaign; type it as it stands above.")


@transaction.atomic
def archive(campaign: Campaign, *, by: Actor | None) -> Campaign:
    """Hide it from the list; it stays under "Archived". Raises NotOver."""
    campaign = over(campaign, "archived")
    if Campaign.objects.filter(pk=campaign.pk, archived_at=None).update(archived_at=Now()):
        operations.note(campaign, by=by, reason="archived")
        _tell(campaign, "archive", by=by, archived=True)
    return campaign


@transaction.atomic
def unarchive(campaign: Campaign, *, by: Actor | None) -> Campaign:
    """Show it in the list again."""
    campaign = operations.locked(campaign)
    if Campaign.objects.filter(pk=campaign.pk, archived_at__isnull=False).update(archived_at=None):
        operations.note(campaign, by=by, reason="taken out of the archive")
        _tell(campaign, "unarchive", by=by, archived=False)
    return campaign


def _tell(campaign: Campaign, verb: str, *, by: Actor | None, archived: bool) -> None:
    campaign.refresh_from_db(fields=["archived_at"])
    change = {"before": {"archived": not archived}, "after": {"archived": archived}}
    audit_log.record(campaign.workspace, verb, campaign, by=by, **change)
    live.changed(campaign.pk, campaign.workspace_id)


@transaction.atomic
def delete(campaign: Campaign, *, typed: str, by: Actor | None) -> None:
    """Remove a campaign that is over, with all its messages; its totals stay in the audit log.

    Raises NotOver or NameDiffers, which change nothing.
    """
    campaign = over(campaign, "deleted")
    if typed.split() != campaign.name.split():  # a page shows two spaces as one
        raise NameDiffers
    kept = totals(campaign, books_of(campaign))
    file_place.drop(list(campaign.files.all()))  # before the rows: whoever moves them locks in this order
    forget(Attempt.objects.filter(message__campaign=campaign).values("key"))
    forget(Message.objects.filter(campaign=campaign).values("key"))
    with connection.cursor() as cursor:
        for table, belongs in ROWS.items():
            cursor.execute(f"DELETE FROM {table} WHERE {belongs}", [campaign.pk])  # noqa: S608 - our own words
    audit_log.record(campaign.workspace, "delete", campaign, by=by, before=kept)
    live.changed(campaign.pk, campaign.workspace_id)
    campaign.delete()


def totals(campaign: Campaign, books: Books) -> dict[str, object]:
    """What is remembered of a campaign that is gone."""
    counts = ("total", "sent", "failed", "skipped", "cancelled", "unknown")
    return {
        "status": campaign.get_status_display(),
        "channel": campaign.channel_word,
        "subject": campaign.subject,
        "launched_at": campaign.launched_at,
        "finished_at": campaign.finished_at,
        **{name: getattr(books, name) for name in counts},
        "failed_by": {category.label: count for category, count in books.failures()},
        "skipped_by": {reason.label: count for reason, count in books.skips()},
    }


def over(campaign: Campaign, verb: str) -> Campaign:
    """The campaign, held, if nothing of it is open. Raises NotOver."""
    campaign = operations.locked(campaign)
    if not campaign.is_over or campaign.batches.filter(due_at__isnull=False).exists():
        raise NotOver(campaign, verb)
    return campaign
