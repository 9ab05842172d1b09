"""What a person may ask of a campaign: one verb, one transaction, whoever asks and wherever."""

from datetime import UTC, datetime

from django.db import transaction
from django.db.models.functions import Now
from django.utils import timezone

from accounts.models import Actor
from campaigns.models import Campaign, Channel, IllegalMove, StatusChange
from campaigns.personalise import unknown_names
from dispatcher import freeze, rewrite
from dispatcher.books import books_of
from dispatcher.models import Category
from dispatcher.senders import SENDERS, sender_for
from people.models import Import, placeholders_of
from wires import live, queue

Status = Campaign.Status


class LaunchRefused(Exception):
    """The campaign cannot be launched as it is; `code` is the API's word, the text says what to mend."""

    def __init__(self, code: str, sentence: str) -> None:
        self.code = code
        super().__init__(sentence)


def locked(campaign: Campaign) -> Campaign:
    """The campaign as it is now, held until the end of the transaction. Batches are locked after it, by id."""
    return Campaign.objects.select_for_update(of=("self",)).select_related("workspace").get(pk=campaign.pk)


@transaction.atomic
def launch(campaign: Campaign, *, by: Actor | None) -> Campaign:
    """Freeze the audience and start sending: of twelve who ask at once, one wins.

    Above freeze.CHUNK people it stays `preparing` and the clock carries it on.
    Raises IllegalMove, or LaunchRefused, which changes nothing.
    """
    campaign = locked(campaign)
    if not campaign.can_become(Status.PREPARING):
        raise IllegalMove(campaign, Status.SENDING)
    refuse_unless_ready(campaign)
    campaign.move_to(Status.PREPARING, by=by, launched_at=timezone.now(), frozen_up_to=0)
    carry_on(campaign)
    return campaign


def refuse_unless_ready(campaign: Campaign) -> None:
    """Raises LaunchRefused when sending could not go well."""
    known = placeholders_of(campaign.workspace)
    if unknown := unknown_names(f"{campaign.subject}\n{campaign.body}", known):
        names = ", ".join(f"{{{name}}}" for name in unknown)
        raise LaunchRefused("INVALID_TEMPLATE", f"The text asks for {names}, which nobody here has.")
    if not campaign.body.strip():
        raise LaunchRefused("INVALID_TEMPLATE", "The message is empty.")
    if campaign.channel == Channel.EMAIL and not campaign.subject.strip():
        raise LaunchRefused("INVALID_TEMPLATE", "The email has no subject.")
    if upload := import_under_way(campaign):
        sentence = f"“{upload}” is still being imported into this audience; send when it is done."
        raise LaunchRefused("IMPORT_RUNNING", sentence)
    if sender_for(campaign.channel) not in SENDERS:
        raise LaunchRefused("SENDER_NOT_CONFIGURED", f"No sender is set up for {campaign.get_channel_display()}.")
    if not freeze.candidates(campaign).filter(skip=None).exists():
        chosen = campaign.audience().exists()
        nobody = "Nobody in this audience can be written to over this channel."
        raise LaunchRefused("NO_RECIPIENTS", nobody if chosen else "Nobody is chosen yet: say who gets it.")


def import_under_way(campaign: Campaign) -> Import | None:
    """A list that is still being imported into the audience: half of it would be sent to."""
    running = campaign.workspace.imports.filter(status__in=[Import.Status.WAITING, Import.Status.RUNNING])
    return (running if campaign.everyone else running.filter(group__in=campaign.groups.all())).first()


def carry_on(campaign: Campaign) -> bool:
    """Freeze the next chunk of a campaign being prepared; True once it is sending. The caller holds its lock."""
    more = freeze.freeze_chunk(campaign)
    if not more:
        if freeze.slice_into_batches(campaign, len(Category)):
            books = books_of(campaign)
            reason = f"{books.total:,} people frozen, {books.skipped:,} of them left out"
            campaign.move_to(Status.SENDING, by=None, reason=reason)
            queue.ring()
        else:
            freeze.undo(campaign)
            campaign.move_to(Status.DRAFT, by=None, reason="Nobody was left to write to.")
    live.changed(campaign.pk, campaign.workspace_id)
    return not more


@transaction.atomic
def schedule(campaign: Campaign, *, at: datetime, by: Actor | None) -> Campaign:
    """Send by itself at this time. Raises IllegalMove."""
    campaign = locked(campaign)
    campaign.move_to(Status.SCHEDULED, by=by, reason=f"for {at.astimezone(UTC):%Y-%m-%d %H:%M} UTC", scheduled_at=at)
    live.changed(campaign.pk, campaign.workspace_id)
    return campaign


