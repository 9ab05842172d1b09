"""What failed, or of which no answer was heard, over the API: tried again, sent again or taken for delivered."""

from typing import Annotated, Any

from ninja import Router, Schema
from pydantic import Field, StrictBool

from accounts.access import KeyRequest, may
from dispatcher import operations
from dispatcher.api.answers import CampaignOut
from dispatcher.api.campaigns import campaign_of, draw
from dispatcher.api.shapes import CategoryWord, MessageNumber
from dispatcher.models import Category

router = Router(tags=["verbs"])
MOST = 10_000  # messages named in one call
Numbers = Annotated[
    list[MessageNumber] | None,
    Field(min_length=1, max_length=MOST, description="Only these, by their numbers in the campaign."),
]


class RetryIn(Schema, extra="forbid"):
    category: Annotated[CategoryWord | None, Field(description="Only those that failed for this cause.")] = None
    numbers: Numbers = None
    spare_dismissed: Annotated[StrictBool, Field(description="Leave those as they are that were dismissed.")] = False


class RetriedOut(Schema):
    campaign: CampaignOut
    retried: int


class UnknownIn(Schema, extra="forbid"):
    numbers: Numbers = None


class SentAgainOut(Schema):
    campaign: CampaignOut
    sent_again: int


class AssumedOut(Schema):
    campaign: CampaignOut
    assumed: int


ALL_FAILED = RetryIn()
ALL_UNKNOWN = UnknownIn()


@router.post(
    "campaigns/{campaign_id}/retry-failed",
    response=RetriedOut,
    summary="Try the failed messages again",
    operation_id="retry_failed_messages",
)
@may("send")
def retry_failed(request: KeyRequest, campaign_id: int, which: RetryIn = ALL_FAILED) -> dict[str, Any]:
    """All of them, those of one cause, or some by their numbers; also while it is being sent."""
    category = Category[which.category.upper()] if which.category else None
    count = operations.retry_failed(
        campaign_of(request, campaign_id),
        by=request.auth,
        category=category,
        numbers=which.numbers,
        spare_dismissed=which.spare_dismissed,
    )
    return {"campaign": draw(campaign_of(request, campaign_id)), "retried": count}


@router.post("campaigns/{campaign_id}/send-again", response=SentAgainOut, summary="Send the unknown messages again")
@may("send")
def send_again(request: KeyRequest, campaign_id: int, which: UnknownIn = ALL_UNKNOWN) -> dict[str, Any]:
    """Of which nobody knows whether they arrived: some people may get the message twice."""
    count = operations.send_again(campaign_of(request, campaign_id), by=request.auth, numbers=which.numbers)
    return {"campaign": draw(campaign_of(request, campaign_id)), "sent_again": count}


@router.post(
    "campaigns/{campaign_id}/assume-delivered", response=AssumedOut, summary="Count the unknown messages as sent"
)
@may("send")
def assume_delivered(request: KeyRequest, campaign_id: int, which: UnknownIn = ALL_UNKNOWN) -> dict[str, Any]:
    """Each is marked as assumed."""
    count = operations.assume_delivered(campaign_of(request, campaign_id), by=request.auth, numbers=which.numbers)
    return {"campaign": draw(campaign_of(request, campaign_id)), "assumed": count}
