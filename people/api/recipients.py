"""Recipients over the API: the same people under another name, by email address, and what they wish."""

from typing import Any

from django.db import transaction
from ninja import Query, Router, Status

from accounts.access import KeyRequest, may
from accounts.unknown import numbered
from people.api import rows
from people.api.filters import AskedPeople
from people.api.shapes import (
    RecipientChange,
    RecipientIn,
    RecipientOut,
    RecipientPage,
    WishIn,
    refuse_faults,
    refuse_invalid,
)
from people.by_address import enter, note_wish
from people.channels import Channel
from people.consent import Wish
from people.membership import put_in
from people.models import ConsentEvent, Group, Recipient
from people.plain import NotPlain, plain
from people.recipients import change_recipient, names_in

router = Router(tags=["recipients"])


@router.post(
    "recipients",
    response={200: RecipientOut, 201: RecipientOut},
    summary="Add a recipient, or find one",
    operation_id="add_or_find_recipient",
)
@may("write")
def add_or_find(request: KeyRequest, recipient: RecipientIn) -> Status[dict]:
    """Somebody who is here already stays as they are (200), but for being put into the group."""
    fields = {"email": recipient.email, **names_in(recipient.name or "")}
    refuse_invalid("recipient", fields)
    group = group_of(request, recipient.group_id)
    wish = bool(recipient.opt_out)
    person, is_new = enter(request.workspace, by=request.auth, group=group, opted_out=wish, **fields)
    return Status(201 if is_new else 200, shown(person, group))


class AskedRecipients(AskedPeople):
    include_opted_out: bool = False


@router.get("recipients", response=RecipientPage, summary="List recipients, newest first")
@may("read")
def list_recipients(request: KeyRequest, asked: Query[AskedRecipients]) -> dict[str, Any]:
    return page(request, asked, **({} if asked.include_opted_out else {"opted_out": False}))


@router.get(
    "recipients/active",
    response=RecipientPage,
    summary="List those who have not opted out",
    operation_id="list_active_recipients",
)
@may("read")
def list_active(request: KeyRequest, asked: Query[AskedPeople]) -> dict[str, Any]:
    return page(request, asked, opted_out=False)


@router.post(
    "recipients/opt-out",
    response=RecipientOut,
    summary="Write to somebody no more",
    operation_id="opt_out_recipient",
)
@may("write")
def opt_out(request: KeyRequest, wish: WishIn) -> dict[str, Any]:
    """On one channel, or on every one. Somebody unknown is added, so that the wish is kept."""
    return noted(request, wish, Wish.OUT)


@router.post(
    "recipients/opt-in",
    response=RecipientOut,
    summary="Write to somebody again",
    operation_id="opt_in_recipient",
)
@may("write")
def opt_in(request: KeyRequest, wish: WishIn) -> dict[str, Any]:
    """As they agreed to: say how in `reason`. An address on the suppression list stays there."""
    return noted(request, wish, Wish.IN)


def noted(request: KeyRequest, wish: WishIn, which: ConsentEvent.Wish) -> dict[str, Any]:
    address = {"email": wish.email} if wish.email else {"phone": wish.phone or ""}
    refuse_invalid("wish", address)
    try:
        reason = plain(wish.reason, "The reason", at_most=300)
    except NotPlain as fault:
        refuse_faults("wish", {"reason": str(fault)})
    channel = Channel[wish.channel.upper()] if wish.channel else None
    person = note_wish(request.workspace, which, by=request.auth, channel=channel, reason=reason, **address)
    return shown(person)


@router.get("recipients/{recipient_id}", response=RecipientOut, summary="Look at a recipient")
@may("read")
def show_recipient(request: KeyRequest, recipient_id: int) -> dict[str, Any]:
    return shown(numbered(request.workspace.recipients, "Recipient", recipient_id))


@router.patch(
    "recipients/{recipient_id}",
    response=RecipientOut,
    summary="Change a recipient",
    operation_id="change_recipient",
)
@may("write")
@transaction.atomic
def change(request: KeyRequest, recipient_id: int, recipient: RecipientChange) -> dict[str, Any]:
    """opt_out: false lets only somebody in again who wanted nothing at all; of others a refused channel stays so."""
    person = numbered(request.workspace.recipients, "Recipient", recipient_id)
    fields: dict[str, Any] = {} if recipient.name is None else names_in(recipient.name)
    refuse_invalid("recipient", fields)
    group = group_of(request, recipient.group_id)
    if group:
        put_in(request.workspace.recipients.filter(pk=person.pk), group, by=request.auth)
    wish = None if recipient.opt_out == person.opted_out else recipient.opt_out
    change_recipient(person, by=request.auth, opted_out=wish, **fields)
    return shown(person, group)


def group_of(request: KeyRequest, number: int | None) -> Group | None:
    """Raises Unknown."""
    return numbered(request.workspace.groups, "Group", number) if number else None


def page(request: KeyRequest, asked: AskedPeople, **fields: Any) -> dict[str, Any]:
    found, pagination = asked.found(request, **fields)
    return {"data": rows.recipients(found), "pagination": pagination}


def shown(person: Recipient, group: Group | None = None) -> dict[str, Any]:
    person.refresh_from_db()
    return rows.recipients([person], group)[0]
