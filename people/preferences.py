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
    """On which channels, and of which groups, somebody wants to hear."""

    channels: frozenset[Channel]
    groups: frozenset[int]

    @classmethod
    def typed(cls, channels: Iterable[str], groups: Iterable[str]) -> "Wanted":
        """As a form says it; what nobody offered is not read."""
        words = {channel.word: channel for channel in Channel}
        numbers = frozenset(int(each) for each in groups if each.isascii() and each.isdecimal() and len(each) < 19)
        return cls(frozenset(words[each] for each in channels if each in words), numbers)


def channels_of(person: Recipient) -> list[Channel]:
    """On which the person has an address."""
    return [channel for channel in Channel if getattr(person, channel.address_field)]


def groups_shown_to(person: Recipient) -> QuerySet[Group]:
    """Those marked as shown to their people that the person is in, or has left."""
    ours = Q(pk__in=person.groups.values("pk")) | Q(pk__in=person.left_groups.values("group"))
    return Group.objects.filter(ours, workspace=person.workspace_id, is_public=True)


def wanted_by(person: Recipient) -> Wanted:
    """What holds now."""
    channels = frozenset(channel for channel in channels_of(person) if not person.refuses(channel))
    left = set(person.left_groups.values_list("group", flat=True))
    return Wanted(channels, frozenset(pk for pk in groups_shown_to(person).values_list("pk", flat=True)) - left)


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
    before = wanted_by(person)
    told: dict[str, Any] = {"how": how, "by": None, "evidence": evidence}
    changed = False
    for group in groups_shown_to(person).order_by("pk"):  # held before the person, as everybody does
        if group.pk in wanted.groups and group.pk not in before.groups:
            changed |= consent.rejoin_group(person, group, **told)
        elif group.pk not in wanted.groups and group.pk in before.groups:
            changed |= consent.leave_group(person, group, **told)
    for channel in channels_of(person):
        if channel in wanted.channels and channel not in before.channels:
            changed |= consent.opt_in(person, channel=channel, **told)
        elif channel not in wanted.channels and channel in before.channels:
            changed |= consent.opt_out(person, channel=channel, reason=reason, **told)
    return changed


def veiled(address: str) -> str:
    """Enough of an address for its owner to know it: a forwarded link tells nobody else."""
    local, at, domain = address.rpartition("@")
    return f"{local[:1]}…@{domain}" if at else f"{address[:4]}…{address[-2:]}"
