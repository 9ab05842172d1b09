"""What programs write about people and groups and what they read: the shapes of the API's requests and answers."""

from datetime import datetime
from typing import Annotated, Any, Literal

from ninja import Field, Schema
from ninja.errors import ValidationError
from pydantic import StrictBool, StrictInt, model_validator
from pydantic_core import PydanticCustomError

from accounts.paging import Pagination
from people.plain import NotPlain
from people.recipients import checked_fields

MOST_EMAILS = 10_000
ChannelWord = Literal["email", "sms", "whatsapp"]
Number = Annotated[StrictInt, Field(ge=1)]


class CustomerIn(Schema, extra="forbid"):
    """A person: an email address or a phone number (E.164) is needed, or both."""

    phone: str | None = None
    email: str | None = None
    first_name: str | None = None
    last_name: str | None = None
    location: str | None = None
    preferred_product: str | None = None
    attributes: dict[str, Any] | None = None
    group_ids: list[Number] | None = Field(None, description="The groups they are in; who left one is not put back.")


class Change(Schema, extra="forbid"):
    """Only what is given is changed."""

    @model_validator(mode="after")
    def something(self) -> "Change":
        if not self.model_fields_set:
            raise PydanticCustomError("nothing", "Nothing is given that could be changed.")
        return self


class CustomerChange(Change, CustomerIn):
    """Only what is given is changed; null empties a field. `attributes` and `group_ids` take the place of all that
    were there."""


class RecipientIn(Schema, extra="forbid"):
    email: str = Field(min_length=1)
    name: str | None = None
    group_id: Number | None = None
    opt_out: Annotated[StrictBool | None, Field(description="Only of somebody new; see /recipients/opt-out.")] = None


class RecipientChange(Change):
    """Only what is given is changed; null is as good as nothing."""

    name: str | None = None
    group_id: Annotated[Number | None, Field(description="A group to be put into; others are kept.")] = None
    opt_out: Annotated[StrictBool | None, Field(description="Whether the person wants nothing at all.")] = None


class WishIn(Schema, extra="forbid"):
    """Who wishes it, by one address, and on which channel; on every one if none is given."""

    email: str | None = None
    phone: str | None = None
    reason: str = ""
    channel: ChannelWord | None = None

    @model_validator(mode="after")
    def one_address(self) -> "WishIn":
        if bool(self.email) == bool(self.phone):
            raise PydanticCustomError("address", "Give either email or phone.")
        return self


class CustomerOut(Schema):
    id: int
    phone: str
    email: str
    first_name: str
    last_name: str
    location: str
    preferred_product: str
    attributes: dict[str, Any]
    group_ids: list[int]
    opted_out: bool = Field(description="Wants nothing on any channel.")
    refused_channels: list[ChannelWord] = Field(description="Wants nothing on these.")
    opt_out_reason: str = Field(description="What was said with the latest opt-out.")
    email_suppressed: bool
    phone_suppressed: bool
    created_at: datetime
    updated_at: datetime


class RecipientOut(CustomerOut):
    """The same person, with the words recipients are asked by."""

    name: str
    group_id: int | None = Field(description="The group a call is about, if they are in it, else the one joined last.")
    opt_out: bool = Field(description="The same as opted_out.")


class CustomerPage(Schema):
    data: list[CustomerOut]
    pagination: Pagination


class RecipientPage(Schema):
    data: list[RecipientOut]
    pagination: Pagination


class GroupIn(Schema, extra="forbid"):
    name: str
    description: str | None = None


class GroupChange(Change):
    """Only what is given is changed; null is as good as nothing. Its people see it under the public words."""

    name: str | None = None
    description: str | None = None
    is_public: StrictBool | None = None
    public_name: str | None = None
    public_description: str | None = None


class GroupOut(Schema):
    id: int
    name: str
    description: str
    is_public: bool
    public_name: str
    public_description: str
    people: int = Field(description="How many are in it, counted up to 100,001.")
    created_at: datetime


class GroupPage(Schema):
    data: list[GroupOut]
    pagination: Pagination


class MembersIn(Schema, extra="forbid"):
    recipient_emails: list[str] = Field(max_length=MOST_EMAILS)


def a_file(description: str, example: Any, media: str = "text/csv") -> dict[str, Any]:
    """What the description of the API tells of an answer that comes piece by piece."""
    return {"responses": {200: {"description": description, "content": {media: {"example": example}}}}}


def refuse_invalid(body: str, fields: dict[str, Any]) -> None:
    """Raises ValidationError with the fault of every field, where the operation names the first one."""
    faults = {}
    for name, value in fields.items():
        try:
            checked_fields({name: value})
        except NotPlain as fault:
            faults[name] = str(fault)
    refuse_faults(body, faults)


def refuse_faults(body: str, faults: dict[str, str]) -> None:
    """Raises ValidationError if there is one; a dot in the name of a field leads to a place in a list."""
    errors = [{"type": "not_plain", "loc": ("body", body, name), "msg": fault} for name, fault in faults.items()]
    if errors:
        raise ValidationError(errors)
