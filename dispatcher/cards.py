"""The cards of the campaign list: a page of campaigns, each in five lines, in a fixed number of queries."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db.models import Count, F, Sum
from django.utils import timezone

from campaigns.models import Campaign, Recurrence, StatusChange, audience_in_words
from dispatcher.books import Books, books_of_many
from dispatcher.models import Settlement
from dispatcher.picture import LATELY
from dispatcher.recurring import SKIPPED
from dispatcher.why import standstills
from dispatcher.words import Measure, about, capital, measure, moment, people, priority_words, shares, standing, starts

Status = Campaign.Status


@dataclass(frozen=True)
class Card:
    """What the list says of one campaign."""

    id: str
    name: str
    status: str
    words: str
    channel: str
    whom: str
    line: str
    books: Books
    shares: list[tuple[str, str]]
    measure: Measure
    priority: str = ""
    series: str = ""


def cards_of(campaigns: list[Campaign]) -> list[Card]:
    """The cards of these campaigns, in their order."""
    books = books_of_many([campaign.pk for campaign in campaigns])
    audiences = Audiences([campaign for campaign in campaigns if not books[campaign.pk].total])
    lines = Lines(campaigns, books)
    return [
        Card(
            id=str(campaign.pk),
            name=campaign.name,
            status=campaign.get_status_display(),
            words=standing(campaign, books[campaign.pk]),
            channel=capital(campaign.get_channel_display()),
            whom=people(books[campaign.pk].total) if books[campaign.pk].total else audiences.words(campaign),
            line=lines.line(campaign),
            books=books[campaign.pk],
            shares=shares(books[campaign.pk]),
            measure=measure(campaign, books[campaign.pk]),
            priority=priority_words(campaign),
            series=series_words(campaign.series),
        )
        for campaign in campaigns
    ]


def series_words(series: Recurrence | None) -> str:
    if series is None:
        return ""
    return "of a series that has ended" if series.ended_at else series.rule.words


class Audiences:
    """Whom campaigns that are not launched yet are for, in words; six queries for all of them."""

    def __init__(self, campaigns: list[Campaign]) -> None:
        self.ids = [campaign.pk for campaign in campaigns]
        self.sets = self.named(Campaign.groups, Campaign.segments)
        self.without = self.named(Campaign.excluded_groups, Campaign.excluded_segments)
        self.picked, self.excluded = self.counted(Campaign.picked), self.counted(Campaign.excluded)

    def named(self, *kinds: Any) -> dict[int, list[str]]:
        found: dict[int, list[str]] = {}
        for sets in kinds:
            name_of = f"{sets.field.m2m_reverse_field_name()}__name"
            links = sets.through.objects.filter(campaign__in=self.ids).order_by(name_of)
            for pk, name in links.values_list("campaign", name_of):
                found.setdefault(pk, []).append(name)
        return found

    def counted(self, people: Any) -> dict[int, int]:
        links = people.through.objects.filter(campaign__in=self.ids)
        return dict(links.values_list("campaign").annotate(n=Count("pk")))

    def words(self, campaign: Campaign) -> str:
        pk = campaign.pk
        sets, picked = self.sets.get(pk, []), self.picked.get(pk, 0)
        return audience_in_words(campaign.everyone, sets, picked, self.without.get(pk, []), self.excluded.get(pk, 0))


class Lines:
    """The one line that matters of each campaign; a fixed number of queries for all of them."""

    def __init__(self, campaigns: list[Campaign], books: dict[int, Books]) -> None:
        self.books, self.now = books, timezone.now()
        stopped = [c.pk for c in campaigns if c.status in (Status.PAUSED, Status.CANCELLED, Status.DRAFT)]
        moves = StatusChange.objects.exclude(from_status=F("to_status"))
        changes = moves.filter(campaign__in=stopped).select_related("by", "key")
        last = changes.order_by("campaign", "-id").distinct("campaign")
        self.last = {change.campaign_id: change for change in last}
        sending = [c.pk for c in campaigns if c.status == Status.SENDING]
        since = self.now - timedelta(seconds=LATELY)
        lately = Settlement.objects.filter(campaign__in=sending, at__gt=since)
        self.settled = dict(lately.values_list("campaign").annotate(n=Sum("settled")))
        self.standstills = standstills(campaigns)

    def line(self, campaign: Campaign) -> str:
        books = self.books[campaign.pk]
        if standstill := self.standstills.get(campaign.pk):
            return f"{books.percent}% · {standstill}" if books.total else standstill
        return LINES[Status(campaign.status)](self, campaign, books)

    def draft(self, campaign: Campaign, books: Books) -> str:
        back = self.last.get(campaign.pk)
        if back and back.from_status and back.reason:
            return f"Not sent: {back.reason}"
        return f"Edited {moment(campaign.updated_at, self.now)}"

    def scheduled(self, campaign: Campaign, books: Books) -> str:
        return f"Starts {starts(campaign, self.now)}"

    def preparing(self, campaign: Campaign, books: Books) -> str:
        if campaign.held_until and books.total:
            return f"Starts at {moment(campaign.held_until, self.now)}, unless it is undone"
        return "Preparing the list of people"

    def sending(self, campaign: Campaign, books: Books) -> str:
        line = f"{books.percent}% · {outcome(books)}"
        speed = self.settled.get(campaign.pk, 0) / LATELY
        if not speed:
            return line
        done_at = self.now + timedelta(seconds=min(books.pending / speed, 30 * 86_400))
        return f"{line} · done about {about(done_at, self.now)}"

    def paused(self, campaign: Campaign, books: Books) -> str:
        change = self.last.get(campaign.pk)
        who = (f" by {change.actor}" if change.actor else " by itself") if change else ""
        at = f" at {moment(change.at, self.now)}" if change else ""
        return f"{books.percent}% · paused{who}{at}"

    def over(self, campaign: Campaign, books: Books) -> str:
        ended = campaign.finished_at
        return f"{outcome(books)} · {moment(ended, self.now)}" if ended else outcome(books)

    def failed(self, campaign: Campaign, books: Books) -> str:
        return f"None of {books.total:,} was sent · see why"

    def cancelled(self, campaign: Campaign, books: Books) -> str:
        if not books.total:
            change = self.last.get(campaign.pk)
            if change and change.reason == SKIPPED:
                return f"Skipped{f' by {change.actor}' if change.actor else ''}"
            why = f": {change.reason}" if change and change.reason else ""
            return f"Cancelled before anything was sent{why}"
        return f"{books.sent:,} sent before it was cancelled"


LINES = {
    Status.DRAFT: Lines.draft,
    Status.SCHEDULED: Lines.scheduled,
    Status.PREPARING: Lines.preparing,
    Status.SENDING: Lines.sending,
    Status.PAUSED: Lines.paused,
    Status.SENT: Lines.over,
    Status.FAILED: Lines.failed,
    Status.CANCELLED: Lines.cancelled,
}


def outcome(books: Books) -> str:
    """964 sent, 12 failed, 4 skipped."""
    counts = ((books.failed, "failed"), (books.skipped, "skipped"), (books.unknown, "unknown"))
    return ", ".join([f"{books.sent:,} sent", *(f"{n:,} {word}" for n, word in counts if n)])
