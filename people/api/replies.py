"""Replies over the API: what a provider's webhook, or whoever stands between, passes on."""

from datetime import datetime
from typing import Any, Literal

from ninja import Field, Query, Router, Schema
from ninja.errors import ValidationError

from accounts.access import KeyRequest, may
from accounts.paging import Pagination, Paging, page_of
from people.addresses import InvalidAddress, normal_phone
from people.channels import Channel
from people.models import Reply
from people.plain import NotPlain, plain
from people.replies import LONGEST, Meaning, receive_reply

router = Router(tags=["replies"])
MeaningWord = Literal["stop", "start", "help", "none"]


class ReplyIn(Schema, extra="forbid"):
    """What somebody answered; with the provider's `id` a reply that is passed on twice is received once."""

    channel: Literal["sms", "whatsapp"]
    from_: str = Field(alias="from", max_length=40)
    text: str = Field("", max_length=LONGEST)
    id: str = Field("", max_length=200)


class ReplyOut(Schema):
    id: int
    customer_id: int | None
    meaning: MeaningWord
    received_at: datetime


class ReplyRow(ReplyOut):
    channel: Literal["sms", "whatsapp"]
    number: str = Field(description="Who sent it.")
    text: str


class ReplyPage(Schema):
    data: list[ReplyRow]
    pagination: Pagination


class AskedReplies(Paging):
    meaning: MeaningWord | Literal[""] = ""


@router.get("replies", response=ReplyPage, summary="List what people answered, newest first")
@may("read")
def list_replies(request: KeyRequest, asked: Query[AskedReplies]) -> dict[str, Any]:
    rows = request.workspace.replies.all()
    if asked.meaning:
        rows = rows.filter(meaning=Reply.Meaning[asked.meaning.upper()])
    found, pagination = page_of(rows, asked)
    told = ({"channel": Channel(r.channel).word, "number": r.number, "text": r.text} | shown(r) for r in found)
    return {"data": list(told), "pagination": pagination}


@router.post("replies", response={201: ReplyOut}, summary="Pass a reply on", by_alias=True)
@may("send")
def add_reply(request: KeyRequest, reply: ReplyIn) -> dict[str, object]:
    """A word for stop opts its sender out of the channel, one for start in; everything is kept and shown."""
    number, known = checked(reply)
    kept = receive_reply(
        request.workspace, Channel[reply.channel.upper()], number, reply.text, by=request.auth, provider_id=known
    )
    return shown(Reply.objects.get(pk=kept.pk))


def shown(reply: Reply) -> dict[str, object]:
    meaning = Meaning(reply.meaning).name.lower()
    return {"id": reply.pk, "customer_id": reply.recipient_id, "meaning": meaning, "received_at": reply.at}


def checked(reply: ReplyIn) -> tuple[str, str]:
    """The number and the provider's id as they are stored. Raises ValidationError that names the field."""
    field = "from"
    try:
        number = normal_phone(reply.from_)
        field = "id"
        return number, plain(reply.id, "The id", at_most=200)
    except (InvalidAddress, NotPlain) as fault:
        error = {"type": "not_plain", "loc": ("body", "reply", field), "msg": str(fault)}
        raise ValidationError([error]) from None
