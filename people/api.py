"""Customers over the API: the people of the key's workspace."""

from datetime import datetime
from typing import Any

from ninja import Router, Schema
from ninja.errors import ValidationError

from accounts.access import KeyRequest, may
from people.models import Recipient
from people.plain import NotPlain
from people.recipients import add_recipient, checked_fields

router = Router(tags=["customers"])


class CustomerIn(Schema, extra="forbid"):
    """A person to add: an email address or a phone number (E.164) is needed, or both."""

    phone: str | None = None
    email: str | None = None
    first_name: str | None = None
    last_name: str | None = None
    location: str | None = None
    preferred_product: str | None = None
    attributes: dict[str, Any] | None = None


class CustomerOut(Schema):
    id: int
    phone: str
    email: str
    first_name: str
    last_name: str
    location: str
    preferred_product: str
    attributes: dict[str, Any]
    opted_out: bool
    created_at: datetime


@router.post("customers", response={201: CustomerOut}, summary="Add a customer")
@may("write")
def add_customer(request: KeyRequest, customer: CustomerIn) -> Recipient:
    fields = customer.model_dump(exclude_none=True)
    refuse_invalid(fields)
    return add_recipient(request.workspace, by=request.auth, **fields)


def refuse_invalid(fields: dict[str, Any]) -> None:
    """Raises ValidationError with the fault of every field, where the operation names the first one."""
    faults = []
    for name, value in fields.items():
        try:
            checked_fields({name: value})
        except NotPlain as fault:
            faults.append({"type": "not_plain", "loc": ("body", "customer", name), "msg": str(fault)})
    if faults:
        raise ValidationError(faults)
