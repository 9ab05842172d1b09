"""Times as people mean them: what a clock on the wall shows at a place, and the instant that is.

Where the clocks go forward, a time that does not exist is moved forward by the gap (02:30 is 03:30); where they go
back, the first of the two is meant.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

AT_MOST_AHEAD = timedelta(days=731)
PLACES = ("Africa", "America", "Antarctica", "Arctic", "Asia", "Atlantic", "Australia", "Europe", "Indian", "Pacific")


class InvalidTime(Exception):
    """No campaign can start then; `errors` maps each field to a sentence for people."""

    def __init__(self, **errors: str) -> None:
        self.errors = errors
        super().__init__(" ".join(errors.values()))


@dataclass(frozen=True)
class Wall:
    """What the clock on a wall shows, to the minute, in a zone with a name."""

    shows: datetime  # without a zone of its own
    zone: str

    @classmethod
    def at(cls, day: date, clock: time, zone: str) -> "Wall":
        return cls(datetime.combine(day, clock.replace(second=0, microsecond=0, tzinfo=None)), zone)

    @property
    def instant(self) -> datetime:
        # fold=0 takes the offset from before the change: forward by the gap, and the first of two.
        return self.shows.replace(tzinfo=ZoneInfo(self.zone), fold=0).astimezone(UTC)

    @property
    def note(self) -> str:
        """A sentence where the clocks change just then; else nothing."""
        here = ZoneInfo(self.zone)
        real = self.instant.astimezone(here)
        asked = f"{self.shows:%H:%M}"
        if real.replace(tzinfo=None) != self.shows:
            return f"The clocks go forward that night: {asked} does not exist, so it starts at {real:%H:%M}."
        first, second = (self.shows.replace(tzinfo=here, fold=fold).utcoffset() for fold in (0, 1))
        if first != second:
            return f"The clocks go back that night: {asked} comes twice, and the first of the two is meant."
        return ""

    @property
    def words(self) -> str:
        """Monday 30 November 2026 at 09:00 Europe/Athens (07:00 UTC)."""
        return in_words(self.instant, ZoneInfo(self.zone), self.zone)

    def words_for(self, reader: tzinfo) -> str:
        """The same for those whose clocks show another zone: ... (07:00 UTC; 10:00 Africa/Nairobi)."""
        return in_words(self.instant, ZoneInfo(self.zone), self.zone, reader)


def in_words(at: datetime, zone: tzinfo, name: str, reader: tzinfo | None = None) -> str:
    """The instant as the clocks of the zone show it, and where that differs in UTC and as the reader's show it."""
    here = on_clocks(at, zone)
    words = f"{day_in_words(here)} at {here:%H:%M} {name}"
    others: dict[str, tzinfo] = {"UTC": UTC} | ({str(reader): reader} if reader else {})
    beside = []
    for other, its_zone in others.items():
        there = on_clocks(at, its_zone)
        day = "" if there.date() == here.date() else f"{there.day} {there:%B}, "
        beside += [f"{day}{there:%H:%M} {other}"] if other != name else []
    return f"{words} ({'; '.join(beside)})" if beside else words


def on_clocks(at: datetime, zone: tzinfo) -> datetime:
    """What the clocks of the zone show then; at the ends of the calendar, where they show nothing, those of UTC."""
    try:
        return at.astimezone(zone)
    except OverflowError:
        return at.astimezone(UTC)


def told(at: datetime | Wall) -> str:
    """For the history of a campaign."""
    return at.words if isinstance(at, Wall) else f"{at.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def day_in_words(day: date) -> str:
    return f"{day:%A} {day.day} {day:%B %Y}"


def read(day: str, clock: str, zone: str) -> Wall:
    """What somebody typed or chose. Raises InvalidTime."""
    errors = {}
    try:
        on = date.fromisoformat(day.strip())
    except ValueError:
        errors["date"] = "Choose a day."
    try:
        at = time.fromisoformat(clock.strip())
    except ValueError:
        errors["time"] = "Choose a time of day."
    if not is_zone(zone):
        errors["zone"] = "Choose a time zone from the list."
    if errors:
        raise InvalidTime(**errors)
    return Wall.at(on, at, zone)


def refuse_unless_ahead(wall: Wall, now: datetime) -> None:
    """Raises InvalidTime for what has passed and for what is more than two years ahead."""
    today = now.date()
    if wall.shows.date() < today - timedelta(days=2):  # before any arithmetic that could leave the calendar
        raise InvalidTime(date="That day has passed; choose one ahead.")
    refuse_too_far(wall, now)
    if wall.instant <= now:
        here = now.astimezone(ZoneInfo(wall.zone))
        raise InvalidTime(time=f"That time has passed: in {wall.zone} it is {here:%H:%M} on {day_in_words(here)}.")


def refuse_too_far(at: datetime | Wall, now: datetime) -> None:
    """Raises InvalidTime for what is more than two years ahead."""
    last = now + AT_MOST_AHEAD
    # The day first: at the end of the calendar what a clock shows may be no instant at all.
    if at.shows.date() > last.date() or at.instant > last if isinstance(at, Wall) else at > last:
        raise InvalidTime(date="That is more than two years ahead; choose a day within the next two years.")


@cache
def zones() -> list[str]:
    """The names to choose from: places, and UTC."""
    return ["UTC", *sorted(name for name in available_timezones() if name.split("/")[0] in PLACES and "/" in name)]


def is_zone(name: str) -> bool:
    return name in zones()


def columns_of(at: datetime | Wall | None) -> dict[str, Any]:
    """The columns of a campaign that say when: an instant alone, or with what the clocks of a place will show."""
    if isinstance(at, Wall):
        day, clock = at.shows.date(), at.shows.time()
        return {"scheduled_at": at.instant, "scheduled_day": day, "scheduled_time": clock, "scheduled_zone": at.zone}
    return {"scheduled_at": at, "scheduled_day": None, "scheduled_time": None, "scheduled_zone": ""}
