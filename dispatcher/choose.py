"""What admins decide about senders: which one, in whose name, how fast, and when to rehearse a bad day."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from django.db import connection, transaction
from django.utils import timezone

from accounts import audit_log
from accounts.models import Actor, Workspace
from campaigns.models import Campaign
from dispatcher.chosen import chosen_sender
from dispatcher.models import ChosenSender, Pace
from dispatcher.pace import Lane
from dispatcher.sealing import seal
from dispatcher.senders import SENDERS
from people.channels import Channel
from simulator.models import Outage
from wires import queue

OUTAGE_SECONDS = 30
CLEAR = """
    UPDATE dispatcher_pace SET closed_until = NULL, trouble = ''
    WHERE id IN (SELECT id FROM dispatcher_pace WHERE workspace_id = %s AND channel = %s AND trouble <> ''
                 ORDER BY sender FOR UPDATE)
"""
# One that a worker takes or a person changes meanwhile is left alone.
DUE_NOW = """
    UPDATE dispatcher_batch SET due_at = clock_timestamp()
    WHERE id IN (SELECT b.id FROM dispatcher_batch b JOIN campaigns_campaign c ON c.id = b.campaign_id
                 WHERE c.workspace_id = %s AND c.channel = %s AND c.status = %s
                   AND b.owner = '' AND b.due_at > clock_timestamp() AND (NOT b.is_rest OR b.variant > 0)
                 ORDER BY b.id FOR UPDATE OF b SKIP LOCKED)
"""


@transaction.atomic
def choose(
    workspace: Workspace,
    channel: Channel,
    *,
    sender: str,
    from_name: str,
    from_address: str,
    limit: float | None,
    options: Mapping[str, Any],
    by: Actor | None,
) -> ChosenSender:
    """Write by this sender on the channel from the next shift on; a secret of None stays the one that is stored.

    Campaigns under way go on by it; what the sender before it left in doubt becomes unknown.
    """
    # Two who save at once come one after the other.
    Workspace.objects.select_for_update(no_key=True).get(pk=workspace.pk)
    row = ChosenSender.objects.filter(workspace=workspace, channel=channel).first()
    before = told(row, limit_of(workspace, channel, row.sender)) if row else {}
    row = row or ChosenSender(workspace=workspace, channel=channel)
    old = row.options if row.sender == sender else {}
    row.sender, row.from_name, row.from_address = sender, from_name, from_address
    row.options = sealed(SENDERS[sender].options.secrets, options, old)
    row.save()
    lanes = Pace.objects.filter(workspace=workspace, channel=channel).order_by("sender")
    list(lanes.select_for_update())  # in the order in which workers lock them
    Pace.objects.update_or_create(workspace=workspace, channel=channel, sender=sender, defaults={"limit": limit})
    after = told(row, limit) | {name: "changed" for name in SENDERS[sender].options.secrets if options.get(name)}
    audit_log.record(workspace, "choose_sender", row, by=by, before=before, after=after)
    try_again(workspace, channel)
    return row


@transaction.atomic
def forget_choice(workspace: Workspace, channel: Channel, *, by: Actor | None) -> bool:
    """Write by the sender of the installation again, as before anybody chose; False if nobody had."""
    Workspace.objects.select_for_update(no_key=True).get(pk=workspace.pk)
    row = ChosenSender.objects.filter(workspace=workspace, channel=channel).first()
    if row is None:
        return False
    before = told(row, limit_of(workspace, channel, row.sender))
    audit_log.record(workspace, "forget_sender", row, by=by, before=before, after={})
    row.delete()
    try_again(workspace, channel)
    return True


def sealed(secrets: tuple[str, ...], options: Mapping[str, Any], old: Mapping[str, Any]) -> dict[str, Any]:
    """The options as they are stored: secrets encrypted, an empty one left out, one of None as it was."""
    kept = {name: value for name, value in options.items() if name not in secrets}
    for name in secrets:
        value = options.get(name, "")
        if value is None and old.get(name):
            kept[name] = old[name]
        elif value:
            kept[name] = seal(value)
    return kept


def told(row: ChosenSender, limit: float | None) -> dict[str, Any]:
    """What the audit log keeps of a choice: of a secret only that there is one."""
    secrets = SENDERS[row.sender].options.secrets if row.sender in SENDERS else tuple(row.options)
    options = {name: "hidden" if name in secrets else value for name, value in row.options.items()}
    names = {"sender": row.sender, "from_name": row.from_name, "from_address": row.from_address, "limit": limit}
    return names | options


def limit_of(workspace: Workspace, channel: int, sender: str) -> float | None:
    """Messages a second at most, or None."""
    paces = Pace.objects.filter(workspace=workspace, channel=channel, sender=sender)
    return paces.values_list("limit", flat=True).first()


def try_again(workspace: Workspace, channel: int) -> None:
    """What waits for a sender that could not be reached is tried now."""
    with connection.cursor() as cursor:
        cursor.execute(CLEAR, [workspace.pk, channel])
        if cursor.rowcount:
            cursor.execute(DUE_NOW, [workspace.pk, channel, Campaign.Status.SENDING])
    queue.ring()


def trouble_of(lane: Lane) -> str:
    """Why its sender cannot be reached, or nothing."""
    paces = Pace.objects.filter(workspace=lane.workspace, channel=lane.channel, sender=lane.sender)
    return paces.values_list("trouble", flat=True).first() or ""


@transaction.atomic
def begin_outage(workspace: Workspace, *, by: Actor | None) -> datetime:
    """Let the simulated provider of the workspace refuse everything for a while; returns until when."""
    until = timezone.now() + timedelta(seconds=OUTAGE_SECONDS)
    Outage.objects.update_or_create(workspace=workspace, defaults={"until": until})
    audit_log.record(workspace, "begin_outage", workspace, by=by, after={"until": until})
    return until


@transaction.atomic
def end_outage(workspace: Workspace, *, by: Actor | None) -> bool:
    """Let the simulated provider answer again at once; False if there was no outage."""
    ended, _ = Outage.objects.filter(workspace=workspace, until__gt=timezone.now()).delete()
    if ended:
        audit_log.record(workspace, "end_outage", workspace, by=by)
        for channel in Channel:
            if chosen_sender(workspace.pk, channel).sender == "simulated":
                try_again(workspace, channel)
    return bool(ended)


def outage_until(workspace: Workspace) -> datetime | None:
    """The end of the outage that is rehearsed now."""
    outages = Outage.objects.filter(workspace=workspace, until__gt=timezone.now())
    return outages.values_list("until", flat=True).first()
