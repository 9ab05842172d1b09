"""What programs write and read about series: the shapes, and the rule as the form of the page would send it."""

from datetime import date, datetime
from typing import Annotated, Any, Literal, NamedTuple

from django.http import QueryDict
from ninja import Schema
from ninja.errors import ValidationError
from pydantic import Field, StrictInt

from accounts.models import Workspace
from accounts.paging import Pagination
from campaigns.models import Recurrence
from campaigns.rules import WEEKDAYS, Rule
from campaigns.schedule_forms import MOST_DAYS, MOST_TIMES, ScheduleForm, as_repeated
from campaigns.when import Wall
from dispatcher.api.shapes import PriorityWord, StatusWord
from people.api.shapes import Change, ChannelWord, Number

UnitWord = Literal["weekly", "monthly", "daily"]
DayWord = Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
DAYS: list[str] = [word.lower() for word in WEEKDAYS]

Starts = Annotated[str, Field(description="The first day on which it can come, as 2026-12-04.")]
Clock = Annotated[str, Field(description="What the clocks there show, as 09:00.")]
ZoneName = Annotated[str, Field(description="A name such as Africa/Nairobi; that of the workspace if none is given.")]
Weekdays = Annotated[list[DayWord], Field(description="Of a weekly series; else that of the first day.")]
DayOfMonth = Annotated[
    StrictInt, Field(ge=1, le=31, description="Of a monthly series; in shorter months the last day.")
]
Every = Annotated[StrictInt, Field(ge=1, le=MOST_DAYS, description="Of a daily series: every so many days.")]
Until = Annotated[str | None, Field(description="The last day on which it may come.")]
Times = Annotated[StrictInt | None, Field(ge=1, le=MOST_TIMES, description="How often it comes from now on.")]


class SeriesIn(Schema, extra="forbid"):
    """On which days and until when a campaign comes again; without an end it goes on until it is ended."""

    repeat: UnitWord
    starts: Starts
    time: Clock
    timezone: ZoneName = ""
    weekdays: Weekdays = []
    day: DayOfMonth | None = None
    every: Every = 1
    until: Until = None
    times: Times = None


class SeriesChange(Change):
    """Only what is given is changed; null takes the end away."""

    repeat: UnitWord | None = None
    starts: Starts | None = None
    time: Clock | None = None
    timezone: ZoneName | None = None
    weekdays: Weekdays | None = None
    day: DayOfMonth | None = None
    every: Every | None = None
    until: Until = None
    times: Times = None


class SkipIn(Schema, extra="forbid"):
    nth: Annotated[Number | None, Field(description="The one that is meant; 409 if another one is next by now.")] = None


class NextOut(Schema):
    campaign_id: int
    nth: int
    scheduled_at: datetime


class SeriesOut(Schema):
    id: int
    name: str
    channel: ChannelWord
    priority: PriorityWord
    rule: str = Field(description="In words: Every Monday at 09:00 Europe/Athens.")
    repeat: UnitWord
    starts: date
    time: str
    timezone: str
    weekdays: list[DayWord]
    day: int | None
    every: int | None
    until: date | None
    count: int | None = Field(description="The number of the last one, where the series ends after some times.")
    made: int = Field(description="How many there are so far, those skipped or missed among them.")
    next: NextOut | None = Field(description="The one that waits for its time.")
    ended_at: datetime | None
    created_at: datetime


class SeriesPage(Schema):
    data: list[SeriesOut]
    pagination: Pagination


class OccurrenceOut(Schema):
    campaign_id: int
    nth: int
    name: str
    status: StatusWord
    scheduled_at: datetime | None


class OccurrencePage(Schema):
    data: list[OccurrenceOut]
    pagination: Pagination


NAMES = {"date": "starts", "zone": "timezone", "count": "times"}


def as_typed(given: dict[str, Any]) -> QueryDict:
    """What a program says of the rule, as the form of the page would send it."""
    typed = QueryDict(mutable=True)
    for name in ("date", "time", "zone", "repeat", "until", "day", "every", "count"):
        typed[name] = str(given.get(NAMES.get(name, name)) or "")
    typed["ends"] = "on" if typed["until"] else "after" if typed["count"] else "never"
    typed.setlist("weekdays", [str(DAYS.index(word)) for word in given.get("weekdays") or []])
    return typed


def kept(series: Recurrence, start: date, passed: int, change: SeriesChange) -> QueryDict:
    """The rule as it is, with what is given in its place."""
    given = change.model_dump(include=change.model_fields_set)
    typed = as_repeated(series, start, passed)
    ends = {"until", "times"} & given.keys()
    now = {NAMES.get(name, name): value for name, value in typed.items() if not ends or name not in ("until", "count")}
    now["weekdays"] = [DAYS[number] for number in typed.get("weekdays", [])]
    return as_typed(now | {name: value for name, value in given.items() if value is not None or name in ends})


class Said(NamedTuple):
    """The rule, its first day, and where it ends."""

    rule: Rule
    first: Wall
    until: date | None
    times: int | None


def read(workspace: Workspace, typed: QueryDict, passed: int = 0) -> Said:
    """Raises ValidationError with what the page would say."""
    if typed["until"] and typed["count"]:
        raise refused("times", "Give until or times, not both.")
    typed["zone"] = str(typed["zone"] or workspace.zone)
    form = ScheduleForm(workspace, typed, passed=passed)
    for name, sentences in form.errors.items():
        raise refused(NAMES.get(name, name), str(sentences[0]))
    if form.rule is None:
        raise refused("repeat", "Say how it repeats.")
    return Said(form.rule, form.first, form.last_day, form.times)


def refused(field: str, sentence: str) -> ValidationError:
    return ValidationError([{"type": "rule", "loc": ("body", "series", field), "msg": sentence}])
