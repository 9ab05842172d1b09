"""What a person may ask of a campaign: one verb, one transaction, whoever asks and wherever."""

from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models.functions import Now
from django.utils import timezone

from accounts import allowance, audit_log
from accounts.models import Actor
from campaigns import footer, price
from campaigns.models import Campaign, IllegalMove, StatusChange
from campaigns.templated import unapproved
from campaigns.when import Wall, columns_of, refuse_too_far, told
from dispatcher import freeze, generate, rewrite
from dispatcher.books import books_of
from dispatcher.crash import crash_point
from dispatcher.fitting import Unfitting, refuse_unfitting
from dispatcher.models import Category
from dispatcher.readiness import refuse_unless_ready, refuse_without_room
from people.channels import Channel
from people.segments import BrokenSegment, hold, refuse_broken
from wires import live, queue

Status = Campaign.Status


class TimeChanged(Exception):
    """Somebody chose another time meanwhile."""

    def __init__(self, campaign: Campaign) -> None:
        super().__init__(f"Somebody changed the time meanwhile: it now starts on {campaign.start_words}.")


class AlreadyOver(IllegalMove):
    """Nothing of it will be sent any more."""

    def __init__(self, campaign: Campaign) -> None:
        super().__init__(campaign, Status.SENDING)
        self.args = (f"“{campaign}” is {campaign.get_status_display()}; nothing of it waits to be sent.",)


class TooLate(IllegalMove):
    """It cannot be taken back any more."""

    def __init__(self, campaign: Campaign) -> None:
        super().__init__(campaign, Status.DRAFT)
        is_going = campaign.status in (Status.SENDING, Status.PAUSED)
        way_out = "It is too late to undo; you can still cancel it." if is_going else "There is nothing to undo."
        self.args = (f"“{campaign}” is {campaign.get_status_display()}. {way_out}",)


class Stored(IllegalMove):
    """Its messages are in a file, where nobody can change them."""

    def __init__(self, campaign: Campaign) -> None:
        super().__init__(campaign, Status.SENDING)
        self.args = (f"The messages of “{campaign}” were moved to a file; they have to be brought back first.",)


class NotApproved(IllegalMove):
    """The provider withdrew its approval of the WhatsApp template meanwhile."""

    def __init__(self, campaign: Campaign, sentence: str) -> None:
        super().__init__(campaign, Status.SENDING)
        self.args = (f"{sentence} Nothing more of “{campaign}” is sent before it is.",)


def locked(campaign: Campaign) -> Campaign:
    """The campaign as it is now, held until the end of the transaction. Batches are locked after it, by id."""
    return Campaign.objects.select_for_update(of=("self",)).select_related("workspace").get(pk=campaign.pk)


@transaction.atomic
def launch(campaign: Campaign, *, by: Actor | None, undo_seconds: int = 0, parts: int | None = None) -> Campaign:
    """Freeze the audience and start sending: of twelve who ask at once, one wins.

    Above freeze.CHUNK people it stays `preparing` and the clock carries it on; so does it with `undo_seconds`, before
    which nobody gets it. `parts` are those its price was told by, if they were counted.
    Raises IllegalMove, RateLimited or LaunchRefused, each of which changes nothing.
    """
    campaign = locked(campaign)
    if not campaign.can_become(Status.PREPARING):
        raise IllegalMove(campaign, Status.SENDING)
    if by:
        allowance.refuse_too_many_sends(campaign.workspace)
    hold(campaign.all_segments())  # what they ask stays as it is until all can see that it is being prepared
    refuse_unless_ready(campaign)
    was = campaign.get_status_display()
    columns: dict[str, Any] = {"launched_at": timezone.now(), "frozen_up_to": 0, **footer.frozen(campaign)}
    columns |= price.frozen(campaign) | {"parts": parts}
    held_until = Now() + timedelta(seconds=undo_seconds) if undo_seconds else None
    campaign.move_to(Status.PREPARING, by=by, held_until=held_until, **columns)
    campaign.refresh_from_db(fields=["held_until"])  # by the database's clock
    carry_on(campaign)
    log(campaign, "launch", was, by=by, audience=campaign.audience_words)
    return campaign


