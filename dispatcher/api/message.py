"""One message over the API: its exact words, and every try that did not succeed."""

from datetime import datetime
from typing import Any, Literal

from ninja import Router, Schema
from pydantic import Field

from accounts.access import KeyRequest, may
from accounts.unknown import Unknown
from campaigns.models import Campaign
from dispatcher import operations
from dispatcher.api.campaigns import campaign_of
from dispatcher.api.ledger import MessageOut, shown
from dispatcher.api.shapes import CategoryWord
from dispatcher.ledger import History, Row
from dispatcher.models import Attempt, Message
from dispatcher.proof import is_proved, preheader_of, words_of

router = Router(tags=["what became of it"])
LARGEST = 2**31 - 1  # number of a message that can be


class AttemptOut(Schema):
    outcome: Literal["busy", "refused", "unsure"]
    category: CategoryWord
    cause: str = Field(description="In words.")
    error: str = Field(description="What the provider said.")
    at: datetime


class WholeMessageOut(MessageOut):
    """With all that its page shows."""

    address: str = Field(description="Where it goes; empty once the person is erased.")
    preheader: str
    rendered_html: str = Field(description="Of an email that has HTML, but for the link to unsubscribe.")
    key: str = Field(description="Ours, by which the provider knows the message.")
    why: str = Field(description="Why it ended so, or has not ended yet, in words.")
    is_proved: bool | None = Field(description="Whether the text is the one handed over; null where none was.")
    tries: int = Field(description="Hand-overs truly made.")
    attempts: list[AttemptOut] = Field(description="Those that did not succeed, the oldest first.")


@router.get(
    "campaigns/{campaign_id}/messages/{number}", response=WholeMessageOut, summary="Look at one message of a campaign"
)
@may("read")
def show_message(request: KeyRequest, campaign_id: int, number: int) -> dict[str, Any]:
    """By its number in the campaign. Refused (409) while the messages of the campaign are in a file."""
    campaign = campaign_of(request, campaign_id)
    operations.refuse_if_stored(campaign)
    message = message_of(campaign, number)
    words, history = words_of(campaign, message), History(message)
    return shown(campaign, [message])[0] | {
        "address": message.address or "",
        "key": str(message.key),
        "preheader": preheader_of(campaign, message) if words.html else "",
        "rendered_html": words.html,
        "why": Row(message).detail,
        "is_proved": is_proved(campaign, message),
        "tries": history.tries,
        "attempts": [attempt_row(attempt, cause) for attempt, cause in history.attempts],
    }


def message_of(campaign: Campaign, number: int) -> Message:
    """Raises Unknown."""
    rows = campaign.messages.select_related("recipient", "campaign")
    message = rows.filter(number=number).first() if 0 < number <= LARGEST else None
    if message is None:
        raise Unknown("Message", number)
    return message


def attempt_row(attempt: Attempt, cause: str) -> dict[str, Any]:
    return {
        "outcome": attempt.get_outcome_display(),
        "category": attempt.get_category_display(),
        "cause": cause,
        "error": attempt.error,
        "at": attempt.at,
    }
