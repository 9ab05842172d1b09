"""How the work flows now: what waits, how fast it goes, who works at what, and what went wrong in the last hour."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import connection
from django.db.models import Q
from django.db.models.functions import Now

from accounts.models import Role, Workspace
from campaigns.models import Campaign
from dispatcher import clock, workers
from dispatcher.picture import Picture, pictures_of
from dispatcher.why import Why, why
from dispatcher.workers import Worker

Status = Campaign.Status
MINUTES = 60
SHOWN = 25  # campaigns
HEIGHT = 100  # of the chart, in its own units; a minute is 10 of them wide

# Only open batches are read: what is over costs nothing here.
NOW = """
    SELECT clock_timestamp(), (SELECT at FROM dispatcher_heartbeat WHERE name = %(clock)s),
           coalesce(sum(b.pending), 0),
           coalesce(sum(b.in_flight) FILTER (WHERE b.owner <> '' AND b.due_at > clock_timestamp()), 0),
           coalesce(sum(b.pending) FILTER (WHERE c.status <> 5 AND b.due_at <= clock_timestamp()), 0),
           min(b.due_at) FILTER (WHERE c.status <> 5 AND b.due_at <= clock_timestamp())
    FROM campaigns_campaign c JOIN dispatcher_batch b ON b.campaign_id = c.id AND b.due_at IS NOT NULL
    WHERE c.status IN (4, 5, 8) AND c.finished_at IS NULL AND c.workspace_id = coalesce(%(workspace)s, c.workspace_id)
"""
LATELY = """
    SELECT date_trunc('minute', s.at), sum(s.settled), sum(s.helped), sum(s.lapses)
    FROM dispatcher_settlement s JOIN campaigns_campaign c ON c.id = s.campaign_id
    WHERE s.at >= date_trunc('minute', clock_timestamp()) - %(minutes)s * interval '1 minute'
      AND c.workspace_id = coalesce(%(workspace)s, c.workspace_id)
    GROUP BY 1
"""
HELD = """
    SELECT b.owner, c.id, c.workspace_id, c.name, b.first, b.first + b.total - 1, b.in_flight
    FROM campaigns_campaign c JOIN dispatcher_batch b ON b.campaign_id = c.id
    WHERE c.status IN (4, 5, 8) AND c.finished_at IS NULL AND b.owner <> '' AND b.due_at > clock_timestamp()
    ORDER BY b.owner, b.id LIMIT 500
