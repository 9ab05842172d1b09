"""Customers over the API: the people of the key's workspace."""

from typing import Any

from django.http import StreamingHttpResponse
from ninja import Query, Router

from accounts.access import KeyRequest, may
from accounts.unknown import all_numbered, numbered
from people.api import rows
from people.api.filters import AskedCustomers, AskedForExport
from people.api.shapes import (
    CustomerChange,
    CustomerIn,
    CustomerOut,
    CustomerPage,
    a_file,
    refuse_faults,
    refuse_invalid,
)
from people.export import export
from people.models import Recipient
from people.recipients import ADDRESSES, add_recipient, change_recipient

router = Router(tags=["customers"])


@router.post("customers", response={201: CustomerOut}, summary="Add a customer")
@may("write")
def add_customer(request: KeyRequest, customer: CustomerIn) -> dict[str, Any]:
    fields = customer.model_dump(exclude_none=True, exclude={"group_ids"})
    refuse_invalid("customer", fields)
    if not any(fields.get(name) for name in ADDRESSES):
        refuse_faults("customer", dict.fromkeys(ADDRESSES, "An email address or a phone number is needed."))
    groups = group_ids(request, customer)
    return shown(add_recipient(request.workspace, by=request.auth, groups=groups or (), **fields))


@router.get("customers", response=CustomerPage, summary="List customers, newest first")
@may("read")
def list_customers(request: KeyRequest, asked: Query[AskedCustomers]) -> dict[str, Any]:
    """All of them, also who opted out."""
    wishing = {} if asked.opted_out is None else {"opted_out": asked.opted_out}
    people, pagination = asked.found(request, **wishing)
    return {"data": rows.customers(people), "pagination": pagination}


@router.get(
    "customers/export",
    summary="Take the customers along as CSV",
    openapi_extra=a_file("A file our import reads back.", "email,phone,first_name"),
)
@may("send")
def export_customers(request: KeyRequest, asked: Query[AskedForExport]) -> StreamingHttpResponse:
    """All whom the filters leave, in the order of their ids; it comes piece by piece."""
    pieces = export(request.workspace, asked.of(request), by=request.auth)
    return StreamingHttpResponse(pieces, content_type="text/csv; charset=utf-8")


@router.get("customers/{customer_id}", response=CustomerOut, summary="Look at a customer")
@may("read")
def show_customer(request: KeyRequest, customer_id: int) -> dict[str, Any]:
    return shown(numbered(request.workspace.recipients, "Customer", customer_id))


@router.patch("customers/{customer_id}", response=CustomerOut, summary="Change a customer")
@may("write")
def change_customer(request: KeyRequest, customer_id: int, customer: CustomerChange) -> dict[str, Any]:
    person = numbered(request.workspace.recipients, "Customer", customer_id)
    fields = customer.model_dump(exclude_unset=True, exclude={"group_ids"})
    refuse_invalid("customer", fields)
    change_recipient(person, by=request.auth, groups=group_ids(request, customer), **fields)
    return shown(person)


def group_ids(request: KeyRequest, customer: CustomerIn) -> list[int] | None:
    """None where nothing is said of groups. Raises Unknown."""
    if "group_ids" not in customer.model_fields_set:
        return None
    return all_numbered(request.workspace.groups, "Group", customer.group_ids or [])


def shown(person: Recipient) -> dict[str, Any]:
    person.refresh_from_db()
    return rows.customers([person])[0]