def carry_on(campaign: Campaign) -> bool:
    """Freeze the next chunk of a campaign being prepared; True once there is no next. The caller holds its lock.

    It starts sending when words that are generated for each person are ready, and when it cannot be undone any more.
    """
    if campaign.held_until and campaign.batches.exists():
        return start_unless_held(campaign)
    above = freeze.last_number(campaign)
    more = not generate.has_begun(campaign) and freeze.freeze_chunk(campaign)
    try:
        # After the chunk, not before: what is moved to a file meanwhile says so before its first row is gone.
        refuse_broken(campaign.all_segments())
        refuse_unfitting(campaign, above)
    except (BrokenSegment, Unfitting) as fault:
        back_to_draft(campaign, str(fault))
        more = False
    else:
        if not more and generate.are_ready(campaign):
            begin_sending(campaign)
    live.changed(campaign.pk, campaign.workspace_id)
    return not more


def begin_sending(campaign: Campaign) -> None:
    if not freeze.slice_into_batches(campaign, len(Category)):
        return back_to_draft(campaign, "Nobody was left to write to.")
    start_unless_held(campaign)


def start_unless_held(campaign: Campaign) -> bool:
    """All are frozen: let the workers have them, unless it can still be undone. True, as nothing is left to freeze."""
    if campaign.held_until and Campaign.objects.filter(pk=campaign.pk, held_until__gt=Now()).exists():
        return True
    if sentence := unapproved(campaign):
        back_to_draft(campaign, sentence)
        live.changed(campaign.pk, campaign.workspace_id)
        return True
    books = books_of(campaign)
    reason = f"{books.total:,} people frozen, {books.skipped:,} of them left out"
    reason += generate.outcome_of(campaign)
    parts = campaign.parts if campaign.channel == Channel.SMS else books.pending  # one each
    campaign.move_to(Status.SENDING, by=None, reason=reason, parts=parts)
    crash_point("before_start")
    queue.ring()
    live.changed(campaign.pk, campaign.workspace_id)
    return True


NEVER_LAUNCHED: dict[str, Any] = {
    **dict.fromkeys(("launched_at", "held_until", "part_price", "parts")),
    **dict.fromkeys(("currency", "footer", "link_base", "link_key"), ""),
}


def back_to_draft(campaign: Campaign, reason: str, *, by: Actor | None = None, **columns: Any) -> None:
    freeze.undo(campaign)
    campaign.move_to(Status.DRAFT, by=by, reason=reason, **NEVER_LAUNCHED, **columns)


@transaction.atomic
def undo(campaign: Campaign, *, by: Actor | None) -> Campaign:
    """Take back a send of which nobody got anything yet: it is a draft again, without a time. Raises TooLate."""
    campaign = locked(campaign)
    if campaign.status != Status.PREPARING or not campaign.held_until:
        raise TooLate(campaign)
    was = campaign.get_status_display()
    back_to_draft(campaign, "undone before anybody got it", by=by, **columns_of(None))
    crash_point("before_undone")
    log(campaign, "undo_send", was, by=by)
    live.changed(campaign.pk, campaign.workspace_id)
    return campaign


@transaction.atomic
def schedule(campaign: Campaign, *, at: datetime | Wall, by: Actor | None) -> Campaign:
    """Send by itself at this time. Raises IllegalMove, RateLimited, or InvalidTime for what is too far ahead."""
    campaign = locked(campaign)
    refuse_too_far(at, timezone.now())
    was = campaign.get_status_display()
    columns = columns_of(at)
    campaign.move_to(Status.SCHEDULED, by=by, reason=f"for {told(at)}", **columns)
    counted = allowance.count_if_soon(campaign.workspace, columns["scheduled_at"], by=by)
    log(campaign, "schedule", was, by=by, **columns, **counted)
    live.changed(campaign.pk, campaign.workspace_id)
    return campaign


