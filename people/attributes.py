"""Free attributes: what a workspace knows of its people beyond the standard fields."""

import re
from collections.abc import Iterable, Mapping

from django.db import transaction

from accounts import audit_log
from accounts.models import Actor, Workspace
from people.channels import REFUSALS
from people.models import STANDARD_FIELDS, UNSUBSCRIBE_LINK, AttributeName
from people.plain import NotPlain, plain

NAME = re.compile(r"[a-z_]{1,40}")
RESERVED = {*STANDARD_FIELDS, UNSUBSCRIBE_LINK, "id", "name", "opted_out", *REFUSALS, "groups", "prefered_product"}
MOST_NAMES = 50
MOST_CHARACTERS = 200

Value = str | int | float


def is_attribute_name(name: str) -> bool:
    return bool(NAME.fullmatch(name)) and name not in RESERVED and name.strip("_") != ""


def checked_attributes(attributes: Mapping[str, object]) -> dict[str, Value]:
    """The attributes as they are stored: empty ones left out. Raises NotPlain with a sentence."""
    if len(attributes) > MOST_NAMES:
        raise NotPlain(f"A person has at most {MOST_NAMES} attributes.")
    checked = {name: _checked(name, value) for name, value in attributes.items()}
    return {name: value for name, value in checked.items() if value != ""}


def _checked(name: str, value: object) -> Value:
    if not is_attribute_name(name):
        sentence = "cannot be the name of an attribute; use small letters and underscores, at most 40."
        raise NotPlain(f"“{name[:60]!s}” {sentence}")
    if isinstance(value, str):
        return plain(value, name, at_most=MOST_CHARACTERS)
    if isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 10**15:
        return value  # the bound also refuses infinity and NaN, which no comparison passes
    raise NotPlain(f"{name} must be a short text or a number.")


@transaction.atomic
def keep_names(workspace: Workspace, names: Iterable[str], *, by: Actor | None) -> set[str]:
    """Note that people of the workspace may have these; returns those for which there is room."""
    wanted = set(names)
    if wanted == (known := _known(workspace, wanted)):
        return known
    # Two at a time could each see room for the last one, or each call the same name new.
    Workspace.objects.select_for_update(no_key=True).get(pk=workspace.pk)
    known = _known(workspace, wanted)
    new = sorted(room_for(workspace, wanted) - known)
    AttributeName.objects.bulk_create([AttributeName(workspace=workspace, name=name) for name in new])
    if new:
        audit_log.record(workspace, "add_attributes", workspace, by=by, after={"attributes": new})
    return known | set(new)


def room_for(workspace: Workspace, names: set[str]) -> set[str]:
    """Those of the names that are known already or still find room."""
    known = _known(workspace, names)
    room = max(0, MOST_NAMES - workspace.attribute_names.count())
    return known | set(sorted(names - known)[:room])


def _known(workspace: Workspace, names: set[str]) -> set[str]:
    return set(workspace.attribute_names.filter(name__in=names).values_list("name", flat=True))
