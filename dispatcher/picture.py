"""How a campaign stands now: all that its page shows, read together in a handful of small queries."""

import time
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db import connection
from redis.exceptions import RedisError

from accounts.models import Role
from campaigns.models import Campaign, StatusChange
from dispatcher import clock, words
from dispatcher.books import Books, books_of
from dispatcher.ledger import Chip, chips_of
from dispatcher.models import SKIP_WORDS, Category, Message, Pace
from dispatcher.questions import QUESTIONS, Question
from dispatcher.senders import sender_for
from dispatcher.words import cause_words
from wires import queue

Status = Campaign.Status
LATELY = 5  # seconds over which the speed is taken
HISTORY = 30  # lines shown

# A worker that lives renews its leases every second or so: one of which more than half has run out is of a silent one.
OUTLOOK = f"""
    SELECT clock_timestamp(),
           count(*) FILTER (WHERE due_at <= clock_timestamp()),
           min(due_at) FILTER (WHERE due_at <= clock_timestamp()),
           count(*) FILTER (WHERE due_at > clock_timestamp() AND owner <> ''),
           max(due_at) FILTER (WHERE owner <> ''),
           max(due_at) FILTER (WHERE owner <> '') < clock_timestamp() + %(lease)s / 2 * interval '1 second',
           EXISTS (SELECT FROM campaigns_campaign c JOIN dispatcher_batch b ON b.campaign_id = c.id
                   WHERE c.status IN (4, 5, 8) AND c.finished_at IS NULL AND c.id <> %(campaign)s
                     AND b.owner <> '' AND b.due_at > clock_timestamp()),
           min(due_at) FILTER (WHERE due_at > clock_timestamp() AND owner = ''),
           (SELECT coalesce(sum(settled), 0) FROM dispatcher_settlement
            WHERE campaign_id = %(campaign)s
              AND at > greatest(clock_timestamp() - interval '{LATELY} seconds', %(since)s)),
           (SELECT at FROM dispatcher_heartbeat WHERE name = %(clock)s)
    FROM dispatcher_batch WHERE campaign_id = %(campaign)s AND due_at IS NOT NULL
"""  # noqa: S608 - built from our own number


@dataclass(frozen=True)
class Outlook:
    """What happens next: open batches that are due, leased, or wait until `next_at`; and the speed of late.

    `lease_ends` is the end of the last lease, `is_silent` whether its owner stopped renewing it.
    """

    now: datetime
    due: int
    due_since: datetime | None
    leased: int
    lease_ends: datetime | None
    is_silent: bool | None
    others_are_sent: bool
    next_at: datetime | None
    settled_lately: int
    clock_at: datetime | None

    @property
    def clock_ticks(self) -> bool:
        return self.clock_at is not None and self.now - self.clock_at < timedelta(seconds=10)


@dataclass(frozen=True)
class Cause:
    """One line of "what went wrong"."""

    category: Category
    count: int
    words: str
    advice: str
    can_be_retried: bool

    @property
    def word(self) -> str:
        return self.category.label


