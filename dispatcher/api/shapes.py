"""What programs write about campaigns: the shapes of the API's requests, and the words both ways."""

import re
from datetime import UTC, datetime
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

from django.utils.timezone import now
from ninja import Schema
from pydantic import BeforeValidator, Field, StrictBool, StrictInt, model_validator
from pydantic_core import PydanticCustomError

from campaigns.models import Campaign, Format
from campaigns.when import Wall
from dispatcher.send import Choice
from people.api.shapes import MOST_EMAILS, Change, ChannelWord, Number
from people.channels import Channel

RFC3339 = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d{1,9})?)?(Z|[+-]\d\d:\d\d)?", re.ASCII)

MessageNumber = Annotated[StrictInt, Field(ge=1, le=2**31 - 1)]
StatusWord = Literal["draft", "scheduled", "preparing", "sending", "paused", "sent", "failed", "cancelled"]
PriorityWord = Literal["urgent", "normal", "low"]
Letter = Literal["A", "B", "C", "D", "E", "F"]  # of a variant
FormatWord = Literal["text", "markdown", "html", "mjml"]
CategoryWord = Literal[
    "invalid_address",
    "bounced",
    "rejected",
    "rate_limited",
    "provider_down",
    "timeout",
    "network",
    "template_error",
    "no_credit",
    "other",
]


def moment(value: object) -> datetime | None:
    """RFC 3339, in which the seconds may be missing, and the offset where a time zone is given beside it."""
    if value is None:
        return None
    if not isinstance(value, str) or not RFC3339.fullmatch(value.upper()):
        raise PydanticCustomError("moment", "Write the time as 2026-12-04T10:34:00Z or 2026-12-04T13:34:00+03:00.")
    try:
        return datetime.fromisoformat(value.upper())
    except ValueError:
        raise PydanticCustomError("moment", "There is no such time.") from None


def zone(value: object) -> ZoneInfo | None:
    """A time zone of the IANA database."""
    if value is None:
        return None
    try:
        return ZoneInfo(str(value)[:100])
    except (KeyError, ValueError, OSError):
        raise PydanticCustomError("zone", "There is no such time zone; write it as Africa/Nairobi.") from None


Zone = Annotated[ZoneInfo | None, BeforeValidator(zone), Field(json_schema_extra={"type": "string"})]
Moment = Annotated[datetime | None, BeforeValidator(moment)]


def in_utc(at: datetime, place: ZoneInfo | None) -> datetime:
    """The instant that is meant. Raises what pydantic tells the program."""
    if not (at.tzinfo or place):
        raise PydanticCustomError("offset", "scheduled_at needs an offset, such as Z or +03:00, or a timezone.")
    try:
        return (at if at.tzinfo else at.replace(tzinfo=place)).astimezone(UTC)
    except OverflowError:
        raise PydanticCustomError("moment", "scheduled_at is out of reach.") from None


def meant(at: datetime, place: ZoneInfo | None) -> datetime | Wall:
    """Without an offset what the clocks of the zone show, whatever rules it has by then; else the instant."""
    return Wall.at(at.date(), at.time(), str(place)) if place and not at.tzinfo else in_utc(at, place)


