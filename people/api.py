"""Customers over the API: the people of the key's workspace."""

from typing import Any

from ninja import Query, Router

from accounts.access import KeyRequest, may
from accounts.paging import Paging, page_of
from accounts.unknown import numbered
from people import api_rows
from people.api_shapes import CustomerChange, CustomerIn, CustomerOut, CustomerPage, refuse_invalid
from people.models import Recipient
from people.recipients import add_recipient, change_recipient

router = Router(tags=["customers"])


@router.post("customers", response={201: CustomerOut}, summary="Add a customer")
@may("write")
def add_customer(request: KeyRequest, customer: CustomerIn) -> dict[str, Any]:
    fields = customer.model_dump(exclude_none=True)
    refuse_invalid("customer", fields)
    return shown(add_recipient(request.workspace, by=request.auth, **fields))


@router.get("customers", response=CustomerPage, summary="List customers, newest first")
@may("read")
def list_customers(request: KeyRequest, asked: Query[Paging]) -> dict[str, Any]:
    """All of them, also who opted out."""
    people, pagination = page_of(request.workspace.recipients.all(), asked)
    return {"data": api_rows.customers(people), "pagination": pagination}


@router.get("customers/{customer_id}", response=CustomerOut, summary="Look at a customer")
@may("read")
def show_customer(request: KeyRequest, customer_id: int) -> dict[str, Any]:
    return shown(numbered(request.workspace.recipients, "Customer", customer_id))


@router.patch("customers/{customer_id}", response=CustomerOut, summary="Change a customer")
@may("write")
def change_customer(request: KeyRequest, customer_id: int, customer: CustomerChange) -> dict[str, Any]:
    person = numbered(request.workspace.recipients, "Customer", customer_id)
    fields = customer.model_dump(exclude_unset=True)
    refuse_invalid("customer", fields)
    change_recipient(person, by=request.auth, **fields)
    return shown(person)


def shown(person: Recipient) -> dict[str, Any]:
    person.refresh_from_db()
    return api_rows.customers([person])[0]
