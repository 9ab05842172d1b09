"""Settling: verdicts become rows, and rows become counts, in the same transaction and set by set.

Nothing here decides; whoever calls holds the batch (its lease and epoch) and the transaction.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain

from dispatcher.models import Category, Message, SkipReason
from dispatcher.verdicts import Verdict
from wires import arrays
from wires.trip import Trip

Status = Message.Status


@dataclass
class Counts:
    """How many messages of one batch left `pending`, by what they became and by reason."""

    ended: Counter[Status] = field(default_factory=Counter)
    failed_by: Counter[int] = field(default_factory=Counter)
    skipped_by: Counter[int] = field(default_factory=Counter)
    helped: int = 0  # sent by a try after one that failed

    @property
    def settled(self) -> int:
        return self.ended.total()

    def count(self, status: int, category: int | None, reason: int | None, many: int = 1) -> None:
        """So many rows have this status now."""
        if status != Status.PENDING:
            self.ended[Status(status)] += many
        if status == Status.FAILED and category:
            self.failed_by[category] += many
        if status == Status.SKIPPED and reason:
            self.skipped_by[reason] += many

    def add(self, others: "Counts") -> None:
        self.ended += others.ended
        self.failed_by += others.failed_by
        self.skipped_by += others.skipped_by
        self.helped += others.helped


# Between the first and the last: else a window of thousands is looked for among all messages there are.
# Of somebody who was erased while the call was under way nothing is kept that the provider says: it may name them.
SENT = """
    WITH moved AS (
        UPDATE dispatcher_message AS m
        SET status = 2, tries = m.tries + 1, last_error = '', category = NULL,
            provider_id = CASE WHEN m.recipient_id IS NULL THEN '' ELSE v.provider_id END,
            digest = CASE WHEN m.recipient_id IS NOT NULL THEN v.digest END,
            in_doubt_since = NULL, doubt_of_old_key = false,
            sent_at = clock_timestamp(), updated_at = clock_timestamp()
        FROM unnest(%s::bigint[], %s::bigint[], %s::int[], %s::text[], %s::bigint[])
             AS v(batch, id, tries, provider_id, digest)
        WHERE m.id = v.id AND m.id BETWEEN %s AND %s AND m.status = 1 AND m.tries = v.tries
        RETURNING v.batch, m.retry_count > 0 AS is_helped)
    SELECT batch, 2, NULL::int, count(*), count(*) FILTER (WHERE is_helped) FROM moved GROUP BY batch
"""
# With a row for each try that was one.
NOT_SENT = """
    WITH moved AS (
        UPDATE dispatcher_message AS m
        SET status = v.status, tries = m.tries + 1, retry_count = v.retry_count, category = v.category,
            last_error = CASE WHEN m.recipient_id IS NULL THEN '' ELSE v.error END,
            in_doubt_since = v.in_doubt_since, doubt_of_old_key = v.doubt_of_old_key,
            digest = CASE WHEN m.recipient_id IS NOT NULL THEN coalesce(v.digest, m.digest) END,
            gives_up_at = coalesce(m.gives_up_at, clock_timestamp() + interval '24 hours'),
            updated_at = clock_timestamp()
        FROM unnest(%s::bigint[], %s::bigint[], %s::uuid[], %s::int[], %s::smallint[], %s::smallint[], %s::smallint[],
                    %s::text[], %s::timestamptz[], %s::bool[], %s::smallint[], %s::bigint[])
             AS v(batch, id, key, tries, status, retry_count, category, error, in_doubt_since, doubt_of_old_key,
                  outcome, digest)
        WHERE m.id = v.id AND m.status = 1 AND m.tries = v.tries
        RETURNING v.batch, m.id, m.status, m.category, m.last_error AS error, v.key, v.outcome),
    tried AS (
        INSERT INTO dispatcher_attempt (message_id, key, outcome, category, error)
        SELECT id, key, outcome, category, error FROM moved WHERE outcome IS NOT NULL)
    SELECT batch, status, category, count(*), 0 FROM moved GROUP BY batch, status, category
