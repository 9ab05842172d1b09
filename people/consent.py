"""Wishes: an event for each as it came, and what follows from them kept on the person in the same transaction."""

from typing import Any

from django.db import transaction
from django.db.models import Q

from accounts import audit_log
from accounts.models import Actor, User
from people.channels import Channel
from people.held import hold_groups
from people.models import ConsentEvent, Group, LeftGroup, Recipient

Wish, How = ConsentEvent.Wish, ConsentEvent.How


@transaction.atomic
def opt_out(
    person: Recipient,
    *,
    how: ConsentEvent.How,
    by: Actor | None,
    channel: Channel | None = None,
    reason: str = "",
    evidence: dict[str, Any] | None = None,
) -> bool:
    """Write to this person no more, on one channel or on any; returns False if that was so already.

    Messages that wait are skipped when their turn comes: every hand-over asks again.
    """
    now = Recipient.objects.select_for_update(no_key=True).get(pk=person.pk)
    refused = set(now.refused_channels)
    if now.opted_out or channel in refused:
        return False
    if channel is None:
        now.opted_out = True
    else:
        now.refused_channels = sorted(refused | {channel})
    _keep(person, now, Wish.OUT, channel, how=how, by=by, reason=reason, evidence=evidence)
    return True


@transaction.atomic
def opt_in(
    person: Recipient,
    *,
    how: ConsentEvent.How,
    by: Actor | None,
    channel: Channel | None = None,
    reason: str = "",
    evidence: dict[str, Any] | None = None,
) -> bool:
    """Write to this person again, on one channel or on all; returns False if that was so already.

    Of somebody who wanted nothing at all, the other channels stay refused.
    """
    now = Recipient.objects.select_for_update(no_key=True).get(pk=person.pk)
    refused = set(Channel) if now.opted_out else set(map(Channel, now.refused_channels))
    wanted = set(Channel) if channel is None else {channel}
    if not refused & wanted:
        return False
    now.opted_out, now.refused_channels = False, sorted(refused - wanted)
    _keep(person, now, Wish.IN, channel, how=how, by=by, reason=reason, evidence=evidence)
    return True


@transaction.atomic
def leave_group(
    person: Recipient,
    group: Group,
    *,
    how: ConsentEvent.How,
    by: Actor | None,
    evidence: dict[str, Any] | None = None,
) -> bool:
    """Take the person out of the group by their own wish, so that nobody puts them into it again."""
    # Whoever puts people into it just now holds it too: we wait, and take out whom they put in.
    hold_groups([group.pk])
    if not _is_here(person):
        return False
    _, is_new = LeftGroup.objects.get_or_create(recipient=person, group=group)
    person.groups.remove(group)
    if is_new:
        note(person, Wish.OUT, how=how, by=by, group=group, evidence=evidence)
    return is_new


@transaction.atomic
def rejoin_group(
    person: Recipient,
    group: Group,
    *,
    how: ConsentEvent.How,
    by: Actor | None,
    evidence: dict[str, Any] | None = None,
) -> bool:
    """Put the person into a group they had left, by their own wish."""
    hold_groups([group.pk])
    if not _is_here(person):
        return False
    was_left, _ = LeftGroup.objects.filter(recipient=person, group=group).delete()
    person.groups.add(group)
    if was_left:
        note(person, Wish.IN, how=how, by=by, group=group, evidence=evidence)
    return bool(was_left)


def _is_here(person: Recipient) -> bool:
    """Nobody removes them before this is over; they may have been, since they were looked up."""
    return bool(Recipient.objects.select_for_update(no_key=True).filter(pk=person.pk).values_list("pk").first())


def note(
    person: Recipient,
    wish: ConsentEvent.Wish,
    *,
    how: ConsentEvent.How,
    by: Actor | None,
    channel: Channel | None = None,
    group: Group | None = None,
    reason: str = "",
    evidence: dict[str, Any] | None = None,
) -> None:
    """Append an event; whoever calls changes what follows from it."""
    who = {"by": by} if isinstance(by, User) else {"key": by}
    ConsentEvent.objects.create(
        workspace_id=person.workspace_id,
        recipient=person,
        wish=wish,
        channel=channel,
        group=group,
        is_about_a_group=group is not None,
        how=how,
        reason=reason[:300],
        evidence=evidence or {},
        **who,
    )


def _keep(
    person: Recipient, now: Recipient, wish: ConsentEvent.Wish, channel: Channel | None, *, by: Actor | None, **told
) -> None:
    before = audit_log.fields_of(person, ("opted_out", "refused_channels"))
    now.save(update_fields=["opted_out", "refused_channels", "updated_at"])
    person.opted_out, person.refused_channels = now.opted_out, now.refused_channels
    note(person, wish, channel=channel, by=by, **told)
    if by:  # what people do themselves stands in the events alone
        after = audit_log.fields_of(now, ("opted_out", "refused_channels"))
        audit_log.record(person.workspace, f"opt_{wish.name.lower()}", person, by=by, before=before, after=after)


def refuses(channel: Channel) -> Q:
    """Who wants nothing on this channel."""
    return Q(opted_out=True) | Q(refused_channels__contains=[channel])


def has_refused(person: Recipient, address_field: str) -> bool:
    """Whether they want nothing at this address, on one of its channels or on any."""
    return any(person.refuses(channel) for channel in Channel if channel.address_field == address_field)


def reached_on(channel: Channel) -> Q:
    """Who has an address of this channel, and nothing in the way of using it."""
    return ~refuses(channel) & ~Q(**{channel.address_field: ""}) & Q(**{channel.suppressed_field: False})