@transaction.atomic
def change_time(campaign: Campaign, *, at: datetime | Wall, by: Actor | None, over: datetime | None = None) -> Campaign:
    """Let a scheduled campaign start at another time; `over` is the time that whoever asks has seen.

    Raises IllegalMove, RateLimited, InvalidTime, or TimeChanged when somebody else chose another time meanwhile.
    """
    campaign = locked(campaign)
    if campaign.status != Status.SCHEDULED:
        raise IllegalMove(campaign, Status.SCHEDULED)
    if over and over != campaign.scheduled_at:
        raise TimeChanged(campaign)
    if by:  # what the clock moves was near enough when it was scheduled
        refuse_too_far(at, timezone.now())
    columns = columns_of(at)
    before = audit_log.fields_of(campaign, columns)
    counted = allowance.count_if_soon(campaign.workspace, columns["scheduled_at"], by=by)
    Campaign.objects.filter(pk=campaign.pk).update(updated_at=Now(), **columns)
    campaign.refresh_from_db(fields=[*columns, "updated_at"])
    note(campaign, by=by, reason=f"another time: {told(at)}")
    audit_log.record(campaign.workspace, "change_time", campaign, by=by, before=before, after=columns | counted)
    live.changed(campaign.pk, campaign.workspace_id)
    return campaign


@transaction.atomic
def unschedule(campaign: Campaign, *, by: Actor | None, reason: str = "") -> Campaign:
    """Back to a draft that waits for a person. Raises IllegalMove."""
    campaign = locked(campaign)
    if campaign.status != Status.SCHEDULED:  # preparing also leads to draft, but by carry_on, which undoes the freeze
        raise IllegalMove(campaign, Status.DRAFT)
    was, at = campaign.get_status_display(), campaign.scheduled_at
    campaign.move_to(Status.DRAFT, by=by, reason=reason, **columns_of(None))
    log(campaign, "unschedule", was, by=by, was_for=at, reason=reason)
    live.changed(campaign.pk, campaign.workspace_id)
    return campaign


@transaction.atomic
def change_priority(campaign: Campaign, *, to: Campaign.Priority, by: Actor | None) -> Campaign:
    """Let it go before or after others from the next lease on; also while it is being sent. Raises AlreadyOver."""
    campaign = locked(campaign)
    if campaign.phase == "completed":
        raise AlreadyOver(campaign)
    before = {"priority": campaign.get_priority_display()}
    if Campaign.objects.filter(pk=campaign.pk).exclude(priority=to).update(priority=to, updated_at=Now()):
        campaign.priority = to
        note(campaign, by=by, reason=f"priority {to.label}")
        after = {"priority": to.label}
        audit_log.record(campaign.workspace, "change_priority", campaign, by=by, before=before, after=after)
        live.changed(campaign.pk, campaign.workspace_id)
    return campaign


@transaction.atomic
def pause(campaign: Campaign, *, by: Actor | None, reason: str = "") -> Campaign:
    """Stop handing over new messages; those in flight are settled. Raises IllegalMove."""
    campaign = locked(campaign)
    was = campaign.get_status_display()
    campaign.move_to(Status.PAUSED, by=by, reason=reason)
    log(campaign, "pause", was, by=by, reason=reason)
    live.changed(campaign.pk, campaign.workspace_id)
    return campaign


@transaction.atomic
def resume(campaign: Campaign, *, by: Actor | None) -> Campaign:
    """Go on where it was paused. Raises IllegalMove, or NotApproved, a kind of it."""
    campaign = locked(campaign)
    if campaign.status != Status.PAUSED:  # sent and failed also lead to sending, but by retry
        raise IllegalMove(campaign, Status.SENDING)
    refuse_unapproved(campaign)
    was = campaign.get_status_display()
    campaign.move_to(Status.SENDING, by=by)
    log(campaign, "resume", was, by=by)
    queue.ring()
    live.changed(campaign.pk, campaign.workspace_id)
    return campaign


@transaction.atomic
def cancel(campaign: Campaign, *, by: Actor | None, reason: str = "") -> Campaign:
    """Send nothing more, for good; calls in flight are settled, the rest is cancelled. Raises IllegalMove."""
    campaign = locked(campaign)
    columns: dict[str, Any] = {}
    if campaign.status == Status.PREPARING:
        freeze.undo(campaign)
        columns = NEVER_LAUNCHED
    is_over = not campaign.batches.exists()  # else the workers close the batches first
    was, finished_at = campaign.get_status_display(), timezone.now() if is_over else None
    campaign.move_to(Status.CANCELLED, by=by, reason=reason, finished_at=finished_at, **columns)
    campaign.batches.filter(owner="", due_at__gt=Now()).update(due_at=Now())  # no pace and no backoff to wait for
    log(campaign, "cancel", was, by=by)
    queue.ring()
    live.changed(campaign.pk, campaign.workspace_id)
    return campaign