@dataclass(frozen=True)
class Picture:
    """One campaign as somebody with this role sees it now."""

    campaign: Campaign
    role: Role
    books: Books
    outlook: Outlook
    history: list[StatusChange]
    pace: Pace | None
    frozen: int
    workers: int | None

    @property
    def id(self) -> str:
        """The campaign's number as addresses need it: without thousands separators."""
        return str(self.campaign.pk)

    @property
    def status(self) -> Status:
        return Status(self.campaign.status)

    @property
    def badge(self) -> str:
        return words.standing(self.campaign, self.books)

    @property
    def shares(self) -> list[tuple[str, str]]:
        return words.shares(self.books)

    @property
    def channel(self) -> str:
        return words.capital(self.campaign.get_channel_display())

    @property
    def may_write(self) -> bool:
        return self.role.may("write")

    @property
    def may_send(self) -> bool:
        return self.role.may("send")

    @property
    def was_launched(self) -> bool:
        return self.books.total > 0

    @property
    def is_open(self) -> bool:
        """Whether numbers may still move without anybody pressing a button."""
        return self.campaign.phase == "processing" or self.books.pending > 0 or self.status == Status.SCHEDULED

    @property
    def is_retryable(self) -> bool:
        return self.may_send and self.status in (Status.SENDING, Status.PAUSED, Status.SENT, Status.FAILED)

    @property
    def all_is_retryable(self) -> bool:
        """While it is sending, the failures that are still to come would be missed."""
        return self.is_retryable and self.status != Status.SENDING and self.books.failed > 0

    @property
    def chips(self) -> list[Chip]:
        return chips_of(self.books)

    @property
    def questions(self) -> list[Question]:
        """What is asked before a verb, in the words for how it stands now."""
        return [question.about(self.campaign) for question in QUESTIONS.values()] if self.may_send else []

    @property
    def last_move(self) -> StatusChange | None:
        """The last change of status; other lines of the history only note what was done."""
        return next((change for change in self.history if change.from_status != change.to_status), None)

    @property
    def tells_its_beginning(self) -> bool:
        """Whether the history reaches back to the day it was written."""
        return any(change.from_status is None for change in self.history)

    @property
    def has_controls(self) -> bool:
        is_running = self.campaign.phase == "processing"
        return (self.may_write and self.campaign.is_editable) or (self.may_send and is_running)

    @property
    def launch(self) -> StatusChange | None:
        """Who started it: the change that led to `preparing` last."""
        return next((change for change in self.history if change.to_status == Status.PREPARING), None)

    @property
    def causes(self) -> list[Cause]:
        """The most frequent first; in a fixed order while they still overtake each other."""
        channel = self.campaign.channel
        causes = [Cause(category, count, *cause_words(category, channel)) for category, count in self.books.failures()]
        return sorted(causes, key=lambda cause: cause.category) if self.books.pending else causes

    @property
    def left_out(self) -> list[tuple[str, str, int]]:
        """Reason as a word of addresses, in words for people, and how many."""
        return [(reason.label, SKIP_WORDS[reason], count) for reason, count in self.books.skips()]

    @property
    def speed(self) -> float:
        """Outcomes a second over the last few seconds."""
        if self.status != Status.SENDING:
            return 0
        since = self.last_move.at if self.last_move else self.outlook.now
        seconds = max(1.0, (self.outlook.now - since).total_seconds())
        return self.outlook.settled_lately / min(LATELY, seconds)

    @property
    def done_at(self) -> datetime | None:
        """When it will be done if it goes on like this."""
        if not self.speed or not self.books.pending:
            return None
        seconds = self.books.pending / self.speed
        return self.outlook.now + timedelta(seconds=seconds) if seconds < 30 * 86_400 else None

    @property
    def taken_up(self) -> StatusChange | None:
        """The last retry that began after all was over."""
        ended = (Status.SENT, Status.FAILED)
        again = (c for c in self.history if c.from_status in ended and c.to_status == Status.SENDING)
        return next(again, None)

    @property
    def started_at(self) -> datetime | None:
        """When it last began: at its launch, or when it was taken up again after it was over."""
        if self.taken_up:
            return self.taken_up.at
        return self.launch.at if self.launch else self.campaign.launched_at

    @property
    def seconds_taken(self) -> float | None:
        started, ended = self.started_at, self.campaign.finished_at
        return max(0.0, (ended - started).total_seconds()) if started and ended else None


def picture_of(campaign: Campaign, role: Role) -> Picture:
    """Read how the campaign stands. It should come with its workspace and its author."""
    history = list(campaign.history.select_related("by", "key")[:HISTORY])
    since = next((c.at for c in history if c.from_status != c.to_status), campaign.created_at)
    with connection.cursor() as cursor:
        lease = settings.LEASE_SECONDS
        cursor.execute(OUTLOOK, {"campaign": campaign.pk, "clock": clock.NAME, "since": since, "lease": lease})
        outlook = Outlook(*cursor.fetchone())
    books = books_of(campaign)
    paces = Pace.objects.filter(
        workspace=campaign.workspace_id, channel=campaign.channel, sender=sender_for(campaign.channel)
    )
    return Picture(
        campaign=campaign,
        role=role,
        books=books,
        outlook=outlook,
        history=history,
        pace=paces.first() if campaign.status == Status.SENDING else None,
        frozen=frozen_so_far(campaign) if campaign.status == Status.PREPARING else 0,
        workers=workers() if campaign.status == Status.SENDING and outlook.due else None,
    )


def frozen_so_far(campaign: Campaign) -> int:
    """The highest number given, which is how many there are: nobody counts a million rows."""
    messages = Message.objects.filter(campaign=campaign).order_by("-number")
    return messages.values_list("number", flat=True).first() or 0


_asked: tuple[float, int | None] = (0.0, None)


def workers() -> int | None:
    """How many dispatch workers were heard of lately, or None when Redis does not answer. Asked every 2 s at most."""
    global _asked
    if time.monotonic() - _asked[0] > 2:
        try:
            number = len(queue.workers_alive("dispatch"))
        except RedisError:
            number = None
        _asked = time.monotonic(), number
    return _asked[1]
