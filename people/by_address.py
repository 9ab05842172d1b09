"""People named by an address alone: found, or added where nobody here has it. Nobody erased comes back like this."""

from collections.abc import Collection

from django.db import transaction
from django.db.models import QuerySet
from django.db.models.functions import Lower

from accounts import audit_log
from accounts.models import Actor, Workspace
from people import consent
from people.addresses import normal_email, normal_phone
from people.channels import Channel
from people.consent import How, Wish
from people.held import hold_groups, hold_workspace
from people.membership import put_in
from people.models import ConsentEvent, Group, Recipient
from people.recipients import DuplicateRecipient, add_recipient
from people.suppression import erased_among, look_at

MEMBERSHIP = Recipient.groups.through


def found_or_added(
    workspace: Workspace, *, by: Actor | None, email: str = "", phone: str = "", **fields
) -> tuple[Recipient, bool]:
    """Who has this address, unchanged, or a new person with these fields, and whether they are new.

    Raises InvalidAddress, Erased or NotPlain.
    """
    if person := having(workspace, email=email, phone=phone).first():
        return person, False
    try:
        return add_recipient(workspace, by=by, email=email, phone=phone, **fields), True
    except DuplicateRecipient:  # somebody was faster: find whom they added
        return found_or_added(workspace, by=by, email=email, phone=phone, **fields)


def having(workspace: Workspace, *, email: str = "", phone: str = "") -> QuerySet[Recipient]:
    """Whoever has this one address. Raises InvalidAddress."""
    if email:
        return by_email(workspace, [normal_email(email)])
    return workspace.recipients.filter(phone=normal_phone(phone)).exclude(phone="")


def by_email(workspace: Workspace, emails: Collection[str]) -> QuerySet[Recipient]:
    """Whoever has one of these normal addresses."""
    return workspace.recipients.alias(lower_email=Lower("email")).filter(lower_email__in=list(emails)).exclude(email="")


@transaction.atomic
def enter(workspace: Workspace, *, by: Actor | None, group: Group | None = None, **fields) -> tuple[Recipient, bool]:
    """Who has this address, or a new person, put into the group unless they left it. Raises as `found_or_added`."""
    person, is_new = found_or_added(workspace, by=by, **fields)
    if group:
        put_in(workspace.recipients.filter(pk=person.pk), group, by=by)
    return person, is_new


@transaction.atomic
def note_wish(
    workspace: Workspace,
    wish: ConsentEvent.Wish,
    *,
    by: Actor | None,
    channel: Channel | None = None,
    reason: str = "",
    **address: str,
) -> Recipient:
    """Write to whoever has this address no more, or again, and know it also of somebody who was unknown.

    Raises InvalidAddress, or Erased: of them nothing can be noted, and nothing is sent to them.
    """
    person, is_new = found_or_added(workspace, by=by, **address)
    operation = consent.opt_out if wish == Wish.OUT else consent.opt_in
    is_noted = operation(person, how=How.API, by=by, channel=channel, reason=reason)
    if is_new and not is_noted:
        consent.note(person, wish, how=How.API, by=by, channel=channel, reason=reason)
    return person


@transaction.atomic
def put_in_by_email(group: Group, emails: Collection[str], *, by: Actor | None) -> list[Recipient]:
    """Put whoever has one of these normal addresses into the group, and answer whom that added, in this order.

    Unknown addresses are added. Left out is who opted out, was erased, left this group, or is in it already.
    """
    workspace = hold_workspace(group.workspace_id)
    erased = erased_among(workspace, emails)
    place = {email: place for place, email in enumerate(emails) if email not in erased}
    added = add_unknown(workspace, place)
    hold_groups([group.pk])
    ids = list(by_email(workspace, place).filter(opted_out=False).values_list("pk", flat=True))
    inside = MEMBERSHIP.objects.filter(group=group, recipient__in=ids).values_list("recipient", flat=True)
    there = set(inside)
    put_in(workspace.recipients.filter(pk__in=ids), group, by=by)
    if added:
        audit_log.record(workspace, "add_people", group, by=by, after={"people": added})
    people = workspace.recipients.filter(pk__in=set(inside.all()) - there)
    return sorted(people, key=lambda person: place[person.email.lower()])


def add_unknown(workspace: Workspace, emails: Collection[str]) -> int:
    """Add those of these normal addresses that nobody has; returns how many.

    The caller holds the workspace, so that nobody else adds them meanwhile.
    """
    known = {email.lower() for email in by_email(workspace, emails).values_list("email", flat=True)}
    new = Recipient.objects.bulk_create(
        [Recipient(workspace=workspace, email=email) for email in emails if email not in known], batch_size=2_000
    )
    look_at([person.pk for person in new])
    return len(new)
