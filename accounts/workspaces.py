"""What a workspace is set to, and new ones."""

from collections.abc import Iterable
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db import transaction

from accounts import audit_log
from accounts.access import is_trusted
from accounts.members import NotPossible
from accounts.models import Membership, Role, User, Workspace

SETTINGS = ("name", "time_zone", "retry_policy", "region", "requires_two_factor")


@transaction.atomic
def make_workspace(name: str, time_zone: str, *, by: User) -> Workspace:
    """A workspace whose only member, its owner, is its maker. Raises PermissionDenied."""
    demand_trust(by, by.memberships.all())
    workspace = Workspace.objects.create(name=name, time_zone=time_zone)
    Membership.objects.create(workspace=workspace, user=by, role=Role.OWNER)
    audit_log.record(workspace, "make", workspace, by=by, after={"name": name, "time_zone": time_zone})
    return workspace


def demand_trust(user: User, memberships: Iterable[Membership]) -> None:
    """Raises PermissionDenied for who may not make a workspace."""
    if not is_trusted(user, memberships):
        raise PermissionDenied("Only an admin or owner of some workspace can make another.")


@transaction.atomic
def change_settings(workspace: Workspace, *, by: User, **values: Any) -> None:
    """Raises NotPossible where it would shut its own author out."""
    workspace = Workspace.objects.select_for_update(no_key=True).get(pk=workspace.pk)
    before = audit_log.fields_of(workspace, SETTINGS)
    if values.get("requires_two_factor") and not before["requires_two_factor"] and not by.has_two_factor:
        raise NotPossible("Set up two-factor login in your own account first, or this would shut you out.")
    for field, value in values.items():
        setattr(workspace, field, value)
    workspace.save(update_fields=list(values))
    after = audit_log.fields_of(workspace, SETTINGS)
    audit_log.record(workspace, "change_settings", workspace, by=by, before=before, after=after)
