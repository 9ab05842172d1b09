"""What became of a campaign, as programs read it: how far it is, its messages one by one, its history."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Literal

from ninja import Query, Router, Schema
from pydantic import Field

from accounts.access import KeyRequest, may
from accounts.models import Role
from accounts.paging import Pagination, Paging, page_of
from campaigns.api.history import change_row
from campaigns.models import Campaign, ask_for_words
from campaigns.splitting import letter
from dispatcher.api.campaigns import campaign_of
from dispatcher.api.shapes import CategoryWord, StatusWord
from dispatcher.books import books_of
from dispatcher.ledger import Filter
from dispatcher.ledger_walk import walked
from dispatcher.models import Category, Message
from dispatcher.picture import picture_of
from dispatcher.proof import words_of
from dispatcher.why import why
from dispatcher.words import said_in_utc

router = Router(tags=["what became of it"])
OutcomeWord = Literal["pending", "sent", "failed", "skipped", "cancelled", "unknown"]
Delivery = Literal["none", "delivered", "bounced", "complained", "read"]


class ProgressOut(Schema):
    total: int
    pending: int
    sent: int
    failed: int
    skipped: int
    cancelled: int
    unknown: int
    processed: int = Field(description="All that are not pending.")
    progress: float = Field(description="Of 100 percent.")
    rate_per_second: float
    eta: datetime | None = Field(description="When it will be done if it goes on like this.")
    why: str = Field(description="What it is doing, or why it is not moving.")


@router.get(
    "campaigns/{campaign_id}/progress", response=ProgressOut, summary="How far it is", operation_id="show_progress"
)
@may("read")
def progress(request: KeyRequest, campaign_id: int) -> dict[str, Any]:
    campaign = campaign_of(request, campaign_id)
    picture = picture_of(campaign, Role(request.auth.role))
    with said_in_utc():
        books, said = picture.books, why(picture)
    done = books.total - books.pending
    counts = {status.label: getattr(books, status.label) for status in Message.Status}
    return counts | {
        "total": books.total,
        "processed": done,
        "progress": round(100 * done / books.total, 1) if books.total else 0,
        "rate_per_second": round(picture.speed, 1),
        "eta": picture.done_at,
        "why": f"{said.words} {said.sentence}".strip(),
    }


class MessageOut(Schema):
    id: int
    number: int = Field(description="Within its campaign.")
    customer_id: int | None = Field(description="null once the person is erased.")
    variant: str = Field(description="A, B, ...; empty where there is none.")
    status: OutcomeWord
    delivery: Delivery
    subject: str
    rendered_content: str = Field(
        description="The exact text, but for the link to unsubscribe, which leads nowhere; empty while its variant is"
        " not decided, and of those held out."
    )
    retry_count: int
    last_error: str
    category: CategoryWord | None
    skip_reason: str | None
    provider_message_id: str
    created_at: datetime
    updated_at: datetime
    sent_at: datetime | None


class MessagePage(Schema):
    data: list[MessageOut]
    pagination: Pagination


class AskedMessages(Paging):
    """Which messages; without a cursor the page is found by its number."""

    status: OutcomeWord | Literal[""] = ""


@router.get("campaigns/{campaign_id}/messages", response=MessagePage, summary="Its messages, by their numbers")
@may("read")
def list_messages(request: KeyRequest, campaign_id: int, asked: Query[AskedMessages]) -> dict[str, Any]:
    campaign = campaign_of(request, campaign_id)
    wanted = Filter(Message.Status[asked.status.upper()] if asked.status else None)
    messages, pagination = walked(campaign, wanted, asked)
    return {"data": shown(campaign, messages), "pagination": pagination}


def shown(campaign: Campaign, messages: Sequence[Message]) -> list[dict[str, Any]]:
    ask_for_words(campaign)
    return [message_row(campaign, message) for message in messages]


def message_row(campaign: Campaign, message: Message) -> dict[str, Any]:
    words = words_of(campaign, message)
    return {
        "id": message.pk,
        "number": message.number,
        "customer_id": message.recipient_id,
        "variant": letter(message.variant) if message.variant else "",
        "status": message.get_status_display(),
        "delivery": message.get_delivery_display(),
        "subject": words.subject,
        "rendered_content": words.text,
        "retry_count": message.retry_count,
        "last_error": message.last_error,
        "category": message.get_category_display(),
        "skip_reason": message.get_skip_reason_display(),
        "provider_message_id": message.provider_id,
        "created_at": message.created_at,
        "updated_at": message.updated_at,
        "sent_at": message.sent_at,
    }


class FailedRow(Schema):
    id: int | None = Field(description="The person, null once erased.")
    phone: str
    email: str
    error: str
    category: CategoryWord
    failedAt: datetime


class FailedOut(Schema):
    campaignId: int
    failedCount: int
    recipients: list[FailedRow]
    data: list[FailedRow] = Field(description="The same rows, where every list has them.")
    pagination: Pagination


class AskedFailures(Paging):
    """Whose messages failed; without a cursor the page is found by its number."""

    category: CategoryWord | Literal[""] = ""


@router.get("campaigns/{campaign_id}/failed-recipients", response=FailedOut, summary="Whom it could not reach, and why")
@may("read")
def list_failed(request: KeyRequest, campaign_id: int, asked: Query[AskedFailures]) -> dict[str, Any]:
    campaign = campaign_of(request, campaign_id)
    category = Category[asked.category.upper()] if asked.category else None
    wanted = Filter(Message.Status.FAILED, category=category)
    messages, pagination = walked(campaign, wanted, asked)
    rows = [failed_row(message) for message in messages]
    return {
        "campaignId": campaign.pk,
        "failedCount": wanted.count(books_of(campaign)),
        "recipients": rows,
        "data": rows,
        "pagination": pagination,
    }


def failed_row(message: Message) -> dict[str, Any]:
    person = message.recipient
    return {
        "id": message.recipient_id,
        "phone": person.phone if person else "",
        "email": person.email if person else "",
        "error": message.last_error,
        "category": message.get_category_display(),
        "failedAt": message.updated_at,
    }


class ChangeOut(Schema):
    from_status: StatusWord | None
    to_status: StatusWord
    by: str = Field(description="A person or a key; empty for what happened by itself.")
    reason: str
    at: datetime


class ChangePage(Schema):
    data: list[ChangeOut]
    pagination: Pagination


@router.get("campaigns/{campaign_id}/history", response=ChangePage, summary="Its history, newest first")
@may("read")
def list_history(request: KeyRequest, campaign_id: int, asked: Query[Paging]) -> dict[str, Any]:
    changes, pagination = page_of(campaign_of(request, campaign_id).history.select_related("by", "key"), asked)
    return {"data": [change_row(change) for change in changes], "pagination": pagination}