@transaction.atomic
def retry_failed(
    campaign: Campaign,
    *,
    by: Actor | None,
    category: Category | None = None,
    numbers: list[int] | None = None,
    spare_dismissed: bool = False,
) -> int:
    """Try the failed messages again: all, those of one cause, or these; returns how many.

    Raises IllegalMove, or LaunchRefused while the queue is full.
    With `spare_dismissed` those that somebody dismissed stay as they are.
    """
    campaign = locked(campaign)
    refuse_unless_launched(campaign)
    was = campaign.get_status_display()
    count, astray = rewrite.retry(campaign, category, numbers, spare_dismissed=spare_dismissed)
    if count:
        kept = f", {astray:,} of them to the old address: another message has the new one" if astray else ""
        _reopen(campaign, by=by, reason=f"retry of {count:,} failed{kept}")
        which = category.label if category else "" if numbers else "all"
        log(campaign, "retry_failed", was, by=by, messages=count, category=which, numbers=numbers)
    return count


@transaction.atomic
def send_again(campaign: Campaign, *, by: Actor | None, numbers: list[int] | None = None) -> int:
    """Hand the unknown messages over once more, though some may arrive twice; returns how many.

    Raises IllegalMove, or LaunchRefused while the queue is full.
    """
    campaign = locked(campaign)
    refuse_unless_launched(campaign)
    was = campaign.get_status_display()
    count = rewrite.send_again(campaign, numbers)
    if count:
        _reopen(campaign, by=by, reason=f"{count:,} unknown sent again")
        log(campaign, "send_again", was, by=by, messages=count, numbers=numbers)
    return count


@transaction.atomic
def assume_delivered(campaign: Campaign, *, by: Actor | None, numbers: list[int] | None = None) -> int:
    """Count the unknown messages as sent, marked as assumed; returns how many. Raises Stored."""
    campaign = locked(campaign)
    refuse_if_stored(campaign)
    was = campaign.get_status_display()
    count = rewrite.assume_delivered(campaign, numbers)
    if count and campaign.status == Status.FAILED:
        campaign.move_to(Status.SENT, by=by, reason=f"{count:,} unknown assumed delivered")
    elif count:
        note(campaign, by=by, reason=f"{count:,} unknown assumed delivered")
    if count:
        log(campaign, "assume_delivered", was, by=by, messages=count, numbers=numbers)
    live.changed(campaign.pk, campaign.workspace_id)
    return count


def refuse_unless_launched(campaign: Campaign) -> None:
    """Raises IllegalMove for campaigns whose messages may not become pending again, LaunchRefused without room."""
    refuse_if_stored(campaign)
    if not campaign.is_retryable:
        raise IllegalMove(campaign, Status.SENDING)
    refuse_unapproved(campaign)
    refuse_without_room(campaign)


def refuse_unapproved(campaign: Campaign) -> None:
    """Raises NotApproved."""
    if sentence := unapproved(campaign):
        raise NotApproved(campaign, sentence)


def refuse_if_stored(campaign: Campaign) -> None:
    """Raises Stored."""
    if campaign.stored_at:
        raise Stored(campaign)


def log(campaign: Campaign, verb: str, was: str, *, by: Actor | None, **facts: Any) -> None:
    """Into the audit log: the status it had and has, and what else was decided with the verb."""
    facts = {name: fact for name, fact in facts.items() if fact}
    after = {"status": campaign.get_status_display()} | facts
    audit_log.record(campaign.workspace, verb, campaign, by=by, before={"status": was}, after=after)


def note(campaign: Campaign, *, by: Actor | None, reason: str) -> None:
    """Write into the history what somebody did that did not change the status."""
    StatusChange.write(campaign, campaign.status, campaign.status, by=by, reason=reason)


def _reopen(campaign: Campaign, *, by: Actor | None, reason: str) -> None:
    if campaign.status in (Status.SENT, Status.FAILED):
        campaign.move_to(Status.SENDING, by=by, reason=reason, finished_at=None, archived_at=None)
    else:
        note(campaign, by=by, reason=reason)
    queue.ring()
    live.changed(campaign.pk, campaign.workspace_id)
