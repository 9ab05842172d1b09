"""What a workspace is set to, and new ones."""

from typing import Any
from zoneinfo import available_timezones

from django.db import transaction

from accounts import audit_log
from accounts.members import NotPossible
from accounts.models import Membership, Role, User, Workspace

ZONES = sorted(zone for zone in available_timezones() if "/" in zone or zone == "UTC")
SETTINGS = ("name", "time_zone", "retry_policy", "requires_two_factor")


@transaction.atomic
def make_workspace(name: str, time_zone: str, *, by: User) -> Workspace:
    """A workspace whose only member, its owner, is its maker."""
    workspace = Workspace.objects.create(name=name, time_zone=time_zone)
    Membership.objects.create(workspace=workspace, user=by, role=Role.OWNER)
    audit_log.record(workspace, "make", workspace, by=by, after={"name": name, "time_zone": time_zone})
    return workspace


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
