"""Says in a sentence what a campaign is doing and, above all, why it is not moving."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from campaigns.models import Campaign, StatusChange
from dispatcher.picture import Picture
from dispatcher.words import duration, moment

Status = Campaign.Status
QUIET, ATTENTION, GOOD, BAD = "quiet", "", "is-sent", "is-failed"  # classes of the stylesheet
JUST_NOW = timedelta(seconds=3)


@dataclass(frozen=True)
class Why:
    """A few words, a sentence, and how much they ask for attention."""

    tone: str
    words: str
    sentence: str = ""


def why(picture: Picture) -> Why:
    return EXPLAIN[picture.status](picture)


def draft(picture: Picture) -> Why:
    back = picture.history[0] if picture.history else None
    if back and back.from_status and back.reason:
        return Why(ATTENTION, "Not sent.", back.reason)
    return Why(QUIET, "Nothing has been sent yet.", "Check who gets it and how it reads, then send it.")


def scheduled(picture: Picture) -> Why:
    sentence = f"It starts by itself at {moment(picture.campaign.scheduled_at, picture.outlook.now)}."
    if not picture.outlook.clock_ticks:
        return Why(ATTENTION, "No clock is running.", f"{sentence} It cannot until the clock is back.")
    return Why(QUIET, "Scheduled.", sentence)


def preparing(picture: Picture) -> Why:
    frozen = f"{picture.frozen:,} people so far."
    if not picture.outlook.clock_ticks:
        return Why(ATTENTION, "No clock is running.", f"It carries on the preparation: {frozen}")
    return Why(QUIET, "Preparing the list of people.", frozen)


def sending(picture: Picture) -> Why:
    outlook, books = picture.outlook, picture.books
    if not books.pending:
        return Why(QUIET, "Finishing.", "Everybody is accounted for.")
    if picture.pace and picture.pace.closed_until and picture.pace.closed_until > outlook.now:
        at = moment(picture.pace.closed_until, outlook.now)
        return Why(ATTENTION, "Waiting for the provider.", f"It asked for a pause. Next try at {at}.")
    if books.settled_at and outlook.now - books.settled_at < JUST_NOW:
        return moving(picture)
    if outlook.leased:
        return waiting_for_answers(picture)
    if outlook.due:
        return waiting_for_a_worker(picture)
    if outlook.next_at:
        return waiting_for_time(picture, outlook.next_at)
    return Why(QUIET, "Waiting for a worker.")


def moving(picture: Picture) -> Why:
    pace = picture.pace
    if pace and pace.rate and pace.slowed_at and pace.rate != pace.limit:
        at = moment(pace.slowed_at, picture.outlook.now)
        sentence = f"The provider asked for less at {at}; sending at {pace.rate:,.0f} a second, rising again."
        return Why(ATTENTION, "Going slower than usual.", sentence)
    if pace and pace.limit:
        return Why(QUIET, "Sending.", f"Limited to {pace.limit:,g} messages a second.")
    return Why(QUIET, "Sending.", "Answers are coming in.")


def waiting_for_answers(picture: Picture) -> Why:
    outlook, books = picture.outlook, picture.books
    since = max(filter(None, (books.settled_at, begun(picture))), default=outlook.now)
    quiet_for = duration((outlook.now - since).total_seconds())
    if outlook.is_silent:
        at = moment(outlook.lease_ends, outlook.now)
        sentence = f"Nothing came in for {quiet_for}. What a worker that went silent has in hand is taken over by {at}."
        return Why(ATTENTION, "A worker went silent.", sentence)
    if outlook.now - since < JUST_NOW:
        return Why(QUIET, "A worker has taken it over.", "The first answers are awaited.")
    if not books.in_flight:
        return Why(QUIET, "A worker has taken it over.", f"Nothing came in for {quiet_for}.")
    return Why(QUIET, "Waiting for answers.", f"Nothing came in for {quiet_for}; {books.in_flight:,} are in flight.")


def waiting_for_a_worker(picture: Picture) -> Why:
    outlook = picture.outlook
    # A batch that was due before a pause waits for a worker since the end of the pause only.
    since = max(filter(None, (outlook.due_since, begun(picture))), default=outlook.now)
    started = picture.started_at
    if started and outlook.now - started < JUST_NOW:
        return Why(QUIET, "Starting.")
    if picture.workers is None:
        sentence = "The queue (Redis) does not answer. Nothing is lost; sending goes on when it is back."
        return Why(BAD, "Workers cannot be called.", sentence)
    if not picture.workers:
        sentence = "Start one with “manage.py worker dispatch”. Nothing is lost; sending goes on by itself."
        return Why(BAD, "No worker is running.", sentence)
    if not picture.outlook.clock_ticks:
        return Why(ATTENTION, "Waiting for a worker.", "No clock is running to call one.")
    if outlook.others_are_sent:
        return Why(QUIET, "Waiting for a worker.", "All are busy with other campaigns.")
    if outlook.now - since < JUST_NOW:
        return Why(QUIET, "Waiting for a worker.", "A worker will start within a second or two.")
    at = moment(since, outlook.now)
    return Why(ATTENTION, "Waiting for a worker.", f"None has come since {at}; if it stays so, see whether they run.")


def begun(picture: Picture) -> datetime | None:
    """When it came to the status it has."""
    return picture.last_move.at if picture.last_move else None


def waiting_for_time(picture: Picture, next_at: datetime) -> Why:
    at = moment(next_at, picture.outlook.now)
    if not picture.outlook.clock_ticks:
        return Why(ATTENTION, "No clock is running.", f"The next try is due at {at} and waits for it.")
    pace = picture.pace
    if pace and pace.rate and pace.tokens < 1:
        return Why(QUIET, "Waiting for the limit.", f"{pace.rate:,.3g} messages a second. Next at {at}.")
    sentence = f"{picture.books.pending:,} could not be handed over yet. Next try at {at}."
    return Why(ATTENTION, "Waiting before trying again.", sentence)


def paused(picture: Picture) -> Why:
    change = picture.last_move
    by = told(change, picture.outlook.now) if change else "Paused."
    if picture.books.in_flight:
        return Why(ATTENTION, f"Pausing, {picture.books.in_flight:,} in flight.", by)
    return Why(ATTENTION, by, f"{picture.books.pending:,} still wait; resume when you are ready.")


def told(change: StatusChange, now: datetime) -> str:
    """Who paused it, when and why."""
    who = f"Paused by {change.actor}" if change.actor else "Paused by itself"
    reason = f": “{change.reason}”" if change.reason else ""
    return f"{who} at {moment(change.at, now)}{reason}."


def over(picture: Picture) -> Why:
    ended = picture.campaign.finished_at
    at = f" at {moment(ended, picture.outlook.now)}" if ended else ""
    seconds = picture.seconds_taken
    begun = "the retry began" if picture.taken_up else "it began"
    took = f", {duration(seconds)} after {begun}" if seconds is not None else ""
    unknown = picture.books.unknown
    undecided = f" {unknown:,} {'is' if unknown == 1 else 'are'} unknown; decide below." if unknown else ""
    tone = ATTENTION if undecided else GOOD if picture.status == Status.SENT else BAD
    words = "Finished." if picture.status == Status.SENT else "Nobody got it."
    return Why(tone, words, f"Over{at}{took}. Nothing is left to send.{undecided}")


def cancelled(picture: Picture) -> Why:
    change = picture.last_move
    who = f" by {change.actor}" if change and change.actor else ""
    at = f" at {moment(change.at, picture.outlook.now)}" if change else ""
    if not picture.was_launched:
        return Why(QUIET, "Cancelled.", f"Before anything was sent{who}{at}.")
    if picture.books.in_flight:
        sentence = f"Cancelled{who}{at}. The answers still under way are awaited."
        return Why(ATTENTION, f"Cancelling, {picture.books.in_flight:,} in flight.", sentence)
    if picture.books.pending:
        sentence = f"Cancelled{who}{at}. Nothing more is sent; the books are being closed."
        return Why(ATTENTION, "Cancelling.", sentence)
    return Why(QUIET, "Cancelled.", f"{picture.books.sent:,} were sent before it was cancelled{who}{at}.")


EXPLAIN = {
    Status.DRAFT: draft,
    Status.SCHEDULED: scheduled,
    Status.PREPARING: preparing,
    Status.SENDING: sending,
    Status.PAUSED: paused,
    Status.SENT: over,
    Status.FAILED: over,
    Status.CANCELLED: cancelled,
}
