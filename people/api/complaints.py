"""Complaints over the API: what a provider's webhook, or whoever stands between, passes on."""

from typing import Literal

from ninja import Field, Router, Schema
from ninja.errors import ValidationError

from accounts.access import KeyRequest, may
from people.addresses import InvalidAddress, normal_email, normal_phone
from people.channels import Channel
from people.complaints import receive_complaint
from people.plain import NotPlain, plain

router = Router(tags=["complaints"])


class ComplaintIn(Schema, extra="forbid"):
    """The address a message went to, as every provider tells it; its `id` is kept as evidence."""

    channel: Literal["email", "sms", "whatsapp"]
    address: str = Field(max_length=320)
    id: str = Field("", max_length=200)


class ComplaintOut(Schema):
    customer_id: int | None


@router.post("complaints", response={201: ComplaintOut}, summary="Pass a complaint on")
@may("send")
def add_complaint(request: KeyRequest, complaint: ComplaintIn) -> dict[str, int | None]:
    """Its sender is opted out of the channel, and the address is suppressed; telling it twice changes nothing."""
    channel = Channel[complaint.channel.upper()]
    address, known = checked(complaint, channel)
    person = receive_complaint(request.workspace, channel, address, by=request.auth, provider_id=known)
    return {"customer_id": person.pk if person else None}


def checked(complaint: ComplaintIn, channel: Channel) -> tuple[str, str]:
    """The address and the provider's id as they are stored. Raises ValidationError that names the field."""
    field = "address"
    normal = normal_email if channel == Channel.EMAIL else normal_phone
    try:
        address = normal(complaint.address)
        field = "id"
        return address, plain(complaint.id, "The id", at_most=200)
    except (InvalidAddress, NotPlain) as fault:
        error = {"type": "not_plain", "loc": ("body", "complaint", field), "msg": str(fault)}
        raise ValidationError([error]) from None
