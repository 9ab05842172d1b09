"""Makes launched campaigns whose messages ended as the test says, with batches that count them rightly."""

from collections.abc import Iterable

from django.db import connection

from campaigns.models import Campaign
from dispatcher import operations
from dispatcher.models import Category, Message, SkipReason

Status = Message.Status
Outcome = tuple[Status, Category | SkipReason | None]

COUNT = """
    UPDATE dispatcher_batch AS b
    SET pending = n.pending, sent = n.sent, failed = n.failed, skipped = n.skipped, cancelled = n.cancelled,
        unknown = n.unknown, failed_by = n.failed_by, skipped_by = n.skipped_by, settled_at = clock_timestamp(),
        owner = '', in_flight = 0, due_at = CASE WHEN n.pending > 0 THEN coalesce(b.due_at, clock_timestamp()) END
    FROM (
        SELECT w.id, {counts}, ARRAY[{categories}]::int[] AS failed_by, ARRAY[{reasons}]::int[] AS skipped_by
        FROM dispatcher_batch w JOIN dispatcher_message m
             ON m.campaign_id = w.campaign_id AND m.number BETWEEN w.first AND w.last
        WHERE w.campaign_id = %s GROUP BY w.id) AS n
    WHERE b.id = n.id
""".format(  # noqa: S608 - built from our own words
    counts=", ".join(f"count(*) FILTER (WHERE status = {s.value}) AS {s.label}" for s in Status),
    categories=", ".join(f"count(*) FILTER (WHERE status = 3 AND category = {c})" for c in Category.values),
    reasons=", ".join(f"count(*) FILTER (WHERE status = 4 AND skip_reason = {r})" for r in SkipReason.values),
)


def settle(campaign: Campaign, outcomes: Iterable[Outcome]) -> Campaign:
    """End the messages of a launched campaign in this way, by their numbers, and count them in their batches."""
    for number, (status, why) in enumerate(outcomes, start=1):
        Message.objects.filter(campaign=campaign, number=number).update(
            status=status,
            category=why if status == Status.FAILED else None,
            skip_reason=why if status == Status.SKIPPED else None,
        )
    with connection.cursor() as cursor:
        cursor.execute(COUNT, [campaign.pk])
    campaign.refresh_from_db()
    return campaign


def launched(campaign: Campaign, *outcomes: Outcome) -> Campaign:
    """Launch, and end as many messages as there are outcomes."""
    operations.launch(campaign, by=None)
    campaign.refresh_from_db()
    return settle(campaign, outcomes) if outcomes else campaign


def sent(how_many: int = 1) -> list[Outcome]:
    return [(Status.SENT, None)] * how_many


def unknown(how_many: int = 1) -> list[Outcome]:
    return [(Status.UNKNOWN, None)] * how_many


def failed(category: Category = Category.BOUNCED, how_many: int = 1) -> list[Outcome]:
    return [(Status.FAILED, category)] * how_many