"""


@dataclass(frozen=True)
class Minute:
    """One bar of the chart: what was settled in this minute, and where it is drawn."""

    at: datetime
    settled: int
    place: int
    most: int

    @property
    def x(self) -> str:
        return str(self.place * 10 + 1)

    @property
    def height(self) -> str:
        """The smallest bar stays visible."""
        return f"{max(1.5, HEIGHT * self.settled / self.most):.1f}" if self.settled else "0"

    @property
    def y(self) -> str:
        return f"{HEIGHT - float(self.height):.1f}"


@dataclass(frozen=True)
class Held:
    """One batch in a worker's hands; of one that is not to be told only that it is another workspace's."""

    campaign: str
    is_ours: bool
    name: str = ""
    first: int = 0
    last: int = 0
    in_flight: int = 0


@dataclass(frozen=True)
class Hand:
    """A worker and what it holds; `worker` is None for an owner of batches that is not heard of.

    `name` is its host and process for the staff of the installation, else its place on the list.
    """

    name: str
    worker: Worker | None
    held: list[Held]

    @property
    def is_busy(self) -> bool:
        return bool(self.held) or (self.worker is not None and self.worker.state == "busy")


@dataclass(frozen=True)
class Queue:
    """How the work of one workspace, or of all, stands now."""

    of_all: bool
    now: datetime
    clock_at: datetime | None
    waiting: int
    in_flight: int
    due: int
    due_since: datetime | None
    minutes: list[Minute]
    helped: int
    lapses: int
    hands: list[Hand] | None
    pictures: list[Picture]

    @property
    def clock_ticks(self) -> bool:
        return self.clock_at is not None and self.now - self.clock_at < clock.SILENT_AFTER

    @property
    def oldest(self) -> float | None:
        """For how many seconds the oldest of what is due has waited."""
        return (self.now - self.due_since).total_seconds() if self.due_since else None

    @property
    def settled(self) -> int:
        return sum(minute.settled for minute in self.minutes)

    @property
    def last_minute(self) -> int:
        """Settled in the last whole minute."""
        return self.minutes[-2].settled

    @property
    def most(self) -> int:
        return max(minute.settled for minute in self.minutes)

    @property
    def busy_minutes(self) -> list[Minute]:
        """The newest first, for those who read the chart as a table."""
        return [minute for minute in reversed(self.minutes) if minute.settled]

    @property
    def campaigns(self) -> Iterator[tuple[Picture, Why]]:
        return ((picture, why(picture)) for picture in self.pictures)

    @property
    def sending_hands(self) -> int:
        return sum(hand.worker is not None and hand.worker.queue == "dispatch" for hand in self.hands or [])


def queue_of(workspace: Workspace, *, of_all: bool = False, for_staff: bool = False) -> Queue:
    """Read how the work of this workspace stands, or that of the whole installation.

    Only the staff of the installation is told on which machines it is done.
    """
    about = {"workspace": None if of_all else workspace.pk, "clock": clock.NAME, "minutes": MINUTES - 1}
    with connection.cursor() as cursor:
        cursor.execute(NOW, about)
        now, beat, waiting, in_flight, due, since = cursor.fetchone()
        cursor.execute(LATELY, about)
        lately = {at: counts for at, *counts in cursor.fetchall()}
        cursor.execute(HELD)
        held = cursor.fetchall()
    return Queue(
        of_all=of_all,
        now=now,
        clock_at=beat,
        waiting=waiting,
        in_flight=in_flight,
        due=due,
        due_since=since,
        minutes=minutes_of(now, {at: settled for at, (settled, _, _) in lately.items()}),
        helped=sum(helped for _, helped, _ in lately.values()),
        lapses=sum(lapses for _, _, lapses in lately.values()),
        hands=hands_of(held, workspace, of_all=of_all, for_staff=for_staff),
        pictures=under_way(workspace, of_all=of_all),
    )


def minutes_of(now: datetime, settled: dict[datetime, int]) -> list[Minute]:
    """The last hour minute by minute, the one that is not over yet at the end."""
    last = now.replace(second=0, microsecond=0)
    most = max(1, *settled.values()) if settled else 1
    times = [last - timedelta(minutes=MINUTES - 1 - place) for place in range(MINUTES)]
    return [Minute(at, settled.get(at, 0), place, most) for place, at in enumerate(times)]


def hands_of(rows: list[tuple], workspace: Workspace, *, of_all: bool, for_staff: bool) -> list[Hand] | None:
    """Every worker that is alive and every owner of a batch; None when Redis does not answer."""
    held: dict[str, list[Held]] = {}
    for owner, campaign, its_workspace, name, first, last, in_flight in rows:
        is_ours = its_workspace == workspace.pk
        told = (name, first, last, in_flight) if is_ours or of_all else ()
        held.setdefault(owner, []).append(Held(str(campaign), is_ours, *told))
    known = workers.known()
    if known is None:
        return None
    found: list[tuple[str, Worker | None, list[Held]]] = [(w.owner, w, held.pop(w.owner, [])) for w in known]
    found += [(owner, None, batches) for owner, batches in sorted(held.items())]
    return [
        Hand(owner if for_staff else f"Worker {number}", worker, batches)
        for number, (owner, worker, batches) in enumerate(found, start=1)
    ]


def under_way(workspace: Workspace, *, of_all: bool) -> list[Picture]:
    """The campaigns that are sent, stopped or overdue, in the order in which they are served."""
    running = Q(status__in=[Status.PREPARING, Status.SENDING, Status.PAUSED])
    closing = Q(status=Status.CANCELLED, launched_at__isnull=False, finished_at=None)
    overdue = Q(status=Status.SCHEDULED, scheduled_at__lt=Now())
    found = Campaign.objects.filter(running | closing | overdue).select_related("workspace", "created_by")
    if not of_all:
        found = found.filter(workspace=workspace)
    campaigns = list(found.order_by("priority", "launched_at", "pk")[:SHOWN])
    return list(pictures_of(campaigns, Role.VIEWER).values())
