"""A place in the campaign list: which kinds, which filter, which page; one for page, polls and socket."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from urllib.parse import urlencode

from django.db.models import Count, Q, QuerySet

from accounts.access import UNPRINTABLE
from accounts.models import Workspace
from campaigns.models import Campaign
from dispatcher.chips import Chip
from people.channels import Channel

Status = Campaign.Status
SIZE = 24

SHOWN: dict[str, tuple[str, tuple[Status, ...]]] = {
    "": ("All", tuple(Status)),
    "drafts": ("Drafts", (Status.DRAFT,)),
    "scheduled": ("Scheduled", (Status.SCHEDULED,)),
    "sending": ("Sending", (Status.PREPARING, Status.SENDING, Status.PAUSED)),
    "finished": ("Finished", (Status.SENT, Status.FAILED, Status.CANCELLED)),
    "archived": ("Archived", (Status.SENT, Status.FAILED, Status.CANCELLED)),
}
STATUSES = {status.label: status for status in Status}
CHANNELS = {channel.word: channel for channel in Channel}
LONGEST_WORDS = 100


@dataclass(frozen=True)
class Place:
    """One page of the list: which campaigns are shown, and those older than which."""

    show: str = ""
    before: int = 0
    status: str = ""
    channel: str = ""
    words: str = ""

    @classmethod
    def asked(cls, query: Mapping[str, str]) -> "Place":
        """What a query string asks for; what cannot be read asks for everything."""
        before = query.get("before", "")
        # A socket's address does not pass the gate that refuses what PostgreSQL cannot store.
        words = UNPRINTABLE.sub(" ", query.get("q", ""))
        return cls(
            show=one_of(SHOWN, query.get("show", "")),
            before=int(before) if before.isdecimal() and len(before) < 19 else 0,
            status=one_of(STATUSES, query.get("status", "")),
            channel=one_of(CHANNELS, query.get("channel", "")),
            words=words.strip()[:LONGEST_WORDS].strip(),
        )

    @property
    def address(self) -> str:
        asked = {
            "show": self.show,
            "status": self.status,
            "channel": self.channel,
            "q": self.words,
            "before": str(self.before or ""),
        }
        return urlencode({name: value for name, value in asked.items() if value})

    @property
    def newest(self) -> str:
        """The query string of the first page."""
        return replace(self, before=0).address

    @property
    def unfiltered(self) -> str:
        """The query string of all of this kind."""
        return Place(self.show).address

    @property
    def is_filtered(self) -> bool:
        return bool(self.status or self.channel or self.words)

    @property
    def is_archive(self) -> bool:
        return self.show == "archived"

    @property
    def described(self) -> str:
        """What is asked for, in words: paused · SMS · “spring” in name or subject."""
        kind = SHOWN[self.show][0].lower() if self.show else ""
        channel = CHANNELS[self.channel].label if self.channel else ""
        words = f"“{self.words}” in name or subject" if self.words else ""
        return " · ".join(part for part in (kind, self.status, channel, words) if part)

    def older(self, campaigns: list[Campaign]) -> str:
        """The query string of the page after these."""
        return replace(self, before=campaigns[-1].pk).address

    def filtered(self, workspace: Workspace) -> QuerySet[Campaign]:
        """Those of every kind that fit the status, the channel and the words."""
        found = workspace.campaigns.all()
        if self.status:
            found = found.filter(status=STATUSES[self.status])
        if self.channel:
            found = found.filter(channel=CHANNELS[self.channel])
        if self.words:
            found = found.filter(Q(name__icontains=self.words) | Q(subject__icontains=self.words))
        return found

    def campaigns(self, workspace: Workspace) -> QuerySet[Campaign]:
        """The campaigns of this page and the first of the next, newest first."""
        found = self.filtered(workspace).filter(archived_at__isnull=not self.is_archive)
        if self.show and not self.is_archive:
            found = found.filter(status__in=SHOWN[self.show][1])
        if self.before:
            found = found.filter(pk__lt=self.before)
        return found.select_related("series").order_by("-pk")[: SIZE + 1]


def one_of(known: Mapping[str, object], word: str) -> str:
    return word if word in known else ""


def chips_of(workspace: Workspace, place: Place) -> list[Chip]:
    """The kinds there are, with their counts under the other filters, in one query."""
    is_away = Q(archived_at__isnull=False)
    rows = place.filtered(workspace).order_by().values("status")
    counts = {row["status"]: row for row in rows.annotate(n=Count("pk"), away=Count("pk", filter=is_away))}

    def count(key: str, statuses: tuple[Status, ...]) -> int:
        found = [counts[status] for status in statuses if status in counts]
        return sum(row["away"] if key == "archived" else row["n"] - row["away"] for row in found)

    return [
        Chip(words, count(key, statuses), replace(place, show=key, before=0).address, key == place.show)
        for key, (words, statuses) in SHOWN.items()
    ]
