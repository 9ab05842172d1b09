"""The audience of a campaign over the API: whom it was chosen for, and whom not."""

from typing import Any

from ninja import Router, Schema
from pydantic import Field

from accounts.access import KeyRequest, may
from campaigns.models import Campaign
from dispatcher.api.campaigns import campaign_of
from dispatcher.api.shapes import CHOICES

router = Router(tags=["campaigns"])
PEOPLE = ("customer_ids", "exclude_ids")
NAMED = 1_000  # people named of each kind; the others are counted


class AudienceOut(Schema):
    """As POST and PATCH take it; who gets it in the end says /preview."""

    campaign_id: int
    words: str = Field(description="The choice in words.")
    everyone: bool
    group_ids: list[int]
    segment_ids: list[int]
    customer_ids: list[int] = Field(description="The first 1,000 by their numbers.")
    customers: int = Field(description="How many are named.")
    exclude_group_ids: list[int]
    exclude_segment_ids: list[int]
    exclude_ids: list[int] = Field(description="The first 1,000 by their numbers.")
    excluded: int = Field(description="How many are named.")


@router.get("campaigns/{campaign_id}/audience", response=AudienceOut, summary="Whom a campaign is for")
@may("read")
def show_audience(request: KeyRequest, campaign_id: int) -> dict[str, Any]:
    campaign = campaign_of(request, campaign_id)
    about = {"campaign_id": campaign.pk, "words": campaign.audience_words, "everyone": campaign.everyone}
    counts = {"customers": campaign.picked.count(), "excluded": campaign.excluded.count()}
    return about | counts | {name: ids_of(campaign, name) for name in CHOICES}


def ids_of(campaign: Campaign, name: str) -> list[int]:
    ids = getattr(campaign, CHOICES[name]).order_by("pk").values_list("pk", flat=True)
    return list(ids[:NAMED] if name in PEOPLE else ids)
