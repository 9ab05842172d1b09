"""Choosing who writes words for each person in a workspace, and how."""

from typing import Any

from django.db import transaction

from accounts import audit_log
from accounts.models import Actor, Workspace
from campaigns.models import ChosenPersonaliser


@transaction.atomic
def choose_personaliser(
    workspace: Workspace, name: str, *, is_on: bool, options: dict[str, Any], by: Actor | None
) -> ChosenPersonaliser:
    """Turn it on or off, with these options; campaigns that are being prepared keep those they began with."""
    Workspace.objects.select_for_update(no_key=True).get(pk=workspace.pk)  # two at a time would both add the row
    row, _ = ChosenPersonaliser.objects.get_or_create(workspace=workspace, personaliser=name)
    before = {"is_on": row.is_on, **row.options}
    row.is_on, row.options = is_on, options
    row.save(update_fields=["is_on", "options"])
    after = {"is_on": is_on, **options}
    audit_log.record(workspace, "choose_personaliser", row, by=by, before=before, after=after)
    return row
