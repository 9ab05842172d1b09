"""Groups over the API, and who is in them."""

from collections.abc import Collection
from typing import Any

from ninja import Query, Router, Status

from accounts.access import KeyRequest, may
from accounts.paging import Paging, page_of
from accounts.unknown import numbered
from people.addresses import InvalidAddress, quick_email
from people.api import rows
from people.api.shapes import (
    GroupChange,
    GroupIn,
    GroupOut,
    GroupPage,
    MembersIn,
    RecipientOut,
    RecipientPage,
    refuse_faults,
)
from people.by_address import put_in_by_email
from people.groups import DuplicateGroup, add_group, change_group, delete_group, group_named, with_counts
from people.models import Group

router = Router(tags=["groups"])


@router.post(
    "groups",
    response={200: GroupOut, 201: GroupOut},
    summary="Add a group, or find one",
    operation_id="add_or_find_group",
)
@may("write")
def add_or_find(request: KeyRequest, group: GroupIn) -> Status[Group]:
    """A group of this name that is here already stays as it is (200)."""
    try:
        added = add_group(request.workspace, by=request.auth, name=group.name, description=group.description or "")
    except DuplicateGroup:
        return Status(200, shown(request, group_named(request.workspace, group.name, by=request.auth).pk))
    return Status(201, shown(request, added.pk))


@router.get("groups", response=GroupPage, summary="List groups, newest first")
@may("read")
def list_groups(request: KeyRequest, asked: Query[Paging]) -> dict[str, Any]:
    groups, pagination = page_of(with_counts(request.workspace.groups.all()), asked)
    return {"data": groups, "pagination": pagination}


@router.get("groups/{group_id}", response=GroupOut, summary="Look at a group")
@may("read")
def show_group(request: KeyRequest, group_id: int) -> Group:
    return shown(request, group_id)


@router.patch("groups/{group_id}", response=GroupOut, summary="Change a group", operation_id="change_group")
@may("write")
def change(request: KeyRequest, group_id: int, group: GroupChange) -> Group:
    known = numbered(request.workspace.groups, "Group", group_id)
    fields = {"name": known.name, "description": known.description} | group.model_dump(exclude_none=True)
    change_group(known, by=request.auth, **fields)
    return shown(request, group_id)


@router.delete(
    "groups/{group_id}",
    response={204: None},
    summary="Delete a group; its people stay",
    operation_id="delete_group",
)
@may("write")
def delete(request: KeyRequest, group_id: int) -> Status[None]:
    """Refused (409) while a campaign that is still to be sent goes to the group."""
    delete_group(numbered(request.workspace.groups, "Group", group_id), by=request.auth)
    return Status(204, None)


class AskedMembers(Paging):
    active_only: bool = True


@router.get("groups/{group_id}/recipients", response=RecipientPage, summary="List who is in a group, newest first")
@may("read")
def list_members(request: KeyRequest, group_id: int, asked: Query[AskedMembers]) -> dict[str, Any]:
    group = numbered(request.workspace.groups, "Group", group_id)
    people = request.workspace.recipients.filter(groups=group)
    found, pagination = page_of(people.filter(opted_out=False) if asked.active_only else people, asked)
    return {"data": rows.recipients(found, group), "pagination": pagination}


@router.patch(
    "groups/{group_id}/recipients",
    response=list[RecipientOut],
    summary="Put people into a group",
    operation_id="put_into_group",
)
@may("write")
def put_in(request: KeyRequest, group_id: int, members: MembersIn) -> list[dict]:
    """Answers those this call added. Unknown addresses are added to the workspace, too; who opted out, was erased or
    left the group by their own wish is left out. One address that is none refuses the call."""
    group = numbered(request.workspace.groups, "Group", group_id)
    return rows.recipients(
        put_in_by_email(group, checked_emails("members", members.recipient_emails), by=request.auth), group
    )


def checked_emails(body: str, typed: Collection[str]) -> list[str]:
    """The addresses as they are stored. Raises ValidationError that names each that is none."""
    emails, faults = [], {}
    for place, text in enumerate(typed):
        try:
            emails.append(quick_email(text.strip()))
        except InvalidAddress as fault:
            faults[f"recipient_emails.{place}"] = str(fault)
    refuse_faults(body, faults)
    return emails


def shown(request: KeyRequest, number: int) -> Group:
    return numbered(with_counts(request.workspace.groups.all()), "Group", number)
