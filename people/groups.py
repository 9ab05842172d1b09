"""Making, changing and deleting groups, for the pages and the API alike."""

from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.db.models.expressions import RawSQL

from accounts import audit_log
from accounts.models import Actor, Workspace
from people.in_use import campaign_using, segments_asking_for
from people.models import Group
from people.plain import NotPlain, plain
from people.search import COUNTED


class DuplicateGroup(Exception):
    """The workspace has a group of this name already."""

    def __init__(self, name: str) -> None:
        self.name = name
        super().__init__(f"There is a group called “{name}” already.")


class GroupInUse(Exception):
    """A campaign that is still to be sent chooses its people by this group; the message names it."""


SHOWN = ("is_public", "public_name", "public_description")


def checked_group(
    name: str, description: str = "", *, is_public: bool = False, public_name: str = "", public_description: str = ""
) -> dict[str, Any]:
    """All as they are stored. Raises NotPlain with a sentence."""
    name = plain(name, "The name", at_most=100, field="name")
    if not name:
        raise NotPlain("A group needs a name.", "name")
    return {
        "name": name,
        "description": plain(description, "The description", at_most=300, field="description"),
        "is_public": is_public,
        "public_name": plain(public_name, "The name its people see", at_most=100, field="public_name"),
        "public_description": plain(
            public_description, "The description its people see", at_most=300, field="public_description"
        ),
    }


@transaction.atomic
def add_group(workspace: Workspace, *, by: Actor | None, name: str, description: str = "", **shown: Any) -> Group:
    """A new group; `shown` is what its people see of it. Raises NotPlain or DuplicateGroup."""
    fields = checked_group(name, description, **shown)
    group = Group(workspace=workspace, **fields)
    _write(group, force_insert=True)
    audit_log.record(workspace, "create", group, by=by, after=fields)
    return group


def group_named(workspace: Workspace, name: str, *, by: Actor | None) -> Group:
    """The group of this name, made if there is none. Raises NotPlain."""
    fields = checked_group(name)
    try:
        return add_group(workspace, by=by, **fields)
    except DuplicateGroup:
        return workspace.groups.get(name__iexact=fields["name"])


@transaction.atomic
def change_group(group: Group, *, by: Actor | None, name: str, description: str, **shown: Any) -> None:
    """Rename and describe a group; what its people see of it stays unless given. Raises NotPlain or DuplicateGroup."""
    fields = checked_group(name, description, **({each: getattr(group, each) for each in SHOWN} | shown))
    Group.objects.select_for_update(no_key=True).get(pk=group.pk)  # somebody may have deleted it meanwhile
    before = audit_log.fields_of(group, fields)
    for field, value in fields.items():
        setattr(group, field, value)
    _write(group, update_fields=[*fields])
    audit_log.record(group.workspace, "update", group, by=by, before=before, after=fields)


def _write(group: Group, **how) -> None:
    try:
        with transaction.atomic():
            group.save(**how)
    except IntegrityError as error:
        if "group_name_once" not in str(error):
            raise
        raise DuplicateGroup(group.name) from None


@transaction.atomic
def delete_group(group: Group, *, by: Actor | None) -> None:
    """Delete the group; its people stay. Raises GroupInUse.

    Without it a campaign still to be sent would reach others than its author chose: fewer, or those left out.
    """
    if campaign := campaign_using(group):
        raise GroupInUse(f"{campaign} still uses “{group}”. Take the group out of it first.")
    for segment in segments_asking_for(group):
        if campaign := campaign_using(segment):
            raise GroupInUse(f"{campaign} is for “{segment}”, which asks who is in “{group}”.")
    before = {"people": group.recipients.count()} | audit_log.fields_of(group, ("name", "description"))
    audit_log.record(group.workspace, "delete", group, by=by, before=before)
    group.delete()


def with_counts(groups: QuerySet[Group]) -> QuerySet[Group]:
    """The groups with the number of their `people`, counted no further than one above COUNTED."""
    some = "SELECT 1 FROM people_recipient_groups m WHERE m.group_id = people_group.id LIMIT %s"
    return groups.annotate(people=RawSQL(f"SELECT count(*) FROM ({some}) AS few", [COUNTED + 1]))  # noqa: S608, S611
