"""How a campaign stands now: all that its page shows, read together in a handful of small queries."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import connection
from django.db.models import F, Min, Window
from django.db.models.functions import RowNumber

from accounts.models import Role
from campaigns.footer import said_by
from campaigns.models import Campaign, Split, StatusChange
from campaigns.price import price_for
from dispatcher import clock, words, workers
from dispatcher.books import Books, books_of_many
from dispatcher.chips import Chip
from dispatcher.chosen import chosen_names
from dispatcher.ledger import chips_of
from dispatcher.models import SKIP_WORDS, Category, Generation, Pace
from dispatcher.questions import Question, questions_about
from dispatcher.words import cause_words
from people.channels import Channel

Status = Campaign.Status
LATELY = 5  # seconds over which the speed is taken
HISTORY = 30  # lines shown
RECENT = 8  # lines read where only the last changes matter

# A worker that lives renews its leases every second or so: one of which more than half has run out is of a silent one.
OUTLOOK = f"""
    SELECT u.id, clock_timestamp(),
           count(*) FILTER (WHERE due_at <= clock_timestamp()),
           min(due_at) FILTER (WHERE due_at <= clock_timestamp()),
           count(*) FILTER (WHERE due_at > clock_timestamp() AND owner <> ''),
           max(due_at) FILTER (WHERE owner <> ''),
           max(due_at) FILTER (WHERE owner <> '') < clock_timestamp() + %(lease)s / 2 * interval '1 second',
           EXISTS (SELECT FROM campaigns_campaign c JOIN dispatcher_batch b ON b.campaign_id = c.id
                   WHERE c.status IN (4, 5, 8) AND c.finished_at IS NULL AND c.id <> u.id
                     AND b.owner <> '' AND b.due_at > clock_timestamp()),
           min(due_at) FILTER (WHERE due_at > clock_timestamp() AND owner = '' AND NOT (is_rest AND variant = 0)),
           coalesce(sum(pending) FILTER (WHERE is_rest AND variant = 0), 0),
           (SELECT coalesce(sum(settled), 0) FROM dispatcher_settlement
            WHERE campaign_id = u.id
              AND at > greatest(clock_timestamp() - interval '{LATELY} seconds', u.since)),
           (SELECT at FROM dispatcher_heartbeat WHERE name = %(clock)s)
    FROM unnest(%(campaigns)s::bigint[], %(since)s::timestamptz[]) AS u(id, since)
         LEFT JOIN dispatcher_batch ON campaign_id = u.id AND due_at IS NOT NULL
    GROUP BY u.id, u.since
"""  # noqa: S608 - built from our own number
FROZEN = """
    SELECT u.id, (SELECT max(number) FROM dispatcher_message WHERE campaign_id = u.id)
    FROM unnest(%s::bigint[]) AS u(id)