class CampaignIn(Schema, extra="forbid", arbitrary_types_allowed=True):
    """A campaign to be written. An email without a subject takes its title as the subject, but never its name."""

    name: str | None = None
    title: str | None = Field(None, description="Another word for name, and the subject of an email that has no other.")
    channel: ChannelWord = "email"
    base_template: str | None = Field(None, description="The text, with {first_name} or {first_name|there} in it.")
    message: str | None = Field(None, description="Another word for base_template; give one of them.")
    subject: str | None = None
    format: FormatWord = Field(
        "text", description="In which the text is written; only an email may be other than text."
    )
    preheader: str = Field("", description="What an inbox shows beside the subject; not of a plain text.")
    scheduled_at: Moment = None
    timezone: Zone = None
    priority: PriorityWord = "normal"
    generated_words: Annotated[StrictBool, Field(description="Write words for each person before it is sent.")] = False
    brief: str = Field("", description="What it is about, for generated words.")
    everyone: Annotated[StrictBool, Field(description="It is for everybody in the workspace.")] = False
    group_ids: list[Number] = []
    segment_ids: list[Number] = []
    customer_ids: list[Number] = []
    recipient_emails: Annotated[
        list[str],
        Field(max_length=MOST_EMAILS, description="Linked in the background; bad ones are told in recipients."),
    ] = []
    exclude_group_ids: list[Number] = []
    exclude_segment_ids: list[Number] = []
    exclude_ids: Annotated[list[Number], Field(description="People who do not get it.")] = []
    whatsapp_template_id: Annotated[Number | None, Field(description="It says what this WhatsApp template says.")] = (
        None
    )
    whatsapp_values: Annotated[dict[str, str], Field(description="What stands in place of its variables.")] = {}

    @model_validator(mode="after")
    def one_word_for_each(self) -> "CampaignIn":
        for first, second in (("name", "title"), ("base_template", "message")):
            if getattr(self, first) is not None and getattr(self, second) is not None:
                raise PydanticCustomError("twice", f"Give {first} or {second}, not both.")
        return self

    @model_validator(mode="after")
    def template_of_its_channel(self) -> "CampaignIn":
        if self.whatsapp_template_id and self.channel != "whatsapp":
            raise PydanticCustomError("channel", "Only a campaign by WhatsApp has a WhatsApp template.")
        return self

    @model_validator(mode="after")
    def at_a_time(self) -> "CampaignIn":
        if self.scheduled_at:
            in_utc(self.scheduled_at, self.timezone)
        return self

    @property
    def starts_by_itself(self) -> bool:
        return bool(self.scheduled_at and in_utc(self.scheduled_at, self.timezone) > now())

    @property
    def content(self) -> dict:
        """What `create_campaign` takes."""
        name = (self.title if self.name is None else self.name) or ""
        return {
            "name": name,
            "channel": Channel[self.channel.upper()],
            # People read a title; a name is seen by colleagues alone.
            "subject": (self.title or "") if self.subject is None else self.subject,
            "body": (self.message if self.base_template is None else self.base_template) or "",
            "format": Format[self.format.upper()],
            "preheader": self.preheader,
            "everyone": self.everyone,
            **{kind: getattr(self, name) for name, kind in CHOICES.items()},
            "whatsapp_template_id": self.whatsapp_template_id,
            "whatsapp_values": self.whatsapp_values,
            "priority": Campaign.Priority[self.priority.upper()],
            "generated_words": self.generated_words,
            "brief": self.brief,
            "scheduled_at": self.scheduled_at and meant(self.scheduled_at, self.timezone),
        }


