"""How long a campaign would take and when it would be over, as far as anybody can know before it begins."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

from django.db import connection
from django.utils import timezone

from campaigns.models import Campaign, Split
from dispatcher import clock, freeze, workers
from dispatcher.books import books_of_many
from dispatcher.chosen import chosen_sender
from dispatcher.models import Pace
from people.channels import Channel

Status = Campaign.Status
ENOUGH = 100  # messages from which a speed can be told
LOOKED_BACK = 5  # campaigns that are over, where nothing was sent lately
LONGEST = 365 * 86_400

# The speed at which a message was sent lately, on average over the messages: stragglers hardly count.
MEASURED = """
    SELECT coalesce(sum(n), 0), sum(n * n) / nullif(sum(n), 0) FROM (
        SELECT sum(s.settled)::numeric AS n FROM dispatcher_settlement s
        JOIN campaigns_campaign c ON c.id = s.campaign_id
        WHERE c.workspace_id = %s AND c.channel = %s GROUP BY date_trunc('second', s.at)) AS seconds
"""
# What goes before it or shares the workers with it; what waits for tomorrow does neither.
AHEAD = """
    SELECT coalesce(sum(b.pending), 0), coalesce(sum(b.pending) FILTER (WHERE c.workspace_id = %s), 0)
    FROM campaigns_campaign c JOIN dispatcher_batch b ON b.campaign_id = c.id
    WHERE c.status = 4 AND c.id <> %s AND c.priority <= %s AND b.due_at < clock_timestamp() + interval '1 hour'
      AND (NOT %s OR (c.workspace_id = %s AND c.channel = %s))
"""


@dataclass(frozen=True)
class Speed:
    """Messages a second, and from where that is known; `is_most` where it is a limit that may not be reached."""

    rate: float
    known_from: str
    is_most: bool = False


class Ahead(NamedTuple):
    """Messages that go before it or with it; people are told of those of their own workspace only."""

    messages: int = 0
    own: int = 0

    @property
    def has_others(self) -> bool:
        return self.messages > self.own


@dataclass(frozen=True)
class Prediction:
    """What is `ahead` takes its time, too; `unknown` says what keeps us from telling."""

    starts_at: datetime
    people: int
    speed: Speed | None
    ahead: Ahead
    waits: float
    unknown: str = ""

    @property
    def seconds(self) -> float | None:
        """From its start to its end; None where it is unknown."""
        if self.unknown or self.speed is None:
            return None
        return min(self.waits + (self.ahead.messages + self.people) / self.speed.rate, LONGEST)

    @property
    def ends_at(self) -> datetime | None:
        return None if self.seconds is None else self.starts_at + timedelta(seconds=self.seconds)


def predict(campaign: Campaign, people: int, *, undo_seconds: int = 0) -> Prediction:
    """For so many people, if it were launched now or, scheduled, at its time."""
    now = timezone.now()
    later = campaign.scheduled_at if campaign.status == Status.SCHEDULED else None
    starts_at = max(now + timedelta(seconds=undo_seconds), later or now)
    pace = pace_of(campaign)
    speed = speed_of(campaign, pace)
    closed = pace.closed_until - starts_at if pace and pace.closed_until else timedelta(0)
    split = Split.of(campaign)
    chosen_after = timedelta(hours=split.after_hours) if split and split.waits else timedelta(0)
    return Prediction(
        starts_at=starts_at,
        people=people,
        speed=speed,
        ahead=Ahead() if later else ahead_of(campaign, of_its_lane=speed is not None and speed.known_from == LIMIT),
        waits=max(0.0, closed.total_seconds()) + chosen_after.total_seconds(),
        unknown=what_keeps_it(campaign, people, undo_seconds)
        or (NOBODY_KNOWS if split and split.waits and not split.measure else "")
        or ("" if speed else NOTHING_MEASURED),
    )


LIMIT = "the limit of this sender"
NOBODY_KNOWS = "It ends when somebody has chosen the winner."
NOTHING_MEASURED = "How long it takes is not known yet: too little was sent over this channel to tell."


def what_keeps_it(campaign: Campaign, people: int, undo_seconds: int) -> str:
    """Why it would not start at all, or not be sent; empty where nothing does."""
    sending = workers.sending()
    if sending is None:
        return "Workers cannot be called: the queue (Redis) does not answer. It starts when it is back."
    if not sending:
        return "No worker is running: nothing would be sent before one is."
    needs_clock = undo_seconds or people > freeze.CHUNK or campaign.status == Status.SCHEDULED
    return "No clock is running: it would not start before one is." if needs_clock and not clock.is_alive() else ""


def pace_of(campaign: Campaign) -> Pace | None:
    sender = chosen_sender(campaign.workspace_id, campaign.channel).sender
    return Pace.objects.filter(workspace=campaign.workspace_id, channel=campaign.channel, sender=sender).first()


def speed_of(campaign: Campaign, pace: Pace | None) -> Speed | None:
    """As lately, else as the last campaigns; never above the limit."""
    speed = measured(campaign) or as_before(campaign)
    limit = pace.limit if pace else None
    if limit and (speed is None or speed.rate >= 0.9 * limit):
        return Speed(limit, LIMIT, is_most=speed is None)
    return speed


def measured(campaign: Campaign) -> Speed | None:
    with connection.cursor() as cursor:
        cursor.execute(MEASURED, [campaign.workspace_id, campaign.channel])
        many, rate = cursor.fetchone()
    return Speed(float(rate), "as measured within the last hour") if many >= ENOUGH else None


def as_before(campaign: Campaign) -> Speed | None:
    """The quickest of the last campaigns: pauses and retries make some slower, nothing makes one quicker."""
    over = Campaign.objects.filter(
        workspace=campaign.workspace_id,
        channel=campaign.channel,
        launched_at__isnull=False,
        finished_at__isnull=False,
        status=Status.SENT,
    )
    found = list(over.order_by("-id")[:LOOKED_BACK])
    books = books_of_many([each.pk for each in found])
    speeds = [
        (books[each.pk].sent / max(1.0, seconds), each.name)
        for each in found
        if each.finished_at and (seconds := (each.finished_at - begun(each)).total_seconds()) >= 0
        if books[each.pk].sent >= ENOUGH
    ]
    rate, name = max(speeds, default=(0.0, ""))
    return Speed(rate, f"as fast as “{name}” went") if rate else None


def begun(campaign: Campaign) -> datetime:
    return campaign.held_until or campaign.launched_at or campaign.created_at


def ahead_of(campaign: Campaign, *, of_its_lane: bool) -> Ahead:
    """Where a limit decides, only what falls under the same limit counts."""
    about = [
        campaign.workspace_id,
        campaign.pk or 0,
        campaign.priority,
        of_its_lane,
        campaign.workspace_id,
        Channel(campaign.channel),
    ]
    with connection.cursor() as cursor:
        cursor.execute(AHEAD, about)
        return Ahead(*map(int, cursor.fetchone()))
