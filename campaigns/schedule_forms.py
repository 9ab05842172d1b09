"""The form that says when: a day, a time and a zone, and whether it comes again."""

from datetime import date as Day
from datetime import datetime
from zoneinfo import ZoneInfo

from django import forms
from django.http import QueryDict
from django.utils import timezone

from accounts.models import Workspace
from campaigns.models import Campaign, Recurrence
from campaigns.rules import DAY, WEEKDAYS, Rule, Unit, first_of
from campaigns.when import (
    InvalidTime,
    Wall,
    day_in_words,
    is_zone,
    on_clocks,
    read,
    refuse_too_far,
    refuse_unless_ahead,
    zones,
)
from people.search import number_in

REPEATS = [
    ("", "Does not repeat"),
    ("weekly", "Every week"),
    ("monthly", "Every month"),
    ("daily", "Every few days"),
]
ENDS = [("never", "Goes on until it is ended"), ("on", "Ends on a day"), ("after", "Ends after a number of times")]
MOST_TIMES, MOST_DAYS = 1_000, 366


class ScheduleForm(forms.Form):
    """Takes everything as typed; once valid, `first` is when it starts and `rule` how it repeats, if it does.

    `passed` is how many of a series came before: the times are counted from now on.
    """

    date = forms.Field(required=False)
    time = forms.Field(required=False)
    zone = forms.Field(required=False)
    repeat = forms.ChoiceField(choices=REPEATS, required=False)
    weekdays = forms.MultipleChoiceField(choices=list(enumerate(WEEKDAYS)), required=False)
    day = forms.Field(required=False)
    every = forms.Field(required=False)
    ends = forms.ChoiceField(choices=ENDS, required=False)
    until = forms.Field(required=False)
    count = forms.Field(required=False)

    first: Wall
    rule: Rule | None = None
    last_day: Day | None = None
    times: int | None = None

    def __init__(
        self, workspace: Workspace, data: QueryDict | None = None, *, initial: dict | None = None, passed: int = 0
    ) -> None:
        zone = workspace.time_zone if is_zone(workspace.time_zone) else "UTC"
        tomorrow = timezone.localdate(timezone=workspace.zone) + DAY
        usual = {"date": tomorrow.isoformat(), "zone": zone, "time": "09:00", "repeat": "", "ends": "never"}
        super().__init__(data, initial=usual | (initial or {}))
        self.passed, self.reader = passed, workspace.zone

    def clean(self) -> None:
        typed, now = self.cleaned_data, timezone.now()
        try:
            wall = read(*(str(typed.get(name) or "") for name in ("date", "time", "zone")))
            if typed.get("repeat"):
                self._repeats(wall, now)
            else:
                refuse_unless_ahead(wall, now)
                self.first = wall
        except InvalidTime as refusal:
            for field, sentence in refusal.errors.items():
                self.add_error(field, sentence)

    def _repeats(self, wall: Wall, now: datetime) -> None:
        start = wall.shows.date()
        if start < now.astimezone(ZoneInfo(wall.zone)).date():
            raise InvalidTime(date="That day has passed; choose one ahead.")
        refuse_unless_ahead(Wall(wall.shows.replace(hour=23, minute=59), wall.zone), now)
        self.rule = self._rule(start)
        self.first = first_of(self.rule, wall.shows.time(), wall.zone, now)
        refuse_too_far(self.first, now)
        ends = self.cleaned_data.get("ends")
        if ends == "on":
            self.last_day = self._until(self.first.shows.date())
        elif ends == "after":
            self.times = self._number("count", MOST_TIMES, "times")

    def _rule(self, start: Day) -> Rule:
        typed = self.cleaned_data
        if typed["repeat"] == "weekly":
            weekdays = tuple(sorted({int(number) for number in typed.get("weekdays", [])}))
            return Rule(Unit.WEEKLY, start, weekdays=weekdays or (start.weekday(),))
        if typed["repeat"] == "monthly":
            return Rule(Unit.MONTHLY, start, number=self._number("day", 31, "day") if typed["day"] else start.day)
        return Rule(Unit.DAILY, start, number=self._number("every", MOST_DAYS, "days"))

    def _number(self, field: str, most: int, what: str) -> int:
        number = number_in(str(self.cleaned_data.get(field) or ""))
        if not number or number > most:
            raise InvalidTime(**{field: f"Give the {what} as a number from 1 to {most:,}."})
        return number

    def _until(self, first: Day) -> Day:
        try:
            until = Day.fromisoformat(str(self.cleaned_data.get("until") or ""))
        except ValueError:
            raise InvalidTime(until="Choose the last day.") from None
        if until < first:
            raise InvalidTime(until=f"The first is on {day_in_words(first)}; choose that day or a later one.")
        return until

    @property
    def sentence(self) -> str:
        """When it starts, in its zone and in UTC, and what is to be known about that day."""
        words = f"It starts on {self.first.words_for(self.reader)}."
        if self.rule:
            clock = f"{self.first.shows:%H:%M} {self.first.zone}"
            words = f"{self.rule.words} at {clock}, first on {self.first.words_for(self.reader)}{self._end_in_words()}."
        return f"{words} {self.first.note}".strip()

    def _end_in_words(self) -> str:
        if self.last_day:
            return f", last on or before {day_in_words(self.last_day)}"
        if self.times and self.passed:
            return f", {numbers(self.passed, self.times)}"
        if self.times:
            return ", once only" if self.times == 1 else f", {self.times:,} times"
        return ", until it is ended"

    # --- what the template draws ---

    @property
    def zones(self) -> list[str]:
        return zones()

    @property
    def weekday_choices(self) -> list[tuple[str, str, bool]]:
        chosen = {str(number) for number in self["weekdays"].value() or []}
        return [(str(number), word, str(number) in chosen) for number, word in enumerate(WEEKDAYS)]


def numbers(passed: int, times: int) -> str:
    """What so many times from now on are, after those that passed: number 11 to 15."""
    if times == 1:
        return f"once more, as number {passed + 1:,}"
    return f"number {passed + 1:,} to {passed + times:,}"


def as_scheduled(campaign: Campaign) -> dict:
    """The time of a scheduled campaign as the form would have sent it."""
    wall = campaign.wall
    if wall is None and campaign.scheduled_at:
        zone = campaign.workspace.zone
        wall = Wall(on_clocks(campaign.scheduled_at, zone).replace(tzinfo=None), str(zone))
    if wall is None:
        return {}
    return {"date": f"{wall.shows:%Y-%m-%d}", "time": f"{wall.shows:%H:%M}", "zone": wall.zone}


def as_repeated(series: Recurrence, start: Day, passed: int) -> dict:
    """The rule of a series as the form would have sent it, from this day on, after those that passed."""
    typed: dict[str, object] = {
        "date": start.isoformat(),
        "time": f"{series.time:%H:%M}",
        "zone": series.zone,
        "repeat": Unit(series.unit).name.lower(),
        "ends": "on" if series.until else "after" if series.count else "never",
        "until": series.until.isoformat() if series.until else "",
        "count": str(max(series.count - passed, 1)) if series.count else "",
    }
    if series.unit == Unit.WEEKLY:
        return typed | {"weekdays": list(series.weekdays)}
    return typed | {"day" if series.unit == Unit.MONTHLY else "every": str(series.number)}