"""


def write(cursor, verdicts: Mapping[int, Iterable[Verdict]]) -> dict[int, Counts]:
    """Write the verdicts on messages of each batch, and return what to add to it.

    A row that another settle already moved is left alone and not counted.
    """
    trip, counts = Trip(cursor), defaultdict[int, Counts](Counts)
    judged = [(batch, verdict) for batch, its in verdicts.items() for verdict in its]
    if sent := [pair for pair in judged if pair[1].status is Status.SENT]:
        trip.execute(SENT, _sent(sent))
    if others := [pair for pair in judged if pair[1].status is not Status.SENT]:
        trip.execute(NOT_SENT, _not_sent(others))
    for batch, status, category, many, helped in chain(*trip.go()):
        counts[batch].count(status, category, None, many)
        counts[batch].helped += helped
    return counts


def _sent(judged: Sequence[tuple[int, Verdict]]) -> list[object]:
    ids = [v.standing.id for _, v in judged]
    return [
        arrays.plain(batch for batch, _ in judged),
        arrays.plain(ids),
        arrays.plain(v.standing.tries for _, v in judged),
        arrays.texts(v.provider_id for _, v in judged),
        arrays.nullable(v.digest for _, v in judged),
        min(ids),
        max(ids),
    ]


def _not_sent(judged: Sequence[tuple[int, Verdict]]) -> list[str]:
    return [
        arrays.plain(batch for batch, _ in judged),
        arrays.plain(v.standing.id for _, v in judged),
        arrays.plain(v.standing.key for _, v in judged),
        arrays.plain(v.standing.tries for _, v in judged),
        arrays.plain(v.status.value for _, v in judged),
        arrays.plain(v.retry_count for _, v in judged),
        arrays.nullable(v.category for _, v in judged),
        arrays.texts(v.error for _, v in judged),
        arrays.nullable(v.in_doubt_since for _, v in judged),
        arrays.plain(v.doubt_of_old_key for _, v in judged),
        arrays.nullable(v.outcome for _, v in judged),
        arrays.nullable(v.digest for _, v in judged),
    ]


def count_rows(counts: Counts, rows: Iterable[tuple[int, int | None, int | None]]) -> None:
    """Count changed rows: (new status, category, skip reason)."""
    for status, category, reason in rows:
        counts.count(status, category, reason)


ADD_UP = """
    UPDATE dispatcher_batch AS b
    SET pending = b.pending - v.settled, sent = b.sent + v.sent, failed = b.failed + v.failed,
        skipped = b.skipped + v.skipped, cancelled = b.cancelled + v.cancelled, unknown = b.unknown + v.unknown,
        settled_at = clock_timestamp(),
        failed_by = ARRAY(SELECT x + y FROM unnest(b.failed_by, v.failed_by::int[]) WITH ORDINALITY AS u(x, y, i)
                          ORDER BY i),
        skipped_by = ARRAY(SELECT x + y FROM unnest(b.skipped_by, v.skipped_by::int[]) WITH ORDINALITY AS u(x, y, i)
                           ORDER BY i)
    FROM unnest(%s::bigint[], %s::int[], %s::int[], %s::int[], %s::int[], %s::int[], %s::int[], %s::text[], %s::text[])
         AS v(id, settled, sent, failed, skipped, cancelled, unknown, failed_by, skipped_by)
    WHERE b.id = v.id
"""
ENDS = (Status.SENT, Status.FAILED, Status.SKIPPED, Status.CANCELLED, Status.UNKNOWN)


def add_up(cursor, by_batch: Mapping[int, Counts]) -> None:
    """Add counts to their batches."""
    moved = {batch: counts for batch, counts in by_batch.items() if counts.settled}
    if not moved:
        return
    cursor.execute(
        ADD_UP,
        [
            arrays.plain(moved),
            arrays.plain(counts.settled for counts in moved.values()),
            *(arrays.plain(counts.ended[status] for counts in moved.values()) for status in ENDS),
            arrays.texts(_by(Category, counts.failed_by) for counts in moved.values()),
            arrays.texts(_by(SkipReason, counts.skipped_by) for counts in moved.values()),
        ],
    )


def _by(causes: type[Category] | type[SkipReason], counted: Counter[int]) -> str:
    return arrays.plain(counted[cause] for cause in causes.values)
