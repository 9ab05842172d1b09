"""What needs a person, over the API: what Attention lists, and what was seen and left as it is."""

from datetime import datetime
from typing import Any, Literal

from ninja import Router, Schema
from pydantic import Field

from accounts.access import KeyRequest, may
from dispatcher import dismissals
from dispatcher.api.answers import CampaignOut
from dispatcher.api.campaigns import campaign_of, draw
from dispatcher.attention import Item, attention_of
from dispatcher.why import BAD

router = Router(tags=["what needs a person"])


class ItemOut(Schema):
    id: str = Field(description="The same as long as it is the same thing, such as launch-12.")
    tone: Literal["bad", "attention"]
    words: str = Field(description="What it is.")
    sentence: str = Field(description="Why, and what helps.")
    campaign_id: int | None
    since: datetime | None = Field(description="Since when it is so; null where nobody counts that.")
    at: datetime | None = Field(description="When something of it happened last, where nobody counts since when.")


class AttentionOut(Schema):
    count: int
    more: int = Field(description="Of them, how many are not among these items.")
    items: list[ItemOut] = Field(description="The most urgent first; of each kind the first 20.")


@router.get("attention", response=AttentionOut, summary="What needs a person, the most urgent first")
@may("read")
def show_attention(request: KeyRequest) -> dict[str, Any]:
    found = attention_of(request.workspace)
    return {"count": found.count, "more": found.more, "items": [item_row(item) for item in found.shown]}


@router.post("campaigns/{campaign_id}/dismiss-launch", response=CampaignOut, summary="Say that a failed start was seen")
@may("send")
def dismiss_launch(request: KeyRequest, campaign_id: int) -> dict[str, Any]:
    """Of a campaign that could not be started by itself: it needs nobody any more."""
    dismissals.dismiss_launch(campaign_of(request, campaign_id), by=request.auth)
    return draw(campaign_of(request, campaign_id))


def item_row(item: Item) -> dict[str, Any]:
    told = {name: getattr(item, name) for name in ("id", "words", "sentence", "since", "at")}
    tone = "bad" if item.tone == BAD else "attention"
    return told | {"tone": tone, "campaign_id": item.campaign.pk if item.campaign else None}
