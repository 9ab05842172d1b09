"""Pages of messages: any page of any status of a million, found through the counters of the batches."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlencode

from django.db import connection
from django.utils import timezone

from campaigns.models import Campaign
from campaigns.splitting import letter
from dispatcher.books import Books
from dispatcher.chips import Chip
from dispatcher.freeze import names_used
from dispatcher.models import SKIP_WORDS, Attempt, Category, Message, SkipReason
from dispatcher.words import cause_words
from people.addresses import readable
from people.channels import Channel

Status = Message.Status
SIZE = 25
WORDS = {
    Status.PENDING: "Waiting",
    Status.SENT: "Sent",
    Status.FAILED: "Failed",
    Status.SKIPPED: "Skipped",
    Status.CANCELLED: "Cancelled",
    Status.UNKNOWN: "Unknown",
}

# The batches' prefix sums say in which of them a page begins, so nothing before it is read or counted. The inner
# OFFSET keeps the planner from joining the wrong way round.
FIND = """
    WITH counted AS (
        SELECT first, last, {count} AS n, sum({count}) OVER (ORDER BY first) AS upto
        FROM dispatcher_batch WHERE campaign_id = %(campaign)s),
    wanted AS MATERIALIZED (
        SELECT * FROM counted WHERE n > 0 AND upto > %(skip)s AND upto - n < %(skip)s + %(size)s)
    SELECT m.id FROM wanted CROSS JOIN LATERAL (
        SELECT id, number FROM dispatcher_message
        WHERE campaign_id = %(campaign)s AND number BETWEEN wanted.first AND wanted.last AND {condition}
        ORDER BY number OFFSET 0) AS m
    ORDER BY m.number OFFSET greatest(0, %(skip)s - (SELECT min(upto - n) FROM wanted)) LIMIT %(size)s
