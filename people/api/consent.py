"""What a person wished over the API: every opt-out and opt-in as it came."""

from datetime import datetime
from typing import Any, Literal

from ninja import Field, Query, Router, Schema

from accounts.access import KeyRequest, may
from accounts.paging import Pagination, Paging, page_of
from accounts.unknown import numbered
from people.api.shapes import ChannelWord
from people.channels import Channel
from people.models import ConsentEvent
from people.wishes import Told, events_of

router = Router(tags=["customers"])


class WishOut(Schema):
    id: int
    wish: Literal["out", "in"]
    channel: ChannelWord | None = Field(description="null for every channel.")
    group_id: int | None = Field(description="The group it is about alone, null for all or a deleted one.")
    how: str = Field(description="Where it came from: by a reply, over the API, ...")
    words: str = Field(description="All of it in a sentence.")
    reason: str
    evidence: str = Field(description="What shows that it came like this.")
    by: str = Field(description="Who wrote it down, where that was not the person.")
    at: datetime


class WishPage(Schema):
    data: list[WishOut]
    pagination: Pagination


@router.get("customers/{customer_id}/consent", response=WishPage, summary="What they wished, newest first")
@may("read")
def list_wishes(request: KeyRequest, customer_id: int, asked: Query[Paging]) -> dict[str, Any]:
    """What holds now stands with the customer."""
    person = numbered(request.workspace.recipients, "Customer", customer_id)
    events, pagination = page_of(events_of(person), asked)
    return {"data": [wish_row(event) for event in events], "pagination": pagination}


def wish_row(event: ConsentEvent) -> dict[str, Any]:
    told = Told(event)
    return {
        "id": event.pk,
        "wish": event.Wish(event.wish).name.lower(),
        "channel": Channel(event.channel).word if event.channel else None,
        "group_id": event.group_id,
        "how": event.get_how_display(),
        "words": told.words,
        "reason": event.reason,
        "evidence": told.evidence,
        "by": told.who,
        "at": event.at,
    }
