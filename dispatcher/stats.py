"""The counts of a campaign as programs read them: its books, or before the launch what they would begin with."""

from collections.abc import Iterable, Sequence
from typing import Any

from django.db import connection

from campaigns.models import Campaign, ask_for_choices
from dispatcher.books import Books, books_of_many
from dispatcher.freeze import candidates

Status = Campaign.Status
NOT_SENT_YET = (Status.DRAFT, Status.SCHEDULED, Status.PREPARING)
MOST = 100_000  # people counted for one campaign not sent yet, so that a page of them stays quick


def stats_of_many(campaigns: Sequence[Campaign]) -> dict[int, dict[str, int]]:
    """The counts of each campaign by its id, in as many queries for many as for one.

    They should come with their workspace.
    """
    books = books_of_many(campaign.pk for campaign in campaigns)
    waiting = [c for c in campaigns if c.status in NOT_SENT_YET and not books[c.pk].total]
    if waiting:
        ask_for_choices(waiting)
    for pk, reached in reached_by_many(waiting).items():
        books[pk] = Books(total=reached, pending=reached)
    return {pk: counts(book) for pk, book in books.items()}


def counts(books: Books) -> dict[str, int]:
    return {
        "total": books.total,
        "pending": books.pending,
        "sending": 0,  # no message is ever in such a status; old clients ask for the key
        "sent": books.sent,
        "failed": books.failed,
        "skipped": books.skipped,
        "cancelled": books.cancelled,
        "unknown": books.unknown,
    }


def reached_by_many(campaigns: Iterable[Campaign]) -> dict[int, int]:
    """How many people each campaign would reach if it were launched now, counted up to MOST."""
    selects: list[str] = []
    params: list[Any] = []
    for campaign in campaigns:
        reached = candidates(campaign).filter(skip=None).order_by().values("pk")[:MOST]
        sql, values = reached.query.sql_with_params()
        selects.append(f"SELECT %s, count(*) FROM ({sql}) AS reached")  # noqa: S608 - Django's own SQL
        params += [campaign.pk, *values]
    if not selects:
        return {}
    with connection.cursor() as cursor:
        cursor.execute(" UNION ALL ".join(selects), params)
        return dict(cursor.fetchall())