class CampaignChange(Change):
    """What of a draft or a scheduled campaign is to be changed; what is not named stays."""

    name: str | None = None
    title: str | None = Field(None, description="Another word for name.")
    channel: ChannelWord | None = None
    base_template: str | None = None
    message: str | None = Field(None, description="Another word for base_template; give one of them.")
    subject: str | None = None
    format: FormatWord | None = None
    preheader: str | None = None
    generated_words: StrictBool | None = None
    brief: str | None = None
    priority: PriorityWord | None = None
    everyone: StrictBool | None = None
    group_ids: list[Number] | None = None
    segment_ids: list[Number] | None = None
    customer_ids: list[Number] | None = None
    exclude_group_ids: list[Number] | None = None
    exclude_segment_ids: list[Number] | None = None
    exclude_ids: list[Number] | None = None
    whatsapp_template_id: Annotated[Number | None, Field(description="null takes it away.")] = None
    whatsapp_values: dict[str, str] | None = None
    and_following: Annotated[
        StrictBool | None, Field(description="Of a series: those that follow say the same to the same people.")
    ] = None

    @model_validator(mode="after")
    def one_value_for_each(self) -> "CampaignChange":
        named = self.model_fields_set - {"whatsapp_template_id"}
        if nothing := [name for name in named if getattr(self, name) is None]:
            raise PydanticCustomError("null", f"{min(nothing)} cannot be null; leave it out to keep it.")
        for first, second in (("name", "title"), ("base_template", "message")):
            if {first, second} <= self.model_fields_set:
                raise PydanticCustomError("twice", f"Give {first} or {second}, not both.")
        return self

    @property
    def content(self) -> dict:
        """What `update_campaign` takes."""
        said = self.model_dump(include=self.model_fields_set - {"and_following"})
        content = {COLUMNS.get(name, name): value for name, value in said.items()}
        if self.channel:
            content["channel"] = Channel[self.channel.upper()]
        if self.format:
            content["format"] = Format[self.format.upper()]
        if self.priority:
            content["priority"] = Campaign.Priority[self.priority.upper()]
        return content


CHOICES = {"group_ids": "groups", "segment_ids": "segments", "customer_ids": "picked"}
CHOICES |= {"exclude_group_ids": "excluded_groups", "exclude_segment_ids": "excluded_segments"}
CHOICES |= {"exclude_ids": "excluded"}
COLUMNS = {"title": "name", "base_template": "body", "message": "body"} | CHOICES


class TimeIn(Schema, extra="forbid", arbitrary_types_allowed=True):
    """When a campaign is to start."""

    scheduled_at: Annotated[datetime, BeforeValidator(moment)]
    timezone: Zone = None

    @property
    def in_utc(self) -> datetime:
        return in_utc(self.scheduled_at, self.timezone)

    @property
    def meant(self) -> datetime | Wall:
        return meant(self.scheduled_at, self.timezone)

    @model_validator(mode="after")
    def ahead(self) -> "TimeIn":
        if self.in_utc <= now():
            raise PydanticCustomError("past", "scheduled_at is past; name a time ahead, or send it now.")
        return self


class SegmentIn(Schema, extra="forbid"):
    """People whose fields say this, in capital or small letters; several fields must all agree."""

    first_name: str | None = Field(None, min_length=1)
    last_name: str | None = Field(None, min_length=1)
    location: str | None = Field(None, min_length=1)
    preferred_product: str | None = Field(None, min_length=1)
    phone: str | None = Field(None, min_length=1)
    email: str | None = Field(None, min_length=1)


class SendIn(Schema, extra="forbid"):
    """Whom to send to, said in exactly one way."""

    customer_ids: list[Number] | None = None
    group_ids: list[Number] | None = None
    segment_ids: Annotated[list[Number] | None, Field(description="Saved segments, by their numbers.")] = None
    segment: SegmentIn | None = None
    target: Literal["all"] | None = None
    exclude_ids: list[Number] = []
    exclude_segment_ids: Annotated[list[Number], Field(description="Saved segments whose people are left out.")] = []
    send_now: Annotated[StrictBool, Field(description="Launch although the campaign is scheduled.")] = False

    @model_validator(mode="after")
    def one_selector(self) -> "SendIn":
        selectors = (self.customer_ids, self.group_ids, self.segment_ids, self.segment, self.target)
        if sum(selector is not None for selector in selectors) > 1:
            raise PydanticCustomError(
                "selectors", "Give only one of customer_ids, group_ids, segment_ids, segment and target."
            )
        return self

    @property
    def choice(self) -> Choice:
        return Choice(
            everyone=self.target == "all",
            groups=self.group_ids or (),
            segments=self.segment_ids or (),
            people=self.customer_ids or (),
            segment=self.segment.model_dump(exclude_none=True) if self.segment else {},
            without=self.exclude_ids,
            without_segments=self.exclude_segment_ids,
        )
