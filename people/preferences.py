"""What somebody wants to hear, as they say it themselves on the page a link leads to."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.db.models import Q, QuerySet

from people import consent
from people.channels import Channel
from people.models import ConsentEvent, Group, Recipient


@dataclass(frozen=True)
class Wanted:
    """On which channels, and of which groups, somebody wants to hear; `nothing` is said of all there may ever be."""

    channels: frozenset[Channel]
    groups: frozenset[int]
    nothing: bool = False

    @classmethod
    def typed(cls, channels: Iterable[str], groups: Iterable[str], *, nothing: bool = False) -> "Wanted":
        """As a form says it; what nobody offered is not read."""
        words = {channel.word: channel for channel in Channel}
        numbers = frozenset(int(each) for each in groups if each.isascii() and each.isdecimal() and len(each) < 19)
        return cls(frozenset(words[each] for each in channels if each in words), numbers, nothing)


def channels_of(person: Recipient) -> list[Channel]:
    """On which the person has an address."""
    return [channel for channel in Channel if getattr(person, channel.address_field)]


def groups_shown_to(person: Recipient) -> QuerySet[Group]:
    """Those marked as shown to their people that the person is in, or has left."""
    ours = Q(pk__in=person.groups.values("pk")) | Q(pk__in=person.left_groups.values("group"))
    return Group.objects.filter(ours, workspace=person.workspace_id, is_public=True)


def wanted_by(person: Recipient) -> Wanted:
    """What holds now, on the channels also on which the person has no address."""
    channels = frozenset(channel for channel in Channel if not person.refuses(channel))
    left = set(person.left_groups.values_list("group", flat=True))
    groups = frozenset(groups_shown_to(person).values_list("pk", flat=True)) - left
    return Wanted(channels, groups, nothing=person.opted_out)


@transaction.atomic
def choose(
    person: Recipient,
    wanted: Wanted,
    *,
    how: ConsentEvent.How,
    reason: str = "",
    evidence: dict[str, Any] | None = None,
) -> bool:
    """Do as the person says, and note each wish that is another than before; returns whether any was."""
    told: dict[str, Any] = {"how": how, "by": None, "evidence": evidence}
    changed = _choose_groups(person, wanted, **told)
    for channel in channels_of(person):
        if channel in wanted.channels:
            changed |= consent.opt_in(person, channel=channel, **told)
        else:
            changed |= consent.opt_out(person, channel=channel, reason=reason, **told)
    return changed


@transaction.atomic
def put_back(
    person: Recipient, before: Wanted, *, how: ConsentEvent.How, evidence: dict[str, Any] | None = None
) -> None:
    """Let hold again what held before somebody pressed the wrong button, and note each wish it takes."""
    told: dict[str, Any] = {"how": how, "by": None, "evidence": evidence}
    _choose_groups(person, before, **told)
    if before.nothing:
        consent.opt_out(person, **told)
    elif before.channels == frozenset(Channel):
        consent.opt_in(person, **told)
    else:
        for channel in Channel:
            (consent.opt_in if channel in before.channels else consent.opt_out)(person, channel=channel, **told)


def _choose_groups(person: Recipient, wanted: Wanted, **told: Any) -> bool:
    """To be done before the channels: groups are held before people, by everybody."""
    before, changed = wanted_by(person), False
    for group in groups_shown_to(person).order_by("pk"):
        if group.pk in wanted.groups and group.pk not in before.groups:
            changed |= consent.rejoin_group(person, group, **told)
        elif group.pk not in wanted.groups and group.pk in before.groups:
            changed |= consent.leave_group(person, group, **told)
    return changed


def veiled(address: str) -> str:
    """Enough of an address for its owner to know it: a forwarded link tells nobody else."""
    local, at, domain = address.rpartition("@")
    return f"{local[:1]}…@{domain}" if at else f"{address[:4]}…{address[-2:]}"
