"""The books of a campaign: how many of its people are sent, failed, skipped, cancelled, unknown or still waiting."""

from collections.abc import Iterable
from dataclasses import dataclass, fields
from datetime import datetime

from django.db import connection

from campaigns.models import Campaign
from dispatcher.models import Category, SkipReason


@dataclass(frozen=True)
class Books:
    """Counts of one campaign, summed over its batches; `pending` is counted, not derived."""

    total: int = 0
    pending: int = 0
    sent: int = 0
    failed: int = 0
    skipped: int = 0
    cancelled: int = 0
    unknown: int = 0
    in_flight: int = 0
    settled_at: datetime | None = None
    failed_by: tuple[int, ...] = (0,) * len(Category)
    skipped_by: tuple[int, ...] = (0,) * len(SkipReason)

    @property
    def done(self) -> int:
        return self.total - self.pending

    @property
    def percent(self) -> int:
        """Whole percent done, rounded down, so that 100 means done."""
        return self.done * 100 // self.total if self.total else 0

    @property
    def balances(self) -> bool:
        ends = self.sent + self.failed + self.skipped + self.cancelled + self.unknown
        return self.total == self.pending + ends

    def failures(self) -> list[tuple[Category, int]]:
        """The causes of failure that occurred, most frequent first."""
        counted = ((category, self.failed_by[category - 1]) for category in Category)
        return sorted(((c, n) for c, n in counted if n), key=lambda pair: -pair[1])

    def skips(self) -> list[tuple[SkipReason, int]]:
        """The reasons for skipping that occurred, most frequent first."""
        counted = ((reason, self.skipped_by[reason - 1]) for reason in SkipReason)
        return sorted(((r, n) for r, n in counted if n), key=lambda pair: -pair[1])


NAMES = [field.name for field in fields(Books)[:9]]
SUMS = ", ".join(f"sum({name})" for name in NAMES[:7])
# What a worker held whose lease ran out is in doubt, and in flight no more.
IS_HELD = "owner <> '' AND due_at > clock_timestamp()"
SUM_BATCHES = f"""
    SELECT campaign_id, {SUMS}, coalesce(sum(in_flight) FILTER (WHERE {IS_HELD}), 0), max(settled_at),
           {", ".join(f"sum(failed_by[{c}])" for c in Category.values)},
           {", ".join(f"sum(skipped_by[{r}])" for r in SkipReason.values)}
    FROM dispatcher_batch WHERE campaign_id = ANY(%s) GROUP BY campaign_id
"""


def books_of(campaign: Campaign) -> Books:
    """The books of one campaign; all zero before its launch."""
    return books_of_many([campaign.pk])[campaign.pk]


def books_of_many(ids: Iterable[int]) -> dict[int, Books]:
    """The books of several campaigns in one query, by campaign id."""
    ids = list(ids)
    with connection.cursor() as cursor:
        cursor.execute(SUM_BATCHES, [ids])
        found = {row[0]: _books(*row[1:]) for row in cursor.fetchall()}
    return {pk: found.get(pk, Books()) for pk in ids}


def _books(*sums) -> Books:
    counts = dict(zip(NAMES, sums, strict=False))
    failed, skipped = sums[9 : 9 + len(Category)], sums[9 + len(Category) :]
    return Books(**counts, failed_by=failed, skipped_by=skipped)
