"""The people of a group, or all others, as filters leave them: listed, and marked to be changed together."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, cast
from urllib.parse import urlencode

from django.db.models import Exists, OuterRef, QuerySet

from accounts.models import Workspace
from people.listing import Asked, Page
from people.models import MEMBERSHIP, Group, Recipient, Segment
from people.patience import counted_in_time
from people.search import LONGEST, number_in
from people.segments import described_by

LOOKED_AT = 10_000  # fewer than of a channel: each is asked for among the members, or by a whole segment


class NoSuchSegment(LookupError):
    """The workspace has no segment of this number."""


@dataclass(frozen=True)
class Members(Asked):
    """Those in the group or, `outside`, those who are not; who fit a segment; called so."""

    segment: Segment | None = None
    outside: bool = False

    @classmethod
    def around(cls, group: Group, query: Mapping[str, str], *, outside: bool | None = None) -> "Members":
        """As the query says; it need not say on which side of the group, where that is known. Raises NoSuchSegment."""
        return cls(
            group=group,
            words=query.get("q", "").strip()[:LONGEST],
            segment=_segment(group.workspace, query.get("segment", "")),
            outside=query.get("who") == "outside" if outside is None else outside,
        )

    @property
    def query(self) -> str:
        values: dict[str, Any] = {"who": "outside" if self.outside else "", "q": self.words}
        values["segment"] = self.segment.pk if self.segment else ""
        return urlencode({name: value for name, value in values.items() if value})

    @property
    def is_filtered(self) -> bool:
        return bool(self.words or self.segment)

    @property
    def looked_at(self) -> int:
        return LOOKED_AT

    @property
    def is_far(self) -> bool:
        return self.outside or self.segment is not None

    def _among(self, people: QuerySet[Recipient]) -> QuerySet[Recipient]:
        return people if self.outside else people.filter(self._inside())

    def _reached(self, people: QuerySet[Recipient]) -> QuerySet[Recipient]:
        if self.outside:
            people = people.exclude(self._inside())
        if self.segment:
            people = people.filter(described_by([self.segment], self.segment.workspace, None))
        return people

    def _inside(self) -> Exists:
        return Exists(MEMBERSHIP.objects.filter(group=self.group, recipient=OuterRef("pk")))

    def count(self, workspace: Workspace, page: Page) -> str:
        if not (page.newer or page.older or page.is_cut):
            return str(len(page.people))
        if self.is_far and workspace.recipients.order_by("pk").values("pk")[LOOKED_AT:].exists():
            return ""
        return counted_in_time(self.everybody(workspace))


def _segment(workspace: Workspace, asked: str) -> Segment | None:
    if not asked:
        return None
    segment = workspace.segments.filter(pk=number_in(asked) or 0).first()
    if segment is None:  # without it everybody would be meant
        raise NoSuchSegment(asked)
    return segment


@dataclass(frozen=True)
class Marked:
    """Those somebody marked one by one, or all that the filters leave."""

    members: Members
    everybody: bool = False
    ids: list[int] = field(default_factory=list)

    @classmethod
    def of(cls, members: Members, post: Any) -> "Marked":
        numbers = [number_in(typed) for typed in post.getlist("people")]
        return cls(members, post.get("all") == "1", [number for number in numbers if number])

    @property
    def people(self) -> QuerySet[Recipient]:
        """Of those marked one by one too, only who is still where the filters look."""
        people = self.members.everybody(cast(Group, self.members.group).workspace)
        return people if self.everybody else people.filter(pk__in=self.ids)
