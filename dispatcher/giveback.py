"""How a batch leaves a worker's hands: closed, cancelled, put off to its next pass, or simply let go."""

import logging
from collections.abc import Iterable

from django.conf import settings
from django.db import connection

from dispatcher import settle
from dispatcher.lease import CANCELLED, SENDING, Lease
from dispatcher.pace import LONGEST_CLOSURE
from dispatcher.verdicts import WAITS
from wires import arrays

logger = logging.getLogger(__name__)

RENEW = """
    UPDATE dispatcher_batch AS b
    SET due_at = clock_timestamp() + %s * interval '1 second', handed_up_to = v.upto, in_flight = v.flying,
        first_intent_at = CASE WHEN v.upto >= b.first THEN coalesce(b.first_intent_at, clock_timestamp()) END
    FROM unnest(%s::bigint[], %s::int[], %s::int[]) AS v(id, upto, flying) WHERE b.id = v.id
"""
CLOSE = """
    UPDATE dispatcher_batch AS b SET due_at = NULL, owner = '', in_flight = 0, lapses = 0
    WHERE id = %s AND pending = 0 AND NOT EXISTS (
        SELECT FROM dispatcher_message m
        WHERE m.campaign_id = b.campaign_id AND m.number BETWEEN b.first AND b.last AND m.status = 1)
"""
LET_GO = """
    UPDATE dispatcher_batch SET owner = '', in_flight = 0, due_at = clock_timestamp() + %s * interval '1 second'
    WHERE id = %s
"""
TRIED = """
    SELECT max(retry_count) FROM dispatcher_message WHERE campaign_id = %s AND number BETWEEN %s AND %s AND status = 1
"""
PUT_OFF = """
    UPDATE dispatcher_batch
    SET pass_no = pass_no + 1, handed_up_to = first - 1, first_intent_at = NULL, owner = '', in_flight = 0,
        due_at = clock_timestamp() + %s * interval '1 second'
    WHERE id = %s
"""
CANCEL = """
    UPDATE dispatcher_message
    SET status = CASE WHEN in_doubt_since IS NOT NULL OR doubt_of_old_key THEN 6 ELSE 5 END,
        updated_at = clock_timestamp()
    WHERE campaign_id = %s AND number BETWEEN %s AND %s AND status = 1
    RETURNING status, category, skip_reason
"""
DUE_SOON = """
    SELECT EXISTS (
        SELECT FROM dispatcher_batch b JOIN campaigns_campaign c ON c.id = b.campaign_id
        WHERE b.due_at < clock_timestamp() + interval '2 seconds' AND b.owner = ''
          AND c.status IN (%s, %s) AND c.finished_at IS NULL)
"""


def renew(cursor, leases: Iterable[Lease]) -> None:
    """Lengthen the leases, and write how far each is handed up and how many calls are in flight."""
    leases = list(leases)
    cursor.execute(
        RENEW,
        [
            settings.LEASE_SECONDS,
            arrays.plain(lease.batch for lease in leases),
            arrays.plain(lease.noted_up_to for lease in leases),
            arrays.plain(lease.flying for lease in leases),
        ],
    )


def close(cursor, lease: Lease) -> None:
    """Nothing is pending, say the batch's own counter and its rows; where they differ it stays open and is reported."""
    cursor.execute(CLOSE, [lease.batch])
    if not cursor.rowcount:
        facts = {"batch": lease.batch, "campaign": lease.content.campaign}
        logger.error("batch %s cannot be closed: its counter and its rows differ", lease.batch, extra=facts)


def cancel(cursor, lease: Lease) -> settle.Counts:
    """Cancel what was not handed over, call unknown what is in doubt, and close. Returns how many became what."""
    cursor.execute(CANCEL, [lease.content.campaign, lease.first, lease.last])
    counts = settle.Counts()
    settle.count_rows(counts, cursor.fetchall())
    settle.add_up(cursor, {lease.batch: counts})
    close(cursor, lease)
    return counts


def put_off(cursor, lease: Lease) -> None:
    """All of this pass is settled: what is still pending is due again, in the next pass, after its wait."""
    cursor.execute(TRIED, [lease.content.campaign, lease.first, lease.last])
    tried = cursor.fetchone()[0] or 0
    waits = WAITS[lease.content.terms.policy]
    wait = waits[min(tried, len(waits)) - 1] if tried and waits else 0
    asked = min(lease.asked, LONGEST_CLOSURE)
    cursor.execute(PUT_OFF, [max(wait, asked, lease.due_in or 0), lease.batch])


def let_go(cursor, lease: Lease) -> None:
    """Free for any worker, now or when pace has tokens again."""
    cursor.execute(LET_GO, [lease.due_in or 0, lease.batch])


def due_soon() -> bool:
    """Whether waiting a moment is worth it: something is due within two seconds."""
    with connection.cursor() as cursor:
        cursor.execute(DUE_SOON, [SENDING, CANCELLED])
        return cursor.fetchone()[0]
