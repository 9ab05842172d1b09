"""How times, durations, statuses and shares are put into words and widths, wherever they are shown."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from django.utils import timezone
from django.utils.dateformat import format as dated

from campaigns.models import Campaign
from campaigns.when import on_clocks
from dispatcher.books import Books
from dispatcher.models import CATEGORY_WORDS, Category
from people.channels import Channel

Status = Campaign.Status
SOON = timedelta(minutes=10)


@contextmanager
def said_in_utc() -> Iterator[None]:
    """For the time of the block moments are in UTC and say so, for programs: a page names the zone of all its times."""
    with timezone.override(UTC):
        yield


def moment(at: datetime | None, now: datetime) -> str:
    """A time of today as 14:02:10, any other with its date, in the time zone of the page."""
    if at is None:
        return ""
    here, today = on_clocks(at, timezone.get_current_timezone()), timezone.localtime(now)
    zone = " UTC" if timezone.get_current_timezone() is UTC else ""  # the zone of a page is a ZoneInfo
    if here.date() == today.date():
        return dated(here, "H:i:s") + zone
    return dated(here, "j M H:i" if here.year == today.year else "j M Y H:i") + zone


def about(at: datetime, now: datetime) -> str:
    """A time that is only guessed: to the second when it is soon, else to the minute."""
    words = moment(at, now)
    here = on_clocks(at, timezone.get_current_timezone())
    is_far = at - now > SOON and here.date() == timezone.localtime(now).date()
    return words.rpartition(":")[0] if is_far else words


def starts(campaign: Campaign, now: datetime) -> str:
    """When a scheduled campaign starts, on the clocks of its own zone, which is named where it is not the page's."""
    wall = campaign.wall
    if wall is None or wall.zone == str(timezone.get_current_timezone()):
        return moment(campaign.scheduled_at, now)
    with timezone.override(wall.zone):
        return f"{moment(wall.instant, now)} {wall.zone}"


def priority_words(campaign: Campaign) -> str:
    """Shown only where it is not the usual one."""
    words = {Campaign.Priority.URGENT: "Urgent", Campaign.Priority.LOW: "Low priority"}
    return words.get(Campaign.Priority(campaign.priority), "")


def duration(seconds: float) -> str:
    """4.2 s, 38 s, 4 min 12 s, 1 h 4 min."""
    if seconds < 1:
        return "under 1 s"
    whole = int(seconds)
    if whole < 60:
        return f"{seconds:.1f} s" if seconds < 10 else f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


def ago(at: datetime | None, now: datetime) -> str:
    """38 s ago; empty where it never was."""
    return f"{duration(max(0.0, (now - at).total_seconds()))} ago" if at else ""


def standing(campaign: Campaign, books: Books) -> str:
    """The words of the badge: zero sent is never called sent, and failures are never hidden behind it."""
    if campaign.status == Status.PAUSED and books.in_flight:
        return "Pausing"
    if campaign.status == Status.CANCELLED and books.pending:
        return "Cancelling"
    word = campaign.get_status_display().capitalize()
    if campaign.status != Status.SENT:
        return word
    rest = [f"{n:,} {kind}" for n, kind in ((books.failed, "failed"), (books.unknown, "unknown")) if n]
    return ", ".join([word, *rest])


class Measure(NamedTuple):
    """How far it came, as a screen reader tells it."""

    words: str
    number: int


def measure(campaign: Campaign, books: Books) -> Measure:
    """What is done; of a cancelled campaign what was sent, for nobody calls the rest done."""
    return Measure("Sent", books.sent) if campaign.status == Status.CANCELLED else Measure("Done", books.done)


def shares(books: Books) -> list[tuple[str, str]]:
    """The parts of the bar: the letter of the stylesheet and the width."""
    counts = (
        ("s", books.sent),
        ("f", books.failed),
        ("k", books.skipped),
        ("c", books.cancelled),
        ("u", books.unknown),
        ("w", min(books.in_flight, books.pending)),
    )
    return [(letter, f"{100 * n / books.total:.2f}%" if n else "0%") for letter, n in counts]


def cause_words(category: Category, channel: int) -> tuple[str, str, bool]:
    """What happened, what to do about it, and whether trying again can help, for this channel."""
    words, advice, can_be_retried = CATEGORY_WORDS[category]
    if channel != Channel.EMAIL:
        words = "Number does not exist" if category == Category.BOUNCED else words.replace("Address", "Number")
        advice = advice.replace("address", "number")
    return words, advice, can_be_retried


def people(number: int) -> str:
    return "1 person" if number == 1 else f"{number:,} people"


def capital(word: str) -> str:
    """With a capital letter; the others stay: SMS, WhatsApp."""
    return word[:1].upper() + word[1:]
