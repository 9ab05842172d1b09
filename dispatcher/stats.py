"""The counts of a campaign as programs read them: its books, or before the launch what they would begin with."""

import hashlib
from collections.abc import Collection, Hashable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.core.cache import cache
from django.db import connection
from django.db.models import Exists, OuterRef, QuerySet

from accounts.models import Workspace
from campaigns.models import Campaign, Split, ask_for_choices
from dispatcher.books import Books, books_of_many
from dispatcher.freeze import candidates
from people.models import MEMBERSHIP, Recipient

Status = Campaign.Status
NOT_SENT_YET = (Status.DRAFT, Status.SCHEDULED, Status.PREPARING)
MOST = 100_000  # people counted for one campaign not sent yet, so that a page of them stays quick
FEW = 10_000  # people who are counted anew each time
REMEMBERED = 10  # seconds for which the count of more of them is good enough


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
    """How many people each campaign would reach if it were launched now, counted up to MOST.

    Campaigns to the same people take one count. Where many are counted or looked through, it is one of seconds ago.
    """
    asked: dict[Hashable, Question] = {}
    questions: dict[int, Question] = {}
    for campaign in campaigns:
        alike = audience_of(campaign)
        questions[campaign.pk] = asked[alike] = asked.get(alike) or Question.of(campaign)
    by_key = {question.key: question for question in questions.values()}
    answers = cache.get_many(by_key)
    fresh = counted([question for key, question in by_key.items() if key not in answers])
    crowded = with_many_people({searched for key in fresh if (searched := by_key[key].searched)})
    lasting = {key: n for key, n in fresh.items() if n > FEW or by_key[key].searched in crowded}
    cache.set_many(lasting, REMEMBERED)
    answers |= fresh
    return {pk: answers[question.key] for pk, question in questions.items()}


@dataclass(frozen=True)
class Question:
    """How many people a campaign would reach, in SQL; `searched` is the workspace where all are looked at for them."""

    sql: str
    values: Sequence[Any]
    searched: int | None

    @classmethod
    def of(cls, campaign: Campaign) -> "Question":
        reached = candidates(campaign).filter(skip=None)
        is_searched = campaign.everyone or bool(campaign.segments.all())
        if not is_searched:
            reached = reached.filter(pk__in=named(campaign))
        sql, values = reached.order_by().values("pk")[:MOST].query.sql_with_params()
        return cls(sql, values, campaign.workspace_id if is_searched else None)

    @property
    def key(self) -> str:
        """The same within a minute: "in the last 7 days" means another moment at every look."""
        values = [each.replace(second=0, microsecond=0) if isinstance(each, datetime) else each for each in self.values]
        return f"reached:{hashlib.sha256(repr((self.sql, values)).encode()).hexdigest()}"


def audience_of(campaign: Campaign) -> Hashable:
    """The same for campaigns that ask for the same people by the same sets: their question is written once."""
    sets = ("groups", "segments", "excluded_groups", "excluded_segments")
    names_people = getattr(campaign, "names_picked", True) or getattr(campaign, "names_excluded", True)
    if names_people or Split.of(campaign):
        return campaign.pk
    chosen = [tuple(each.pk for each in getattr(campaign, name).all()) for name in sets]
    return campaign.workspace_id, campaign.channel, campaign.everyone, *chosen


def named(campaign: Campaign) -> QuerySet:
    """The people of its groups and those picked, so that counting begins with the few and not with everybody."""
    picked = Campaign.picked.through.objects.filter(campaign=campaign).values("recipient")
    groups = [group.pk for group in campaign.groups.all()]
    if not groups:
        return picked
    members = MEMBERSHIP.objects.filter(group__in=groups).values("recipient")
    # Campaigns to the same groups ask the same as long as nobody is picked.
    return members.union(picked) if getattr(campaign, "names_picked", True) else members


def counted(questions: Iterable[Question]) -> dict[str, int]:
    """The answers by the keys of the questions, in one query."""
    selects: list[str] = []
    params: list[Any] = []
    for question in questions:
        selects.append(f"SELECT %s, count(*) FROM ({question.sql}) AS reached")  # noqa: S608 - Django's own SQL
        params += [question.key, *question.values]
    if not selects:
        return {}
    with connection.cursor() as cursor:
        cursor.execute(" UNION ALL ".join(selects), params)
        return dict(cursor.fetchall())


def with_many_people(workspaces: Collection[int]) -> set[int]:
    """Those of the workspaces that have more than FEW people."""
    if not workspaces:
        return set()
    more = Recipient.objects.filter(workspace=OuterRef("pk")).order_by("pk")[FEW:]
    return set(Workspace.objects.filter(Exists(more), pk__in=workspaces).values_list("pk", flat=True))
