"""Making, changing and deleting segments, and finding whom they describe."""

from collections.abc import Collection, Iterable
from datetime import datetime
from functools import reduce
from operator import or_
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from accounts import audit_log
from accounts.models import Actor, Workspace
from accounts.veil import without_addresses
from people.in_use import BEING_FROZEN, UNDECIDED, campaign_using
from people.models import Segment
from people.plain import NotPlain, plain
from people.segment_fields import Asking, fields_of
from people.segment_rules import Rules, rules_in

# Real conditions: of one that Django knows to be empty it writes no SQL at all, which freezing needs.
NOBODY = Q(pk__lt=0)
EVERYBODY = Q(pk__gte=0)


class DuplicateSegment(Exception):
    """The workspace has a segment of this name already."""


class SegmentInUse(Exception):
    """A campaign that is still to be sent chooses its people by this segment; the message names it."""


class InvalidRules(Exception):
    """The rules cannot be asked; the message says why."""


class BrokenSegment(Exception):
    """What the segment asks for is not there any more; the message names both."""


def checked_name(name: str) -> str:
    """The name as it is stored. Raises NotPlain with a sentence."""
    name = plain(name, "The name", at_most=100, field="name")
    if not name:
        raise NotPlain("A segment needs a name.", "name")
    return name


def refuse_faulty(workspace: Workspace, rules: Rules) -> None:
    """Raises InvalidRules."""
    if faults := rules.faults(Asking(workspace, timezone.now()), fields_of(workspace)):
        raise InvalidRules(" ".join(faults))


@transaction.atomic
def add_segment(workspace: Workspace, *, by: Actor | None, name: str, rules: Rules) -> Segment:
    """A new segment. Raises NotPlain, InvalidRules or DuplicateSegment."""
    refuse_faulty(workspace, rules)
    segment = Segment(workspace=workspace, name=checked_name(name), rules=rules.as_json())
    _write(segment, force_insert=True)
    audit_log.record(workspace, "create", segment, by=by, after=_told(segment))
    return segment


@transaction.atomic
def change_segment(segment: Segment, *, by: Actor | None, name: str, rules: Rules) -> None:
    """Rename it and describe others. Raises NotPlain, InvalidRules, DuplicateSegment, or SegmentInUse.

    The last while a campaign to it is being prepared: the first half would be chosen by the old rules.
    """
    segment = _held(segment)
    refuse_faulty(segment.workspace, rules)
    if rules != rules_in(segment.rules):
        _refuse_in_use(segment, BEING_FROZEN, "is being prepared for")
    before, are_others = _told(segment), rules != rules_in(segment.rules)
    segment.name, segment.rules = checked_name(name), rules.as_json()
    _write(segment, update_fields=["name", "rules", "updated_at"])
    after = _told(segment)
    if are_others and after["people"] == before["people"]:
        after["people"] += ", another address"
    audit_log.record(segment.workspace, "update", segment, by=by, before=before, after=after)


@transaction.atomic
def duplicate_segment(segment: Segment, *, by: Actor | None) -> Segment:
    """A new one with the same rules, under a name that is free."""
    taken = {name.lower() for name in segment.workspace.segments.values_list("name", flat=True)}
    names = (f"Copy{f' {n}' if n > 1 else ''} of {segment.name}"[:100] for n in range(1, len(taken) + 2))
    name = next(each for each in names if each.lower() not in taken)
    copy = Segment(workspace=segment.workspace, name=name, rules=segment.rules)
    _write(copy, force_insert=True)
    audit_log.record(segment.workspace, "duplicate", copy, by=by, after={"copy of": segment.pk, "name": name})
    return copy


@transaction.atomic
def delete_segment(segment: Segment, *, by: Actor | None) -> None:
    """Forget the description; the people stay. Raises SegmentInUse."""
    segment = _held(segment)
    _refuse_in_use(segment, UNDECIDED, "still uses")
    audit_log.record(segment.workspace, "delete", segment, by=by, before=_told(segment))
    segment.delete()


def _held(segment: Segment) -> Segment:
    """As it is now, held until the end of the transaction: a launch that uses it waits, or is waited for."""
    return Segment.objects.select_for_update(of=("self",)).select_related("workspace").get(pk=segment.pk)


def hold(segments: QuerySet[Segment]) -> None:
    """Let nobody change these before the end of the transaction."""
    list(segments.order_by("pk").select_for_update(of=("self",), no_key=True))


def _refuse_in_use(segment: Segment, statuses: Collection[str], verb: str) -> None:
    if campaign := campaign_using(segment, statuses):
        raise SegmentInUse(f"{campaign} {verb} “{segment}”.")


def _write(segment: Segment, **how: Any) -> None:
    try:
        with transaction.atomic():
            segment.save(**how)
    except IntegrityError as error:
        if "segment_name_once" not in str(error):
            raise
        raise DuplicateSegment(f"There is a segment called “{segment.name}” already.") from None


def _told(segment: Segment) -> dict[str, Any]:
    # The log outlives the erasure of a person whose address a rule may hold.
    told = _sentence(segment, rules_in(segment.rules).without("email", "phone"))
    return {"name": segment.name, "people": without_addresses(told)}


def sentence_of(segment: Segment) -> str:
    """Whom it describes: People whose location is “Nairobi”."""
    return _sentence(segment, rules_in(segment.rules))


def _sentence(segment: Segment, rules: Rules) -> str:
    return rules.sentence(Asking(segment.workspace, timezone.now()), fields_of(segment.workspace))


def faults_of(segment: Segment) -> list[str]:
    """What it asks for and cannot be asked any more, each thing in a sentence."""
    asking = Asking(segment.workspace, timezone.now())
    return rules_in(segment.rules).faults(asking, fields_of(segment.workspace))


def refuse_broken(segments: Iterable[Segment]) -> None:
    """Raises BrokenSegment for the first of them that cannot be asked."""
    for segment in segments:
        if faults := faults_of(segment):
            raise BrokenSegment(f"The segment “{segment}” cannot be used. {' '.join(faults)}")


def described_by(
    segments: Iterable[Segment], workspace: Workspace, now: datetime | None, *, if_broken: Q = NOBODY
) -> Q:
    """Whoever fits one of these segments; `if_broken` stands for one that cannot be asked any more."""
    asking, fields = Asking(workspace, now or timezone.now()), fields_of(workspace)
    parts = []
    for segment in segments:
        rules = rules_in(segment.rules)
        parts.append(if_broken if rules.faults(asking, fields) else rules.matching(asking, fields))
    return reduce(or_, parts, NOBODY)
