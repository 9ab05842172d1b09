"""People put into groups, moved, copied and taken out over the API: any number of them in one call."""

from typing import Any

from django.db.models import QuerySet
from ninja import Field, Router, Schema
from pydantic import StrictBool, model_validator
from pydantic_core import PydanticCustomError

from accounts.access import KeyRequest, may
from accounts.unknown import all_numbered, numbered
from people.api.groups import checked_emails
from people.api.shapes import MOST_EMAILS, Number, refuse_faults
from people.by_address import by_email
from people.membership import Regrouped, move, put_in, take_out
from people.models import Group, Recipient
from people.segments import described_by, refuse_broken

router = Router(tags=["groups"])


class Chosen(Schema, extra="forbid"):
    """Which people, said in exactly one way."""

    customer_ids: list[Number] | None = Field(None, max_length=MOST_EMAILS)
    recipient_emails: list[str] | None = Field(None, max_length=MOST_EMAILS, description="Who has none of them stays.")
    segment_id: Number | None = Field(None, description="Who fits the segment now.")
    everybody: StrictBool = False

    @model_validator(mode="after")
    def one_way(self) -> "Chosen":
        said = [self.customer_ids, self.recipient_emails, self.segment_id, self.everybody or None]
        if sum(each is not None for each in said) != 1:
            raise PydanticCustomError(
                "chosen", "Give one of customer_ids, recipient_emails, segment_id and everybody: true."
            )
        return self


class ChosenToGo(Chosen):
    to_group_id: Number = Field(description="Another group.")


class MembersChanged(Schema):
    chosen: int
    joined: int
    left: int
    refused: int = Field(description="Who left the group by their own wish and is not put into it again.")
    words: str = Field(description="What happened, in sentences.")


@router.post("groups/{group_id}/put-in", response=MembersChanged, summary="Put people who are here into a group")
@may("write")
def put_people_in(request: KeyRequest, group_id: int, who: Chosen) -> dict[str, Any]:
    group = group_of(request, group_id)
    return told(put_in(people_chosen(request, who), group, by=request.auth))


@router.post("groups/{group_id}/take-out", response=MembersChanged, summary="Take people out of a group")
@may("write")
def take_people_out(request: KeyRequest, group_id: int, who: Chosen) -> dict[str, Any]:
    """They may be put into it again."""
    group = group_of(request, group_id)
    return told(take_out(people_chosen(request, who).filter(groups=group), group, by=request.auth))


@router.post("groups/{group_id}/move", response=MembersChanged, summary="Move people of a group to another")
@may("write")
def move_people(request: KeyRequest, group_id: int, who: ChosenToGo) -> dict[str, Any]:
    """Who left the other by their own wish stays."""
    group, target = two_groups(request, group_id, who)
    return told(move(people_chosen(request, who).filter(groups=group), group, target, by=request.auth))


@router.post("groups/{group_id}/copy", response=MembersChanged, summary="Put people of a group into another, too")
@may("write")
def copy_people(request: KeyRequest, group_id: int, who: ChosenToGo) -> dict[str, Any]:
    group, target = two_groups(request, group_id, who)
    return told(put_in(people_chosen(request, who).filter(groups=group), target, by=request.auth))


def group_of(request: KeyRequest, number: int) -> Group:
    return numbered(request.workspace.groups, "Group", number)


def two_groups(request: KeyRequest, number: int, who: ChosenToGo) -> tuple[Group, Group]:
    """Raises Unknown, or ValidationError where both are the same."""
    group, target = group_of(request, number), group_of(request, who.to_group_id)
    if group == target:
        refuse_faults("who", {"to_group_id": "Name another group."})
    return group, target


def people_chosen(request: KeyRequest, who: Chosen) -> QuerySet[Recipient]:
    """Raises Unknown, BrokenSegment, or ValidationError for an address that is none."""
    workspace = request.workspace
    if who.customer_ids is not None:
        ids = all_numbered(workspace.recipients, "Customer", who.customer_ids)
        return workspace.recipients.filter(pk__in=ids)
    if who.recipient_emails is not None:
        return by_email(workspace, checked_emails("who", who.recipient_emails))
    if who.segment_id:
        segment = numbered(workspace.segments, "Segment", who.segment_id)
        refuse_broken([segment])
        return workspace.recipients.filter(described_by([segment], workspace, None))
    return workspace.recipients.all()


def told(change: Regrouped) -> dict[str, Any]:
    counts = {name: getattr(change, name) for name in ("chosen", "joined", "left", "refused")}
    return counts | {"words": change.words}
