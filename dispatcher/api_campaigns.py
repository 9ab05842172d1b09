"""Campaigns over the API: write them, list them, look at one, send it."""

from typing import Literal

from ninja import Query, Router, Status

from accounts.access import KeyRequest, may
from accounts.paging import Paging, page_of
from accounts.unknown import numbered
from campaigns.authoring import create_campaign
from campaigns.models import Campaign, Split
from dispatcher.api_shapes import (
    CampaignIn,
    CampaignOut,
    CampaignPage,
    ChannelWord,
    SendIn,
    SentOut,
    StatusWord,
    VariantsOut,
    compared,
    shown,
)
from dispatcher.send import send
from dispatcher.stats import stats_of_many
from dispatcher.variants import comparison_of
from people.channels import Channel

router = Router(tags=["campaigns"])
NOBODY = SendIn()


@router.post("campaigns", response={201: CampaignOut}, summary="Write a campaign")
@may("write")
def write_campaign(request: KeyRequest, campaign: CampaignIn) -> dict:
    """A draft, or a scheduled campaign when scheduled_at lies ahead."""
    return draw(create_campaign(request.workspace, by=request.auth, **campaign.content))


class Asked(Paging):
    """Which campaigns, and which page of them; a page that cannot be read is the first."""

    channel: ChannelWord | Literal[""] = ""
    status: StatusWord | Literal[""] = ""
    q: str = ""

    @property
    def filters(self) -> dict[str, object]:
        filters = {
            "channel": self.channel and Channel[self.channel.upper()],
            "status": self.status and Campaign.Status[self.status.upper()],
            "name__icontains": self.q[:200],
        }
        return {field: value for field, value in filters.items() if value}


@router.get("campaigns", response=CampaignPage, summary="List campaigns, newest first")
@may("read")
def list_campaigns(request: KeyRequest, asked: Query[Asked]) -> dict:
    found, pagination = page_of(request.workspace.campaigns.filter(**asked.filters), asked)
    stats = stats_of_many(found)
    return {"data": [shown(campaign, stats[campaign.pk]) for campaign in found], "pagination": pagination}


@router.get("campaigns/{campaign_id}", response=CampaignOut, summary="Look at a campaign")
@may("read")
def show_campaign(request: KeyRequest, campaign_id: int) -> dict:
    return draw(campaign_of(request, campaign_id))


@router.get("campaigns/{campaign_id}/variants", response=VariantsOut, summary="Compare the variants of a campaign")
@may("read")
def show_variants(request: KeyRequest, campaign_id: int) -> dict:
    """How each variant does, and whether one is better; empty for a campaign that has none, or is not launched."""
    campaign = campaign_of(request, campaign_id)
    split = Split.of(campaign)
    return compared(comparison_of(campaign, split) if split else None)


@router.post("campaigns/{campaign_id}/send", response={200: SentOut, 202: SentOut}, summary="Send a campaign")
@may("send")
def send_campaign(request: KeyRequest, campaign_id: int, whom: SendIn = NOBODY) -> Status[dict]:
    """A draft is launched to these people. A campaign scheduled ahead stays scheduled and they are added to it.

    Answers 202 while an audience above 20,000 is being prepared.
    """
    sent = send(campaign_of(request, campaign_id), whom.choice, by=request.auth, now=whom.send_now)
    answer = {
        "campaign_id": sent.campaign.pk,
        "messages_queued": sent.queued,
        "status": sent.campaign.get_status_display(),
        "skipped": {reason.label: n for reason, n in sent.skipped.items()},
    }
    return Status(202 if sent.queued is None else 200, answer)


def campaign_of(request: KeyRequest, number: int) -> Campaign:
    """The campaign of the key's workspace with this number. Raises Unknown."""
    return numbered(request.workspace.campaigns, "Campaign", number)


def draw(campaign: Campaign) -> dict:
    return shown(campaign, stats_of_many([campaign])[campaign.pk])
