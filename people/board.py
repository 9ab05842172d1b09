"""Several groups side by side, with the newest of their people, to be moved between them."""

from dataclasses import dataclass
from typing import Any

from accounts.models import Workspace
from people.models import MEMBERSHIP, Group, Recipient
from people.search import counted, number_in

AT_FIRST = 3  # groups shown before any were chosen
AT_MOST = 6
PEOPLE = 50
GROUPS_LISTED = 500


@dataclass(frozen=True)
class Column:
    """A group with the newest of its people."""

    group: Group
    people: list[Recipient]
    count: str

    @property
    def has_more(self) -> bool:
        return len(self.people) == PEOPLE


@dataclass(frozen=True)
class Board:
    """The columns, and all groups with whether each is shown."""

    columns: list[Column]
    groups: list[tuple[Group, bool]]

    @classmethod
    def of(cls, workspace: Workspace, query: Any) -> "Board":
        groups = list(workspace.groups.all()[:GROUPS_LISTED])
        wanted = {number_in(typed) for typed in query.getlist("show")}
        shown = [group for group in groups if group.pk in wanted][:AT_MOST] or groups[:AT_FIRST]
        return cls([column_of(group) for group in shown], [(group, group in shown) for group in groups])


def column_of(group: Group) -> Column:
    newest = list(group.recipients.order_by("-pk")[:PEOPLE])
    return Column(group, newest, counted(MEMBERSHIP.objects.filter(group=group)))
