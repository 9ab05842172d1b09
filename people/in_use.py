"""What a campaign still to be sent chooses its people by cannot be taken away from under it."""

from collections.abc import Collection, Iterable, Iterator
from typing import Any

from people.models import Group, Segment
from people.segment_rules import rules_in

UNDECIDED = ("draft", "scheduled", "preparing")  # a campaign whose people are not all frozen yet
BEING_FROZEN = ("preparing",)


def campaign_using(row: Any, statuses: Collection[str] = UNDECIDED) -> str:
    """The campaign “Spring”, in one of these statuses for the people of this group or segment, or without them.

    Of those still to be sent it may be a series, whose next campaign is yet to be made. Empty if there is none.
    """
    campaigns = (each for some in (row.campaigns, row.excluded_from) for each in some.all())
    found = (f"The campaign “{each}”" for each in campaigns if each.get_status_display() in statuses)
    return next(found, "") or (_series_using(row) if statuses == UNDECIDED else "")


def _series_using(row: Any) -> str:
    going_on = (each for some in (row.series, row.series_without) for each in some.filter(ended_at=None))
    return next((f"The series “{each}”" for each in going_on), "")


def segments_asking_for(group: Group) -> Iterator[Segment]:
    """The segments that ask who is in this group."""
    return (segment for segment in group.workspace.segments.all() if group.pk in groups_asked_by([segment]))


def groups_asked_by(segments: Iterable[Segment]) -> set[int]:
    """The groups these segments ask for, by their ids."""
    blocks = (block for segment in segments for block in rules_in(segment.rules).blocks)
    return {int(rule.value) for block in blocks for rule in block.rules if rule.field == "group" and rule.value}
