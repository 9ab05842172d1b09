"""Replies over the API: what a provider's webhook, or whoever stands between, passes on."""

from datetime import datetime
from typing import Literal

from ninja import Field, Router, Schema
from ninja.errors import ValidationError

from accounts.access import KeyRequest, may
from people.addresses import InvalidAddress, normal_phone
from people.channels import Channel
from people.models import Reply
from people.plain import NotPlain, plain
from people.replies import LONGEST, Meaning, receive_reply

router = Router(tags=["replies"])


class ReplyIn(Schema, extra="forbid"):
    """What somebody answered; with the provider's `id` a reply that is passed on twice is received once."""

    channel: Literal["sms", "whatsapp"]
    from_: str = Field(alias="from", max_length=40)
    text: str = Field("", max_length=LONGEST)
    id: str = Field("", max_length=200)


class ReplyOut(Schema):
    id: int
    customer_id: int | None
    meaning: Literal["stop", "start", "help", "none"]
    received_at: datetime


@router.post("replies", response={201: ReplyOut}, summary="Pass a reply on", by_alias=True)
@may("send")
def add_reply(request: KeyRequest, reply: ReplyIn) -> dict[str, object]:
    """A word for stop opts its sender out of the channel, one for start in; everything is kept and shown."""
    number, known = checked(reply)
    kept = receive_reply(
        request.workspace, Channel[reply.channel.upper()], number, reply.text, by=request.auth, provider_id=known
    )
    kept = Reply.objects.get(pk=kept.pk)
    meaning = Meaning(kept.meaning).name.lower()
    return {"id": kept.pk, "customer_id": kept.recipient_id, "meaning": meaning, "received_at": kept.at}


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