@transaction.atomic
def unschedule(campaign: Campaign, *, by: Actor | None, reason: str = "") -> Campaign:
    """Back to a draft that waits for a person. Raises IllegalMove."""
    campaign = locked(campaign)
    if campaign.status != Status.SCHEDULED:  # preparing also leads to draft, but by carry_on, which undoes the freeze
        raise IllegalMove(campaign, Status.DRAFT)
    campaign.move_to(Status.DRAFT, by=by, reason=reason, scheduled_at=None)
    live.changed(campaign.pk, campaign.workspace_id)
    return campaign


@transaction.atomic
def pause(campaign: Campaign, *, by: Actor | None, reason: str = "") -> Campaign:
    """Stop handing over new messages; those in flight are settled. Raises IllegalMove."""
    campaign = locked(campaign)
    campaign.move_to(Status.PAUSED, by=by, reason=reason)
    live.changed(campaign.pk, campaign.workspace_id)
    return campaign


@transaction.atomic
def resume(campaign: Campaign, *, by: Actor | None) -> Campaign:
    """Go on where it was paused. Raises IllegalMove."""
    campaign = locked(campaign)
    if campaign.status != Status.PAUSED:  # sent and failed also lead to sending, but by retry
        raise IllegalMove(campaign, Status.SENDING)
    campaign.move_to(Status.SENDING, by=by)
    queue.ring()
    live.changed(campaign.pk, campaign.workspace_id)
    return campaign


@transaction.atomic
def cancel(campaign: Campaign, *, by: Actor | None) -> Campaign:
    """Send nothing more, for good; calls in flight are settled, the rest is cancelled. Raises IllegalMove."""
    campaign = locked(campaign)
    if campaign.status == Status.PREPARING:
        freeze.undo(campaign)
    is_over = not campaign.batches.exists()  # else the workers close the batches first
    campaign.move_to(Status.CANCELLED, by=by, finished_at=timezone.now() if is_over else None)
    campaign.batches.filter(owner="", due_at__gt=Now()).update(due_at=Now())  # no pace and no backoff to wait for
    queue.ring()
    live.changed(campaign.pk, campaign.workspace_id)
    return campaign


@transaction.atomic
def retry_failed(campaign: Campaign, *, by: Actor | None, category: Category | None = None) -> int:
    """Try the failed messages again, all or those of one cause; returns how many. Raises IllegalMove."""
    campaign = locked(campaign)
    refuse_unless_launched(campaign)
    count = rewrite.retry(campaign, category)
    if count:
        _reopen(campaign, by=by, reason=f"retry of {count:,} failed")
    return count


@transaction.atomic
def send_again(campaign: Campaign, *, by: Actor | None, numbers: list[int] | None = None) -> int:
    """Hand the unknown messages over once more, though some may arrive twice; returns how many.

    Raises IllegalMove.
    """
    campaign = locked(campaign)
    refuse_unless_launched(campaign)
    count = rewrite.send_again(campaign, numbers)
    if count:
        _reopen(campaign, by=by, reason=f"{count:,} unknown sent again")
    return count


@transaction.atomic
def assume_delivered(campaign: Campaign, *, by: Actor | None, numbers: list[int] | None = None) -> int:
    """Count the unknown messages as sent, marked as assumed; returns how many."""
    campaign = locked(campaign)
    count = rewrite.assume_delivered(campaign, numbers)
    if count and campaign.status == Status.FAILED:
        campaign.move_to(Status.SENT, by=by, reason=f"{count:,} unknown assumed delivered")
    elif count:
        note(campaign, by=by, reason=f"{count:,} unknown assumed delivered")
    live.changed(campaign.pk, campaign.workspace_id)
    return count


def refuse_unless_launched(campaign: Campaign) -> None:
    """Raises IllegalMove for campaigns whose messages may not become pending again."""
    if campaign.status not in (Status.SENDING, Status.PAUSED, Status.SENT, Status.FAILED):
        raise IllegalMove(campaign, Status.SENDING)


def note(campaign: Campaign, *, by: Actor | None, reason: str) -> None:
    """Write into the history what somebody did that did not change the status."""
    StatusChange.write(campaign, campaign.status, campaign.status, by=by, reason=reason)


def _reopen(campaign: Campaign, *, by: Actor | None, reason: str) -> None:
    if campaign.status in (Status.SENT, Status.FAILED):
        campaign.move_to(Status.SENDING, by=by, reason=reason, finished_at=None)
    else:
        note(campaign, by=by, reason=reason)
    queue.ring()
    live.changed(campaign.pk, campaign.workspace_id)
