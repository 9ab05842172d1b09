"""Dead letters: the messages that failed for good and that nobody has tried again or dismissed yet.

How many there are say the counters of the batches and of the dismissals; no message is counted.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import connection
from django.db.models import Count, Q

from accounts.models import Workspace
from campaigns.models import Campaign
from dispatcher.books import Books, books_of_many
from dispatcher.dismissals import dismissed_in
from dispatcher.ledger import SIZE, Row
from dispatcher.models import Batch, Category, Dismissal, Message
from dispatcher.picture import Cause
from dispatcher.words import cause_words

# Batch after batch from where the last page ended; those without such failures are not looked into.
FIND = """
    SELECT m.id FROM dispatcher_batch b CROSS JOIN LATERAL (
        SELECT id, number FROM dispatcher_message m
        WHERE campaign_id = %(campaign)s AND number BETWEEN greatest(b.first, %(after)s + 1) AND b.last AND status = 3
          AND category = ANY(%(categories)s)
          AND NOT EXISTS (SELECT FROM dispatcher_dismissal d
                          WHERE d.campaign_id = %(campaign)s AND d.category = m.category AND m.updated_at <= d.at)
        ORDER BY number OFFSET 0) AS m
    WHERE b.campaign_id = %(campaign)s AND b.last > %(after)s AND b.failed > 0
      AND EXISTS (SELECT FROM unnest(%(categories)s) AS c WHERE b.failed_by[c] > 0)
    ORDER BY b.first, m.number LIMIT %(size)s
"""
# The counters of all batches in trouble, and beside those of failures what somebody dismissed.
TROUBLED = """
    WITH bad AS (
        SELECT b.campaign_id, b.unknown, b.failed, b.failed_by
        FROM campaigns_campaign c JOIN dispatcher_batch b ON b.campaign_id = c.id
        WHERE c.workspace_id = %s AND c.archived_at IS NULL AND c.stored_at IS NULL
          AND (b.failed > 0 OR b.unknown > 0)),
    counted AS (
        SELECT campaign_id, category, sum(n) AS n FROM bad, unnest(failed_by) WITH ORDINALITY AS u(n, category)
        WHERE failed > 0 AND n > 0 GROUP BY 1, 2),
    dead AS (
        SELECT DISTINCT campaign_id FROM counted LEFT JOIN dispatcher_dismissal d USING (campaign_id, category)
        WHERE n > coalesce(d.count, 0))
    SELECT bad.campaign_id, sum(bad.unknown) > 0, dead.campaign_id IS NOT NULL
    FROM bad LEFT JOIN dead USING (campaign_id) GROUP BY bad.campaign_id, dead.campaign_id ORDER BY 1 DESC
"""


@dataclass(frozen=True)
class Letters:
    """The dead letters of one campaign by cause, the most frequent first, and what was dismissed of it."""

    campaign: Campaign
    causes: list[Cause]
    dismissed: list[tuple[Cause, Dismissal]]
    at: datetime | None

    @property
    def id(self) -> str:
        return str(self.campaign.pk)

    @property
    def count(self) -> int:
        return sum(cause.count for cause in self.causes)

    @property
    def can_be_retried(self) -> bool:
        return self.campaign.is_retryable

    @property
    def worth_a_try(self) -> int:
        """How many failed by a cause that another try may overcome."""
        return sum(cause.count for cause in self.causes if cause.can_be_retried) if self.can_be_retried else 0

    @property
    def refusal(self) -> str:
        """Why nothing of it can be tried again."""
        if self.campaign.stored_at:
            return "Its messages were moved to a file, so nothing of it is sent again unless they are brought back."
        return "" if self.can_be_retried else "It was cancelled, so nothing of it is sent again."


def troubled(workspace: Workspace) -> dict[int, Books]:
    """The books of the workspace's campaigns in which something failed or is unknown.

    But for those that somebody archived, and those whose messages are in a file: nothing can be done about them.
    """
    bad = Batch.objects.filter(Q(failed__gt=0) | Q(unknown__gt=0), campaign__workspace=workspace)
    ids = bad.filter(campaign__archived_at=None, campaign__stored_at=None).values_list("campaign", flat=True).distinct()
    return books_of_many(ids)


def unknown_and_dead(workspace: Workspace) -> tuple[list[int], list[int]]:
    """The campaigns in which something is unknown, and those with dead letters, by id, the newest first."""
    with connection.cursor() as cursor:
        cursor.execute(TROUBLED, [workspace.pk])
        rows = cursor.fetchall()
    return [pk for pk, is_unknown, _ in rows if is_unknown], [pk for pk, _, is_dead in rows if is_dead]


def all_of(workspace: Workspace) -> list[Letters]:
    """Of every campaign of the workspace that has some, or of which some were dismissed; the newest first."""
    books = troubled(workspace)
    return letters_of(workspace.campaigns.filter(pk__in=books).defer("body").order_by("-pk"), books)


def one_of(campaign: Campaign) -> Letters | None:
    """Of this campaign; None when nothing of it failed."""
    return next(iter(letters_of([campaign], books_of_many([campaign.pk]))), None)


def letters_of(campaigns: Iterable[Campaign], books: dict[int, Books]) -> list[Letters]:
    """The dead letters of these campaigns; those of which nothing failed are left out."""
    campaigns = [campaign for campaign in campaigns if books[campaign.pk].failed]
    dismissed = dismissed_in(campaigns)
    return [_letters(campaign, books[campaign.pk], dismissed.get(campaign.pk, [])) for campaign in campaigns]


def _letters(campaign: Campaign, books: Books, dismissals: list[Dismissal]) -> Letters:
    def cause(category: Category, count: int) -> Cause:
        return Cause(category, count, *cause_words(category, campaign.channel))

    put_aside = {Category(dismissal.category): dismissal.count for dismissal in dismissals}
    left = [(category, count - put_aside.get(category, 0)) for category, count in books.failures()]
    causes = [cause(category, count) for category, count in left if count > 0]
    causes.sort(key=lambda one: (-one.count, one.category))
    aside = [(cause(Category(one.category), one.count), one) for one in dismissals]
    return Letters(campaign, causes, aside, books.settled_at)


@dataclass(frozen=True)
class DeadRow(Row):
    """One dead letter: whose, why, and after how many tries."""

    attempts: int = 0

    @property
    def cause(self) -> str:
        return self._cause

    @property
    def error(self) -> str:
        return self.message.last_error


@dataclass(frozen=True)
class Page:
    """Up to SIZE dead letters of one campaign in the order of their numbers; `after` begins the next page."""

    rows: list[DeadRow] = field(default_factory=list)
    after: int | None = None


def page_of(letters: Letters, category: Category | None, after: int = 0) -> Page:
    """The dead letters whose numbers come after this one, all or those of one cause."""
    if letters.campaign.stored_at:
        return Page()
    categories = [cause.category.value for cause in letters.causes if category in (None, cause.category)]
    if not categories:
        return Page()
    about: dict[str, Any] = {
        "campaign": letters.campaign.pk,
        "categories": categories,
        "after": after,
        "size": SIZE + 1,
    }
    with connection.cursor() as cursor:
        cursor.execute(FIND, about)
        ids = [row[0] for row in cursor.fetchall()]
    messages = Message.objects.filter(pk__in=ids[:SIZE]).select_related("recipient", "campaign")
    found = list(messages.annotate(n=Count("attempts")).order_by("number"))
    rows = [DeadRow(message, message.n) for message in found]
    return Page(rows, found[-1].number if len(ids) > SIZE else None)
