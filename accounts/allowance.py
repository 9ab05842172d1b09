"""How many campaigns people and programs of a workspace may send a minute; what the clock starts is not counted.

What they let start by itself within a minute is: it is a send that takes a moment longer.

Counted is what each send leaves in the audit log: it is there if the campaign was sent and only then, it outlives the
campaign, and an emptied Redis takes nothing of it away.
"""

from datetime import datetime, timedelta
from math import ceil
from typing import Any

from django.conf import settings
from django.db import connection
from django.db.models import Q
from django.db.models.functions import Now
from django.utils import timezone

from accounts.models import COUNTED, Actor, AuditEntry, Workspace
from accounts.rates import RateLimited
from wires.meter import Standing

WINDOW = timedelta(minutes=1)
LOCK = "SELECT pg_advisory_xact_lock(hashtextextended('sends', %s))"


def most_of(workspace: Workspace) -> int:
    """What the installation allows, unless a superuser set another number for this workspace; 0 for no limit."""
    own = workspace.sends_per_minute
    return settings.API_SENDS_PER_MINUTE if own is None else own


def sends_of(workspace: Workspace) -> Standing | None:
    """How the limit stands now; None where there is none."""
    most = most_of(workspace)
    if not most:
        return None
    sent: Any = AuditEntry.objects.filter(
        Q(verb="launch") | Q(changes__has_key=COUNTED),
        workspace_id=workspace.pk,
        actor_kind__gt=AuditEntry.Kind.MACHINE,
        at__gt=Now() - WINDOW,
    )
    ages = [now - at for at, now in sent.order_by("-at").values_list("at", Now())[:most]]
    return Standing(most, most - len(ages), seconds_until_more(ages))


def seconds_until_more(ages: list[timedelta]) -> int:
    """Until the oldest of them counts no more."""
    left = WINDOW - ages[-1] if ages else WINDOW
    return max(1, ceil(left.total_seconds()))


def refuse_too_many_sends(workspace: Workspace) -> None:
    """Raises RateLimited. The transaction that sends calls it: until it ends no other send of the workspace counts."""
    if not most_of(workspace):
        return
    with connection.cursor() as cursor:
        cursor.execute(LOCK, [workspace.pk])
    standing = sends_of(workspace)
    if standing and not standing.left:
        kind = "campaign" if standing.most == 1 else "campaigns"
        raise RateLimited(f"{workspace} may send {standing.most:,} {kind} a minute.", standing)


def count_if_soon(workspace: Workspace, at: datetime, *, by: Actor | None) -> dict[str, str]:
    """What the audit log keeps of it where somebody lets a campaign start within a minute. Raises RateLimited."""
    if by is None or at > timezone.now() + WINDOW:
        return {}
    refuse_too_many_sends(workspace)
    return {COUNTED: "a send"}