"""


@dataclass(frozen=True)
class Filter:
    """Which messages are shown: all, those of a status, or those of one cause of failure or reason for skipping."""

    status: Status | None = None
    category: Category | None = None
    reason: SkipReason | None = None

    @classmethod
    def asked(cls, query: Mapping[str, str]) -> "Filter":
        """What a query string asks for; what cannot be read asks for all."""
        category = Category.__members__.get(query.get("cause", "").upper())
        reason = SkipReason.__members__.get(query.get("reason", "").upper())
        if category:
            return cls(Status.FAILED, category=category)
        if reason:
            return cls(Status.SKIPPED, reason=reason)
        return cls(Status.__members__.get(query.get("status", "").upper()))

    @property
    def query(self) -> dict[str, str]:
        if self.category:
            return {"cause": self.category.name.lower()}
        if self.reason:
            return {"reason": self.reason.name.lower()}
        return {"status": self.status.name.lower()} if self.status else {}

    @property
    def address(self) -> str:
        """The query string that asks for this."""
        return urlencode(self.query)

    def count(self, books: Books) -> int:
        if self.category:
            return books.failed_by[self.category - 1]
        if self.reason:
            return books.skipped_by[self.reason - 1]
        return getattr(books, self.status.name.lower()) if self.status else books.total

    @property
    def counter(self) -> str:
        if self.category:
            return f"failed_by[{self.category:d}]"
        if self.reason:
            return f"skipped_by[{self.reason:d}]"
        return self.status.name.lower() if self.status else "total"

    @property
    def condition(self) -> str:
        if self.category:
            return f"status = {Status.FAILED:d} AND category = {self.category:d}"
        if self.reason:
            return f"status = {Status.SKIPPED:d} AND skip_reason = {self.reason:d}"
        return f"status = {self.status:d}" if self.status else "true"

    def find(self, campaign: Campaign, skip: int, size: int = SIZE) -> list[int]:
        """The ids of the messages of the page that begins after this many."""
        with connection.cursor() as cursor:
            cursor.execute(
                FIND.format(count=self.counter, condition=self.condition),
                {"campaign": campaign.pk, "skip": skip, "size": size},
            )
            return [row[0] for row in cursor.fetchall()]


@dataclass(frozen=True)
class Row:
    """One message as the table and its own page show it."""

    message: Message

    @property
    def number(self) -> str:
        return str(self.message.number)

    @property
    def name(self) -> str:
        recipient = self.message.recipient
        return str(recipient) if recipient else "Deleted person"

    @property
    def address(self) -> str:
        """Where it went; for those left out, where it would have gone."""
        message = self.message
        if message.address is not None or message.recipient is None:
            return readable(message.address or "")
        return readable(self._address_now)

    @property
    def went_elsewhere(self) -> bool:
        """Whether it went to another address than its person has now."""
        return self.message.address not in (None, self._address_now)

    @property
    def is_incomplete(self) -> bool:
        """Whether the text said something of its person that went with them."""
        return self.message.recipient_id is None and bool(names_used(self.message.campaign))

    @property
    def corrected(self) -> str:
        """Where the person of a failed message is reached now, if that is not where it went."""
        message = self.message
        is_other = message.status == Status.FAILED and self._address_now not in ("", message.address)
        return readable(self._address_now) if is_other else ""

    @property
    def is_taken(self) -> bool:
        """Whether the address of now already gets another message of the campaign, so that a retry keeps the old."""
        return self.message.campaign.messages.filter(address=self._address_now).exclude(pk=self.message.pk).exists()

    @property
    def _address_now(self) -> str:
        recipient = self.message.recipient
        return getattr(recipient, Channel(self.message.campaign.channel).address_field) if recipient else ""

    @property
    def variant(self) -> str:
        """Its letter; empty where the campaign has none, and of those who are in none."""
        return letter(self.message.variant) if self.message.variant else ""

    @property
    def status(self) -> str:
        return self.message.get_status_display()

    @property
    def words(self) -> str:
        return WORDS[Status(self.message.status)]

    @property
    def detail(self) -> str:
        """Why it ended so, or why it has not ended yet."""
        message = self.message
        if message.status == Status.FAILED and message.category:
            return self._cause
        if message.status == Status.SKIPPED and message.skip_reason:
            return SKIP_WORDS[SkipReason(message.skip_reason)]
        if message.status == Status.SENT and message.assumed:
            return "assumed delivered"
        if message.status == Status.SENT and message.delivery:
            return message.get_delivery_display()
        if message.status == Status.UNKNOWN:
            return "the answer was never heard"
        if message.status == Status.PENDING and message.retry_count:
            return f"try {message.retry_count + 1}, after {self._cause}"
        return ""

    @property
    def _cause(self) -> str:
        message = self.message
        if message.category is None:
            return "a failure"
        return cause_words(Category(message.category), message.campaign.channel)[0].lower()

    @property
    def is_retryable(self) -> bool:
        """Whether a message of its campaign may be handed over again."""
        return self.message.campaign.is_retryable

    @property
    def at(self) -> datetime | None:
        return None if self.message.status == Status.PENDING else self.message.sent_at or self.message.updated_at


class History:
    """The hand-overs of one message that did not succeed, each with its cause in words, and how many there were."""

    def __init__(self, message: Message) -> None:
        self.message = message
        channel = message.campaign.channel
        self.attempts: list[tuple[Attempt, str]] = [
            (attempt, cause_words(Category(attempt.category), channel)[0])
            for attempt in message.attempts.order_by("pk")
        ]

    @property
    def tries(self) -> int:
        """Hand-overs truly made: `Message.tries` also counts the passes that a retry by a person skips."""
        succeeded = self.message.status == Status.SENT and not self.message.assumed
        return len(self.attempts) + succeeded


def chips_of(books: Books, shown: Filter | None = None) -> list[Chip]:
    """All messages, and those of each status."""
    kinds = [("All", Filter()), *((words, Filter(status)) for status, words in WORDS.items())]
    return [Chip(words, kind.count(books), kind.address, kind == shown) for words, kind in kinds]


@dataclass(frozen=True)
class Page:
    """Up to SIZE messages in the order of their numbers, and where they stand."""

    id: str
    channel: int
    books: Books
    filter: Filter
    rows: list[Row]
    number: int
    count: int
    now: datetime
    stored_at: datetime | None = None  # its messages are in a file since then, and none of them is here

    @property
    def pages(self) -> int:
        return max(1, -(-self.count // SIZE))

    @property
    def first(self) -> int:
        return (self.number - 1) * SIZE + 1

    @property
    def last(self) -> int:
        return self.first + len(self.rows) - 1

    @property
    def chips(self) -> list[Chip]:
        return chips_of(self.books, self.filter)

    @property
    def cause(self) -> str:
        """The one cause or reason that is shown, in words."""
        if self.filter.category:
            return cause_words(self.filter.category, self.channel)[0]
        return SKIP_WORDS[self.filter.reason].capitalize() if self.filter.reason else ""

    @property
    def here(self) -> str:
        """The query string that asks for this page."""
        return self._beside(self.number) if self.number > 1 else self.filter.address

    @property
    def previous(self) -> str:
        return self._beside(self.number - 1) if self.number > 1 else ""

    @property
    def following(self) -> str:
        return self._beside(self.number + 1) if self.number < self.pages else ""

    def _beside(self, number: int) -> str:
        return urlencode(self.filter.query | {"page": str(number)})


def page_of(campaign: Campaign, books: Books, wanted: Filter, number: str = "1") -> Page:
    """The page with this number, or the nearest there is."""
    count = wanted.count(books)
    pages = max(1, -(-count // SIZE))
    at = int(number) if number.isdecimal() and len(number) < 10 else 1
    at = min(max(at, 1), pages)
    # Of a campaign that is just being moved to a file some rows are still there: nobody is shown half of it.
    ids = wanted.find(campaign, (at - 1) * SIZE) if count and not campaign.stored_at else []
    messages = Message.objects.filter(pk__in=ids).select_related("recipient", "campaign").order_by("number")
    rows = [Row(message) for message in messages]
    now = timezone.now()
    return Page(str(campaign.pk), campaign.channel, books, wanted, rows, at, count, now, campaign.stored_at)
