"""Lists of people: those of a group, with a wish, reached on a channel, called so; a page of them at a time."""

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlencode

from django.db.models import Q, QuerySet

from accounts.models import Workspace
from people.channels import Channel
from people.consent import reached_on
from people.models import MEMBERSHIP, Group, Recipient
from people.search import LONGEST, PAGE, beginning_with, called, counted, number_in

COUNTED = 10_000  # of a list with filters
LOOKED_AT = 20_000  # people in one page's search for those who are reached on a channel: no index knows them
MATCHES = 1_000  # of each kind of beginning
# The word in the address, what it is called, and who is meant; an index keeps each of them at hand.
WISHES = {
    "out": ("Opted out", Q(opted_out=True)),
    "some": ("Refuse a channel", Q(opted_out=False) & ~Q(refused_channels=[])),
    "suppressed": ("On the suppression list", Q(email_suppressed=True) | Q(phone_suppressed=True)),
}


class NoSuchGroup(LookupError):
    """The workspace has no group of this number."""


@dataclass(frozen=True)
class Asked:
    """The filters as they stand in the address; what cannot be read filters nothing."""

    group: Group | None = None
    wish: str = ""
    channel: Channel | None = None
    words: str = ""

    @classmethod
    def of(cls, query: Mapping[str, str], workspace: Workspace) -> "Asked":
        """Raises NoSuchGroup: a list of everybody must not pass for a list of some."""
        return cls(
            group=_group(workspace, query.get("group", "")),
            wish=query["wish"] if query.get("wish") in WISHES else "",
            channel=Channel.__members__.get(query.get("channel", "").upper()),
            words=query.get("q", "").strip()[:LONGEST],
        )

    @property
    def query(self) -> str:
        """The same filters as part of an address."""
        values = {
            "q": self.words,
            "group": str(self.group.pk) if self.group else "",
            "wish": self.wish,
            "channel": self.channel.word if self.channel else "",
        }
        return urlencode({name: value for name, value in values.items() if value})

    @property
    def in_words(self) -> str:
        """in Customers, opted out, reached by email, found for “ann”; empty for everybody."""
        parts = [f"in {self.group}" if self.group else ""]
        parts.append(WISHES[self.wish][0].lower() if self.wish else "")
        parts.append(f"reached by {self.channel.label}" if self.channel else "")
        parts.append(f"found for “{self.words}”" if self.words else "")
        return ", ".join(filter(None, parts))

    def everybody(self, workspace: Workspace) -> QuerySet[Recipient]:
        """All of them, in no order, whatever it costs: for who goes through them chunk by chunk."""
        people = self._reached(self._among(workspace.recipients.all()))
        return called(people, self.words, workspace.region) if self.words else people

    def page(self, workspace: Workspace, *, before: int | None = None, after: int | None = None) -> "Page":
        """The newest below one id or the oldest above another, newest first."""
        people, is_cut = self._among(workspace.recipients.all()), False
        if self.words:
            ids, is_cut = beginning_with(people, self.words, MATCHES, workspace.region)
            people = workspace.recipients.filter(pk__in=ids)
        if after is not None and (page := self._newer(people, after, is_cut)):
            return page
        return self._older(people, before if after is None else None, is_cut)

    def count(self, workspace: Workspace, page: "Page") -> str:
        """How many, in words; empty where counting would take longer than anybody waits."""
        if not (page.newer or page.older or page.is_cut):
            return str(len(page.people))
        if self.words or self.channel:
            return ""
        if self.group and not self.wish:
            return counted(MEMBERSHIP.objects.filter(group=self.group))
        return counted(self._among(workspace.recipients.all()), COUNTED if self.wish else None)

    def _among(self, people: QuerySet[Recipient]) -> QuerySet[Recipient]:
        if self.group:
            people = people.filter(groups=self.group)
        return people.filter(WISHES[self.wish][1]) if self.wish else people

    def _reached(self, people: QuerySet[Recipient]) -> QuerySet[Recipient]:
        return people.filter(reached_on(self.channel)) if self.channel else people

    def _older(self, people: QuerySet[Recipient], before: int | None, is_cut: bool) -> "Page":
        """Those below an id, or the newest of all."""
        if before is not None:
            people = people.filter(pk__lt=before)
        lowest = self._last_looked_at(people.order_by("-pk"))
        if lowest is not None:
            people = people.filter(pk__gte=lowest)
        found = list(self._reached(people).order_by("-pk")[: PAGE + 1])
        newer = None if before is None else found[0].pk if found else before - 1
        return Page(found[:PAGE], newer, found[PAGE - 1].pk if len(found) > PAGE else lowest, is_cut)

    def _newer(self, people: QuerySet[Recipient], after: int, is_cut: bool) -> "Page | None":
        """Those above an id; None where the first page begins, which is a whole one."""
        people = people.filter(pk__gt=after)
        highest = self._last_looked_at(people.order_by("pk"))
        if highest is not None:
            people = people.filter(pk__lte=highest)
        found = list(self._reached(people).order_by("pk")[: PAGE + 1])
        newer = found[PAGE - 1].pk if len(found) > PAGE else highest
        shown = found[:PAGE][::-1]
        return Page(shown, newer, shown[-1].pk if shown else after + 1, is_cut) if newer else None

    @property
    def looked_at(self) -> int:
        """How many people one page looks at where it is far."""
        return LOOKED_AT

    @property
    def is_far(self) -> bool:
        """Whether no index knows who is meant, so that the next of them may be a million people away."""
        return bool(self.channel)

    def _last_looked_at(self, people: QuerySet[Recipient]) -> int | None:
        """Where the search for one page ends; None if it may go over all of them."""
        if not self.is_far or self.words:
            return None
        return people.values_list("pk", flat=True)[self.looked_at : self.looked_at + 1].first()


@dataclass(frozen=True)
class Page:
    """Some people, newest first; `newer` and `older` are the ids after and before which the next pages stand."""

    people: list[Recipient]
    newer: int | None
    older: int | None
    is_cut: bool = False  # more were found than were looked at


def _group(workspace: Workspace, asked: str) -> Group | None:
    if not asked:
        return None
    group = workspace.groups.filter(pk=number_in(asked) or 0).first()
    if group is None:
        raise NoSuchGroup(asked)
    return group
