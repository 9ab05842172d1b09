"""Customers over the API, where the ledger has to know: what they got, all that is held of them, and erasing them."""

from datetime import datetime
from typing import Any

from django.http import StreamingHttpResponse
from ninja import Field, Query, Schema, Status

from accounts.access import KeyRequest, may
from accounts.paging import Pagination, Paging, page_of
from accounts.unknown import Unknown, numbered
from dispatcher.api.ledger import Delivery, OutcomeWord
from dispatcher.api.shapes import CategoryWord
from dispatcher.erase import erase
from dispatcher.models import Message
from dispatcher.person_export import export_person
from dispatcher.received import messages_of, stored_since
from people.api.customers import router
from people.api.shapes import ChannelWord, a_file
from people.models import Recipient

STORED_COUNTED = 1_000


class ReceivedRow(Schema):
    id: int
    campaign_id: int
    campaign: str = Field(description="Its name.")
    channel: ChannelWord
    number: int = Field(description="Within its campaign, where its exact text is.")
    status: OutcomeWord
    delivery: Delivery
    retry_count: int
    last_error: str
    category: CategoryWord | None
    skip_reason: str | None
    created_at: datetime
    updated_at: datetime
    sent_at: datetime | None


class ReceivedPage(Schema):
    data: list[ReceivedRow]
    pagination: Pagination
    campaigns_in_files: int = Field(
        description="Campaigns since the person is here whose messages are in files, where nobody looks for one person;"
        " counted up to 1,000."
    )


@router.get("customers/{customer_id}/messages", response=ReceivedPage, summary="Every message they got, newest first")
@may("read")
def list_received(request: KeyRequest, customer_id: int, asked: Query[Paging]) -> dict[str, Any]:
    person = customer_of(request, customer_id)
    messages, pagination = page_of(messages_of(person), asked)
    stored = stored_since(person)[:STORED_COUNTED].count()
    rows = [received_row(message) for message in messages]
    return {"data": rows, "pagination": pagination, "campaigns_in_files": stored}


def received_row(message: Message) -> dict[str, Any]:
    campaign = message.campaign
    as_it_is = ("id", "number", "retry_count", "last_error", "created_at", "updated_at", "sent_at")
    return {field: getattr(message, field) for field in as_it_is} | {
        "campaign_id": campaign.pk,
        "campaign": campaign.name,
        "channel": campaign.channel_word,
        "status": message.get_status_display(),
        "delivery": message.get_delivery_display(),
        "category": message.get_category_display(),
        "skip_reason": message.get_skip_reason_display(),
    }


@router.get(
    "customers/{customer_id}/export",
    summary="All that is held of a customer",
    openapi_extra=a_file("One JSON object.", {"id": 3}, "application/json"),
)
@may("send")
def export_customer(request: KeyRequest, customer_id: int) -> StreamingHttpResponse:
    """What they may ask for, with every message; it comes piece by piece."""
    pieces = export_person(customer_of(request, customer_id), by=request.auth)
    return StreamingHttpResponse(pieces, content_type="application/json; charset=utf-8")


# On the router that also shows a customer: of two routers with one path the second would never be asked.
@router.delete("customers/{customer_id}", response={204: None}, summary="Erase a customer for good")
@may("manage", to="erase people")
def erase_customer(request: KeyRequest, customer_id: int) -> Status[None]:
    """Messages keep their place in the counts; the address cannot be added or imported again."""
    try:
        erase(customer_of(request, customer_id), by=request.auth)
    except Recipient.DoesNotExist:
        raise Unknown("Customer", customer_id) from None
    return Status(204, None)


def customer_of(request: KeyRequest, number: int) -> Recipient:
    return numbered(request.workspace.recipients.select_related("workspace"), "Customer", number)
