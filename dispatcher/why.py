"""Says in a sentence what a campaign is doing and, above all, why it is not moving."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from accounts.models import Role
from campaigns.models import Campaign, StatusChange
from dispatcher.models import Pace
from dispatcher.picture import Picture, pictures_of
from dispatcher.recurring import SKIPPED
from dispatcher.words import duration, moment, people, starts

Status = Campaign.Status
QUIET, ATTENTION, GOOD, BAD = "quiet", "", "is-sent", "is-failed"  # classes of the stylesheet
JUST_NOW = timedelta(seconds=3)


@dataclass(frozen=True)
class Why:
    """A few words, a sentence, and how much they ask for attention.

    `standstill` says it in short, for a list, where something that should move does not.
    """

    tone: str
    words: str
    sentence: str = ""
    standstill: str = ""
    starts_at: datetime | None = None  # the page counts down to it


def why(picture: Picture) -> Why:
    return EXPLAIN[picture.status](picture)


def standstills(campaigns: Sequence[Campaign]) -> dict[int, str]:
    """In short why each of those that should move and do not stands still; for a hundred as many queries as for one."""
    waiting = (Status.DRAFT, Status.SCHEDULED, Status.PREPARING, Status.SENDING)
    pictures = pictures_of([campaign for campaign in campaigns if campaign.status in waiting], Role.VIEWER)
    return {pk: words for pk, picture in pictures.items() if (words := why(picture).standstill)}


def failed_launch(campaign: Campaign, history: Sequence[StatusChange]) -> StatusChange | None:
    """How the machine gave up starting it, until somebody edits, schedules, sends or dismisses it."""
    last = history[0] if history else None
    if campaign.status != Status.DRAFT or not last or last.from_status in (None, last.to_status):
        return None
    by_the_machine = last.by_id is None and last.key_id is None
    return last if by_the_machine and campaign.written_at <= last.at else None


def draft(picture: Picture) -> Why:
    if failed := failed_launch(picture.campaign, picture.history):
        return Why(ATTENTION, "Not sent.", failed.reason, f"Not sent. {failed.reason}")
    if not picture.may_send:
        return Why(QUIET, "Nothing has been sent yet.", "A marketer, admin or owner checks and sends it.")
    return Why(QUIET, "Nothing has been sent yet.", "Check who gets it and how it reads, then send it.")


def scheduled(picture: Picture) -> Why:
    sentence = f"It starts by itself at {starts(picture.campaign, picture.outlook.now)}."
    if picture.campaign.wall:
        sentence = f"It starts by itself on {picture.campaign.start_words}."
    if not picture.outlook.clock_ticks:
        words = "No clock is running."
        return Why(ATTENTION, words, f"{sentence} It cannot until the clock is back.", f"{words} {sentence}")
    return Why(QUIET, "Scheduled.", sentence)


def preparing(picture: Picture) -> Why:
    frozen = f"{picture.frozen:,} people so far."
    held_until = picture.campaign.held_until
    if held_until and picture.was_launched:
        return held(picture, held_until)
    if not picture.outlook.clock_ticks:
        words = "No clock is running."
        return Why(ATTENTION, words, f"It carries on the preparation: {frozen}", f"{words} {frozen}")
    if picture.generated is not None:
        return generating(picture, f"{picture.generated:,} of {picture.frozen:,} people so far.")
    return Why(QUIET, "Preparing the list of people.", frozen)


def generating(picture: Picture, so_far: str) -> Why:
    if picture.chores == 0:
        words = "No worker is running for chores."
        sentence = f"It generates the words of each person: {so_far} Start one with “manage.py worker chores”."
        return Why(BAD, words, sentence, f"{words} {so_far}")
    return Why(QUIET, "Generating the words of each person.", so_far)


def held(picture: Picture, until: datetime) -> Why:
    """All are frozen, and nobody gets it before it is too late to undo."""
    now = picture.outlook.now
    if not picture.outlook.clock_ticks:
        words = "No clock is running."
        sentence = "It starts once the clock is back; until then it can be undone."
        return Why(ATTENTION, words, sentence, f"{words} {sentence}")
    if until <= now:
        return Why(QUIET, "Starting.")
    return Why(QUIET, f"Starts at {moment(until, now)}.", "It waits so that it can be undone.", starts_at=until)


def sending(picture: Picture) -> Why:
    outlook, books = picture.outlook, picture.books
    if not books.pending:
        return Why(QUIET, "Finishing.", "Everybody is accounted for.")
    if books.pending == outlook.held:
        return waiting_for_a_winner(picture)
    if picture.pace and out_of_reach(picture, picture.pace):
        return Why(BAD, "The sender cannot be reached.", *trouble_told(picture.pace, outlook.now))
    if picture.pace and picture.pace.closed_until and picture.pace.closed_until > outlook.now:
        at = moment(picture.pace.closed_until, outlook.now)
        sentence = f"It asked for a pause. Next try at {at}."
        return Why(ATTENTION, "Waiting for the provider.", sentence, f"waiting for the provider until {at}")
    if books.settled_at and outlook.now - books.settled_at < JUST_NOW:
        return moving(picture)
    if outlook.leased:
        return waiting_for_answers(picture)
    if outlook.due:
        return waiting_for_a_worker(picture)
    if outlook.next_at:
        return waiting_for_time(picture, outlook.next_at)
    return Why(QUIET, "Waiting for a worker.")


def out_of_reach(picture: Picture, pace: Pace) -> bool:
    """Whether its sender did not let anybody in the last time, and nobody tries anew just now."""
    outlook = picture.outlook
    is_closed = pace.closed_until is not None and pace.closed_until > outlook.now
    return bool(pace.trouble) and (is_closed or (not outlook.leased and picture.workers != 0))


def trouble_told(pace: Pace, now: datetime) -> tuple[str, str]:
    later = pace.closed_until if pace.closed_until and pace.closed_until > now else None
    again = f"Next try at {moment(later, now)}." if later else "It is tried again."
    trouble = pace.trouble if pace.trouble.endswith((".", "!", "?")) else f"{pace.trouble}."
    return f"{trouble} {again}", f"the sender cannot be reached: {pace.trouble}"


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
        return Why(ATTENTION, "A worker went silent.", sentence, f"a worker went silent; taken over by {at}")
    if outlook.now - since < JUST_NOW:
        return Why(QUIET, "A worker has taken it over.", "The first answers are awaited.")
    if not books.in_flight and outlook.others_are_sent and picture.pace and picture.pace.limit:
        sentence = f"Limited to {picture.pace.limit:,g} messages a second, which other campaigns use."
        return Why(QUIET, "Waiting for the limit.", sentence)
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
        return Why(BAD, "Workers cannot be called.", sentence, "workers cannot be called")
    if not picture.workers:
        sentence = "Start one with “manage.py worker dispatch”. Nothing is lost; sending goes on by itself."
        return Why(BAD, "No worker is running.", sentence, "no worker is running")
    if not picture.outlook.clock_ticks:
        sentence = "No clock is running to call one."
        return Why(ATTENTION, "Waiting for a worker.", sentence, "no clock is running to call a worker")
    if outlook.others_are_sent:
        return Why(QUIET, "Waiting for a worker.", "All are busy with other campaigns.")
    if outlook.now - since < JUST_NOW:
        return Why(QUIET, "Waiting for a worker.", "A worker will start within a second or two.")
    at = moment(since, outlook.now)
    sentence = f"None has come since {at}; if it stays so, see whether they run."
    return Why(ATTENTION, "Waiting for a worker.", sentence, f"no worker has come since {at}")


def begun(picture: Picture) -> datetime | None:
    """When it came to the status it has."""
    return picture.last_move.at if picture.last_move else None


def waiting_for_time(picture: Picture, next_at: datetime) -> Why:
    at = moment(next_at, picture.outlook.now)
    if not picture.outlook.clock_ticks:
        sentence = f"The next try is due at {at} and waits for it."
        return Why(ATTENTION, "No clock is running.", sentence, "no clock is running")
    pace = picture.pace
    if pace and pace.rate and pace.tokens < 1:
        sentence = f"{pace.rate:,.3g} messages a second. Next at {at}."
        return Why(QUIET, "Waiting for the limit.", sentence, f"waiting for the limit until {at}")
    sentence = f"{picture.books.pending:,} could not be handed over yet. Next try at {at}."
    return Why(ATTENTION, "Waiting before trying again.", sentence, f"waiting to try again until {at}")


def waiting_for_a_winner(picture: Picture) -> Why:
    """All who were to get a variant at once are done; the rest get the one that is chosen."""
    held, at = people(picture.outlook.held), picture.chooses_at
    if at is None:
        sentence = f"{held} wait for the winner. Choose which variant they get."
        return Why(ATTENTION, "Waiting for the winner.", sentence, f"{held} wait for the winner to be chosen")
    sentence = f"{held} wait for the winner; it is chosen at {moment(at, picture.outlook.now)} by rule."
    if not picture.outlook.clock_ticks:
        sentence = f"No clock is running to choose it. {sentence}"
        return Why(ATTENTION, "Waiting for the winner.", sentence, "no clock is running to choose the winner")
    return Why(QUIET, "Waiting for the winner.", sentence)


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
    is_open = unknown and not picture.campaign.stored_at
    waits = "is unknown and waits" if unknown == 1 else "are unknown and wait"
    undecided = f" {unknown:,} {waits} for a decision." if is_open else ""
    tone = ATTENTION if undecided else GOOD if picture.status == Status.SENT else BAD
    words = "Finished." if picture.status == Status.SENT else "Nobody got it."
    return Why(tone, words, f"Over{at}{took}. Nothing is left to send.{undecided}")


def cancelled(picture: Picture) -> Why:
    change = picture.last_move
    who = f" by {change.actor}" if change and change.actor else ""
    at = f" at {moment(change.at, picture.outlook.now)}" if change else ""
    if change and change.reason == SKIPPED:
        return Why(QUIET, "Skipped.", f"This one of the series was not sent: skipped{who}{at}.")
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