"""


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
    held: int  # people who wait for the winner
    settled_lately: int
    clock_at: datetime | None

    @property
    def clock_ticks(self) -> bool:
        return self.clock_at is not None and self.now - self.clock_at < clock.SILENT_AFTER


@dataclass(frozen=True)
class Cause:
    """One line of "what went wrong"."""

    category: Category
    count: int
    words: str
    advice: str
    can_be_retried: bool
    dismissed: int = 0

    @property
    def is_dismissed(self) -> bool:
        """Whether somebody wants nothing done about any of them."""
        return self.dismissed >= self.count

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
    # People for whom words were generated so far, where that is what it waits for; and whether somebody does it.
    generated: int | None = None
    chores: int | None = None
    dismissed: dict[int, int] = field(default_factory=dict)  # by cause
    chooses_at: datetime | None = None  # when the winner is chosen by rule

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
    def measure(self) -> words.Measure:
        return words.measure(self.campaign, self.books)

    @property
    def channel(self) -> str:
        return words.capital(self.campaign.get_channel_display())

    @property
    def said(self) -> str:
        """Its text as it is filled in for each person, with the line below it where it gets one."""
        return said_by(self.campaign)

    @property
    def may_write(self) -> bool:
        return self.role.may("write")

    @property
    def may_send(self) -> bool:
        return self.role.may("send")

    @property
    def may_manage(self) -> bool:
        return self.role.may("manage")

    @property
    def was_launched(self) -> bool:
        return self.books.total > 0

    @property
    def is_open(self) -> bool:
        """Whether numbers may still move without anybody pressing a button."""
        return self.campaign.phase == "processing" or self.books.pending > 0 or self.status == Status.SCHEDULED

    @property
    def is_retryable(self) -> bool:
        return self.may_send and self.campaign.is_retryable

    @property
    def all_is_retryable(self) -> bool:
        """While it is sending, the failures that are still to come would be missed."""
        return self.is_retryable and self.status != Status.SENDING and self.failed_to_decide > 0

    @property
    def failed_to_decide(self) -> int:
        """The failures that nobody dismissed."""
        return sum(max(0, cause.count - cause.dismissed) for cause in self.causes)

    @property
    def chips(self) -> list[Chip]:
        return chips_of(self.books)

    @property
    def priority(self) -> str:
        return words.priority_words(self.campaign)

    @property
    def price(self) -> str:
        """By the price of its launch, what it cost; what was planned, until that is known."""
        price = price_for(self.campaign, 1) if self.was_launched else None
        went_out, parts = self.books.sent + self.books.unknown, self.campaign.parts
        # The parts of text messages are counted before, all together: of some of them nobody knows how many.
        if self.campaign.phase == "completed" and (self.campaign.channel != Channel.SMS or not went_out):
            parts = went_out
        if price is None:
            return ""
        if parts is None:
            return f"{price} a part"
        return f"{price.times(parts)}{'' if parts == went_out else ' planned'}"

    @property
    def questions(self) -> list[Question]:
        """What is asked before a verb, in the words for how it stands now."""
        if not self.may_send:
            return []
        left = [(max(0, cause.count - cause.dismissed), cause.can_be_retried) for cause in self.causes]
        hopeful = sum(count for count, is_hopeful in left if is_hopeful)
        return questions_about(self.campaign, hopeful=hopeful, hopeless=self.failed_to_decide - hopeful)

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
        return self.may_write  # to duplicate it, whatever its status

    @property
    def launch(self) -> StatusChange | None:
        """Who started it: the change that led to `preparing` last, unless it was taken back."""
        if self.campaign.launched_at is None:
            return None
        return next((change for change in self.history if change.to_status == Status.PREPARING), None)

    @property
    def causes(self) -> list[Cause]:
        """The most frequent first; in a fixed order while they still overtake each other."""
        channel = self.campaign.channel
        causes = [
            Cause(category, count, *cause_words(category, channel), dismissed=self.dismissed.get(category, 0))
            for category, count in self.books.failures()
        ]
        return sorted(causes, key=lambda cause: cause.category) if self.books.pending else causes

    @property
    def left_out(self) -> list[tuple[str, str, int]]:
        """Reason as a word of addresses, in words for people, and how many."""
        return [(reason.label, SKIP_WORDS[reason], count) for reason, count in self.books.skips()]

    @property
    def is_held_up(self) -> bool:
        """Whether nothing may be handed over just now: the sender cannot be reached, or asked for a pause."""
        return bool(self.pace and self.pace.closed_until and self.pace.closed_until > self.outlook.now)

    @property
    def speed(self) -> float:
        """Outcomes a second over the last few seconds."""
        if self.status != Status.SENDING or self.is_held_up:
            return 0
        since = self.last_move.at if self.last_move else self.outlook.now
        seconds = max(1.0, (self.outlook.now - since).total_seconds())
        return self.outlook.settled_lately / min(LATELY, seconds)

    @property
    def done_at(self) -> datetime | None:
        """When it will be done if it goes on like this."""
        to_send = self.books.pending - self.outlook.held
        if not self.speed or not to_send:
            return None
        seconds = to_send / self.speed
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
    picture = pictures_of([campaign], role, lines=HISTORY)[campaign.pk]
    return replace(picture, dismissed=dict(campaign.dismissals.values_list("category", "count")))


def pictures_of(campaigns: Sequence[Campaign], role: Role, *, lines: int = RECENT) -> dict[int, Picture]:
    """How several campaigns stand, by id, with this many lines of history; as many queries as for one."""
    if not campaigns:
        return {}
    history = history_of(campaigns, lines)
    outlooks = outlooks_of(campaigns, history)
    books = books_of_many(campaign.pk for campaign in campaigns)
    paces = paces_of([campaign for campaign in campaigns if campaign.status == Status.SENDING])
    preparing = [campaign for campaign in campaigns if campaign.status == Status.PREPARING]
    frozen, generated = frozen_so_far(preparing), generated_so_far(preparing)
    rules = rules_of([campaign for campaign in campaigns if outlooks[campaign.pk].held])
    return {
        campaign.pk: Picture(
            campaign=campaign,
            role=role,
            books=books[campaign.pk],
            outlook=(outlook := outlooks[campaign.pk]),
            history=history[campaign.pk],
            pace=paces.get(campaign.pk),
            frozen=frozen.get(campaign.pk, 0),
            workers=workers.sending() if campaign.status == Status.SENDING and outlook.due else None,
            chooses_at=rules.get(campaign.pk),
            generated=generated.get(campaign.pk),
            chores=workers.doing_chores() if campaign.pk in generated else None,
        )
        for campaign in campaigns
    }


def history_of(campaigns: Sequence[Campaign], lines: int) -> dict[int, list[StatusChange]]:
    """The last lines of each history, the newest first."""
    place = Window(RowNumber(), partition_by="campaign", order_by=F("id").desc())
    changes = StatusChange.objects.filter(campaign__in=[campaign.pk for campaign in campaigns])
    found: dict[int, list[StatusChange]] = defaultdict(list)
    for change in changes.annotate(place=place).filter(place__lte=lines).select_related("by", "key").order_by("-id"):
        found[change.campaign_id].append(change)
    return found


def outlooks_of(campaigns: Sequence[Campaign], history: dict[int, list[StatusChange]]) -> dict[int, Outlook]:
    since = [
        next((change.at for change in history[c.pk] if change.from_status != change.to_status), c.created_at)
        for c in campaigns
    ]
    about: dict[str, Any] = {"campaigns": [campaign.pk for campaign in campaigns], "since": since}
    with connection.cursor() as cursor:
        cursor.execute(OUTLOOK, about | {"clock": clock.NAME, "lease": settings.LEASE_SECONDS})
        return {pk: Outlook(*rest) for pk, *rest in cursor.fetchall()}


def paces_of(campaigns: Sequence[Campaign]) -> dict[int, Pace]:
    """By campaign, the bucket its messages are taken from."""
    if not campaigns:
        return {}
    paces = Pace.objects.filter(workspace__in={campaign.workspace_id for campaign in campaigns})
    by_lane = {(pace.workspace_id, pace.channel, pace.sender): pace for pace in paces}
    names = chosen_names({campaign.workspace_id for campaign in campaigns})
    lanes = {c.pk: (c.workspace_id, c.channel, names[c.workspace_id, c.channel]) for c in campaigns}
    return {pk: by_lane[lane] for pk, lane in lanes.items() if lane in by_lane}


def rules_of(campaigns: Sequence[Campaign]) -> dict[int, datetime | None]:
    """By campaign, when the rule chooses the winner; not where a person has to."""
    if not campaigns:
        return {}
    launched = {campaign.pk: campaign.launched_at for campaign in campaigns}
    splits = Split.objects.filter(campaign__in=launched, winner=None, undecided_at=None)
    return {split.campaign_id: split.due_at(at) for split in splits if (at := launched[split.campaign_id])}


def frozen_so_far(campaigns: Sequence[Campaign]) -> dict[int, int]:
    """The highest number given, which is how many there are: nobody counts a million rows."""
    if not campaigns:
        return {}
    with connection.cursor() as cursor:
        cursor.execute(FROZEN, [[campaign.pk for campaign in campaigns]])
        return {pk: number or 0 for pk, number in cursor.fetchall()}


def generated_so_far(campaigns: Sequence[Campaign]) -> dict[int, int]:
    """Of those whose words are being generated, the number of the message up to which all are written."""
    asked = [campaign.pk for campaign in campaigns if campaign.generated_words]
    if not asked:
        return {}
    going = Generation.objects.filter(campaign__in=asked, done_at=None).order_by()
    return dict(going.values_list("campaign").annotate(least=Min("up_to")))
