"""What failed lately, over all workspaces: for whoever keeps the house running."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta

from django.utils import timezone

from campaigns.models import Campaign
from dispatcher.books import Books, books_of_many
from dispatcher.models import CATEGORY_WORDS, Category

LATELY = timedelta(days=7)
MOST = 2_000  # campaigns looked at, the newest
SHOWN = 20


@dataclass(frozen=True)
class Failed:
    """A campaign some of whose messages failed."""

    campaign: Campaign
    books: Books

    @property
    def rate(self) -> str:
        return rate(self.books.failed, self.books.sent)

    @property
    def reason(self) -> str:
        """The most frequent cause."""
        category, n = self.books.failures()[0]
        return f"{CATEGORY_WORDS[category][0]}, {n:,}"

    @property
    def can_be_retried(self) -> bool:
        return self.campaign.is_retryable


@dataclass(frozen=True)
class Failures:
    """The campaigns launched in the last 7 days: how many messages were sent and failed, where, and why."""

    campaigns: int
    sent: int
    failed: int
    worst: list[Failed]
    more: int
    reasons: list[tuple[str, int, str]]

    @property
    def rate(self) -> str:
        return rate(self.failed, self.sent)


def rate(failed: int, sent: int) -> str:
    """Of the messages whose outcome is known; "0.3 %"."""
    return f"{100 * failed / (failed + sent):.1f} %" if failed + sent else "0 %"


def lately() -> Failures:
    """In two queries, whatever happened."""
    since = timezone.now() - LATELY
    launched = Campaign.objects.filter(launched_at__gte=since).select_related("workspace")
    campaigns = list(launched.defer("body").order_by("-pk")[:MOST])
    books = books_of_many(campaign.pk for campaign in campaigns)
    failed = [Failed(campaign, books[campaign.pk]) for campaign in campaigns if books[campaign.pk].failed]
    failed.sort(key=lambda one: -one.books.failed)
    return Failures(
        campaigns=len(campaigns),
        sent=sum(book.sent for book in books.values()),
        failed=sum(book.failed for book in books.values()),
        worst=failed[:SHOWN],
        more=max(0, len(failed) - SHOWN),
        reasons=reasons_of(books.values()),
    )


def reasons_of(books: Iterable[Books]) -> list[tuple[str, int, str]]:
    """The causes, most frequent first: in words, how many, and what to do about it."""
    counts: Counter[Category] = Counter()
    for book in books:
        counts.update(dict(book.failures()))
    return [(CATEGORY_WORDS[category][0], n, CATEGORY_WORDS[category][1]) for category, n in counts.most_common()]
