"""What may be asked of a campaign over the API: the verbs of its pages."""

from collections.abc import Callable
from typing import Annotated, Any, Literal

from ninja import Router, Schema, Status
from pydantic import Field

from accounts.access import KeyRequest, may
from accounts.unknown import numbered
from campaigns.copying import duplicate
from campaigns.models import Campaign
from campaigns.splitting import LETTERS
from dispatcher import operations
from dispatcher.api_answers import CampaignOut
from dispatcher.api_campaigns import campaign_of, draw
from dispatcher.api_shapes import CategoryWord, TimeIn
from dispatcher.books import books_of
from dispatcher.models import Category
from dispatcher.winner import choose_winner
from people.api_shapes import Number

router = Router(tags=["verbs"])


class EnqueuedOut(Schema):
    ok: bool
    created: int | None = Field(description="Messages of the campaign; null while they are being prepared.")
    campaignId: int


class NamedIn(Schema, extra="forbid"):
    id: Number


class QueuedOut(Schema):
    status: str
    campaign_id: int


class RetryIn(Schema, extra="forbid"):
    category: Annotated[CategoryWord | None, Field(description="Only those that failed for this cause.")] = None


class RetriedOut(Schema):
    campaign: CampaignOut
    retried: int


class WinnerIn(Schema, extra="forbid"):
    variant: Literal["A", "B", "C", "D", "E", "F"]


class ChosenOut(Schema):
    campaign: CampaignOut
    messages_queued: int = Field(description="People who waited for the winner and get it now.")


ALL = RetryIn()


@router.post(
    "campaigns/send",
    response={200: QueuedOut, 202: QueuedOut},
    summary="Send a campaign to its saved people",
    operation_id="send_saved_campaign",
)
@may("send")
def send_saved(request: KeyRequest, campaign: NamedIn) -> Status[dict]:
    known = numbered(request.workspace.campaigns, "Campaign", campaign.id)
    launched = operations.launch(known, by=request.auth)
    return Status(status_of(launched), {"status": "queued", "campaign_id": launched.pk})


@router.post(
    "campaigns/{campaign_id}/enqueue",
    response={200: EnqueuedOut, 202: EnqueuedOut},
    summary="Send a campaign to its saved people, and say how many",
    operation_id="enqueue_campaign",
)
@may("send")
def enqueue(request: KeyRequest, campaign_id: int) -> Status[dict]:
    launched = operations.launch(campaign_of(request, campaign_id), by=request.auth)
    created = None if launched.status == Campaign.Status.PREPARING else books_of(launched).pending
    return Status(status_of(launched), {"ok": True, "created": created, "campaignId": launched.pk})


def status_of(launched: Campaign) -> int:
    return 202 if launched.status == Campaign.Status.PREPARING else 200


def offer(
    verb: str, operation: Callable[..., Campaign], summary: str, ability: str = "send", status: int = 200
) -> None:
    """A route for a verb that needs nothing but its campaign; it answers with the campaign as it is then."""

    @router.post(
        f"campaigns/{{campaign_id}}/{verb}",
        response={status: CampaignOut},
        summary=summary,
        operation_id=f"{verb}_campaign",
    )
    @may(ability)
    def route(request: KeyRequest, campaign_id: int) -> Status[dict]:
        return Status(status, draw(operation(campaign_of(request, campaign_id), by=request.auth)))


offer("pause", operations.pause, "Stop handing over")
offer("resume", operations.resume, "Go on where it was paused")
offer("cancel", operations.cancel, "Send nothing more, for good")
offer("unschedule", operations.unschedule, "Back to a draft")
offer("duplicate", duplicate, "A new draft like it", "write", 201)


@router.post(
    "campaigns/{campaign_id}/retry-failed",
    response=RetriedOut,
    summary="Try the failed messages again",
    operation_id="retry_failed_messages",
)
@may("send")
def retry_failed(request: KeyRequest, campaign_id: int, which: RetryIn = ALL) -> dict[str, Any]:
    """All of them, or those of one cause; also while it is being sent."""
    category = Category[which.category.upper()] if which.category else None
    count = operations.retry_failed(campaign_of(request, campaign_id), by=request.auth, category=category)
    return {"campaign": draw(campaign_of(request, campaign_id)), "retried": count}


@router.post(
    "campaigns/{campaign_id}/schedule",
    response=CampaignOut,
    summary="Let a draft start by itself",
    operation_id="schedule_campaign",
)
@may("send")
def schedule(request: KeyRequest, campaign_id: int, when: TimeIn) -> dict[str, Any]:
    """Of one that is scheduled already, the time is changed."""
    campaign = campaign_of(request, campaign_id)
    is_scheduled = campaign.status == Campaign.Status.SCHEDULED
    operation = operations.change_time if is_scheduled else operations.schedule
    return draw(operation(campaign, at=when.in_utc, by=request.auth))


@router.post(
    "campaigns/{campaign_id}/choose-winner",
    response=ChosenOut,
    summary="Send a variant to all who wait",
    operation_id="choose_winner",
)
@may("send")
def choose_variant(request: KeyRequest, campaign_id: int, winner: WinnerIn) -> dict[str, Any]:
    """Once and for good; of two who choose at once one is refused."""
    campaign = campaign_of(request, campaign_id)
    count = choose_winner(campaign, variant=LETTERS.index(winner.variant) + 1, by=request.auth)
    return {"campaign": draw(campaign_of(request, campaign_id)), "messages_queued": count}
