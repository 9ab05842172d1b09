"""How the work stands over the API: what waits and how fast it goes, and how the day went."""

from datetime import datetime
from typing import Any, Literal

from django.db.models import Q, Sum
from django.utils import timezone
from ninja import Field, Router, Schema

from accounts.access import KeyRequest, may
from accounts.models import Workspace
from campaigns.models import Campaign
from dispatcher.models import Batch
from dispatcher.queue_page import Queue, queue_of

router = Router(tags=["the house"])
NOT_BEGUN = (Campaign.Status.DRAFT, Campaign.Status.SCHEDULED, Campaign.Status.PREPARING)


class QueueCounts(Schema):
    waiting: int = Field(description="Messages that are still to be handed over.")
    due: int = Field(description="Of them, those nothing stands in the way of.")
    in_flight: int = Field(description="Handed over, their answer not heard yet.")


class QueueOut(Schema):
    counts: QueueCounts
    rate_per_minute: int = Field(description="Outcomes in the last whole minute.")
    last_hour: int = Field(description="Outcomes in the last hour.")
    oldest_seconds: float | None = Field(description="How long the oldest of what is due has waited.")
    workers: int | None = Field(description="That send; null when the queue does not answer.")
    health: Literal["healthy", "degraded", "unhealthy"]
    at: datetime


@router.get("queue/stats", response=QueueOut, summary="What waits, and how fast it goes", operation_id="show_queue")
@may("read")
def queue_stats(request: KeyRequest) -> dict[str, Any]:
    """Of the key's workspace; workers serve all workspaces."""
    queue = queue_of(request.workspace)
    return {
        "counts": {"waiting": queue.waiting, "due": queue.due, "in_flight": queue.in_flight},
        "rate_per_minute": queue.last_minute,
        "last_hour": queue.settled,
        "oldest_seconds": queue.oldest,
        "workers": None if queue.hands is None else queue.sending_hands,
        "health": health_of(queue),
        "at": queue.now,
    }


def health_of(queue: Queue) -> str:
    if queue.hands is None:
        return "unhealthy"
    return "healthy" if queue.sending_hands and queue.clock_ticks else "degraded"


class DayOut(Schema):
    campaigns_today: int = Field(description="Campaigns that began to be sent since midnight.")
    sent_today: int = Field(description="In batches that were settled since midnight where the workspace is.")
    failed_today: int
    failure_rate: float = Field(description="Of 100 percent of both.")
    since: datetime


@router.get("stats", response=DayOut, summary="How the day went", operation_id="show_day")
@may("read")
def day(request: KeyRequest) -> dict[str, Any]:
    here = timezone.now().astimezone(request.workspace.zone)
    since = here.replace(hour=0, minute=0, second=0, microsecond=0)
    sent, failed = settled_since(request.workspace, since)
    rate = round(100 * failed / (sent + failed), 2) if sent + failed else 0
    begun = request.workspace.campaigns.filter(launched_at__gte=since).exclude(status__in=NOT_BEGUN)
    told = {"campaigns_today": begun.count(), "sent_today": sent, "failed_today": failed}
    return told | {"failure_rate": rate, "since": since}


def settled_since(workspace: Workspace, since: datetime) -> tuple[int, int]:
    """How many were sent and failed, by the counters of the batches: nobody counts a million messages."""
    open_then = Q(campaign__finished_at=None) | Q(campaign__finished_at__gte=since)
    batches = Batch.objects.filter(open_then, campaign__workspace=workspace, settled_at__gte=since)
    sums = batches.aggregate(sent=Sum("sent", default=0), failed=Sum("failed", default=0))
    return sums["sent"], sums["failed"]
