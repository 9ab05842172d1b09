"""Settling: verdicts become rows, and rows become counts, in the same transaction and set by set.

Nothing here decides; whoever calls holds the batch (its lease and epoch) and the transaction.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from dispatcher.models import Category, Message, SkipReason
from dispatcher.verdicts import Verdict
from wires import arrays

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


# Of somebody who was erased while the call was under way nothing is kept that the provider says: it may name them.
SENT = """
    UPDATE dispatcher_message AS m
    SET status = 2, tries = m.tries + 1, last_error = '', category = NULL,
        provider_id = CASE WHEN m.recipient_id IS NULL THEN '' ELSE v.provider_id END,
        in_doubt_since = NULL, doubt_of_old_key = false,
        sent_at = clock_timestamp(), updated_at = clock_timestamp()
    FROM unnest(%s::bigint[], %s::int[], %s::text[]) AS v(id, tries, provider_id)
    WHERE m.id = v.id AND m.status = 1 AND m.tries = v.tries
"""
NOT_SENT = """
    UPDATE dispatcher_message AS m
    SET status = v.status, tries = m.tries + 1, retry_count = v.retry_count, category = v.category,
        last_error = CASE WHEN m.recipient_id IS NULL THEN '' ELSE v.error END,
        in_doubt_since = v.in_doubt_since, doubt_of_old_key = v.doubt_of_old_key,
        gives_up_at = coalesce(m.gives_up_at, clock_timestamp() + interval '24 hours'),
        updated_at = clock_timestamp()
    FROM unnest(%s::bigint[], %s::int[], %s::smallint[], %s::smallint[], %s::smallint[], %s::text[],
                %s::timestamptz[], %s::bool[])
         AS v(id, tries, status, retry_count, category, error, in_doubt_since, doubt_of_old_key)
    WHERE m.id = v.id AND m.status = 1 AND m.tries = v.tries
    RETURNING m.id, m.status, m.category, m.last_error
"""
ATTEMPTS = """
    INSERT INTO dispatcher_attempt (message_id, key, outcome, category, error)
    SELECT * FROM unnest(%s::bigint[], %s::uuid[], %s::smallint[], %s::smallint[], %s::text[])
"""


def write(cursor, verdicts: Iterable[Verdict]) -> Counts:
    """Write verdicts to their messages; a row that another settle already moved is left alone and not counted."""
    counts = Counts()
    verdicts = list(verdicts)
    sent = [v for v in verdicts if v.status == Status.SENT]
    if sent:
        cursor.execute(
            SENT,
            [
                arrays.plain(v.standing.id for v in sent),
                arrays.plain(v.standing.tries for v in sent),
                arrays.texts(v.provider_id for v in sent),
            ],
        )
        counts.ended[Status.SENT] = cursor.rowcount
        counts.helped += min(cursor.rowcount, sum(v.standing.retry_count > 0 for v in sent))
    others = [v for v in verdicts if v.status != Status.SENT]
    if others:
        _write_not_sent(cursor, others, counts)
    return counts


def _write_not_sent(cursor, verdicts: Sequence[Verdict], counts: Counts) -> None:
    cursor.execute(
        NOT_SENT,
        [
            [v.standing.id for v in verdicts],
            [v.standing.tries for v in verdicts],
            [v.status.value for v in verdicts],
            [v.retry_count for v in verdicts],
            [v.category for v in verdicts],
            [v.error for v in verdicts],
            [v.in_doubt_since for v in verdicts],
            [v.doubt_of_old_key for v in verdicts],
        ],
    )
    written = cursor.fetchall()
    count_rows(counts, ((status, category, None) for _, status, category, _ in written))
    errors = {pk: error for pk, *_, error in written}
    tried = [v for v in verdicts if v.outcome and v.standing.id in errors]
    if tried:
        cursor.execute(
            ATTEMPTS,
            [
                [v.standing.id for v in tried],
                [v.standing.key for v in tried],
                [v.outcome for v in tried],
                [v.category for v in tried],
                [errors[v.standing.id] for v in tried],
            ],
        )


def count_rows(counts: Counts, rows: Iterable[tuple[int, int | None, int | None]]) -> None:
    """Count changed rows: (new status, category, skip reason)."""
    for status, category, reason in rows:
        if status != Status.PENDING:
            counts.ended[Status(status)] += 1
        if status == Status.FAILED and category:
            counts.failed_by[category] += 1
        if status == Status.SKIPPED and reason:
            counts.skipped_by[reason] += 1


ADD_UP = """
    UPDATE dispatcher_batch
    SET pending = pending - %s, sent = sent + %s, failed = failed + %s, skipped = skipped + %s,
        cancelled = cancelled + %s, unknown = unknown + %s, settled_at = clock_timestamp(),
        failed_by = ARRAY(SELECT a + b FROM unnest(failed_by, %s::int[]) WITH ORDINALITY AS u(a, b, i) ORDER BY i),
        skipped_by = ARRAY(SELECT a + b FROM unnest(skipped_by, %s::int[]) WITH ORDINALITY AS u(a, b, i) ORDER BY i)
    WHERE id = %s
"""
ENDS = (Status.SENT, Status.FAILED, Status.SKIPPED, Status.CANCELLED, Status.UNKNOWN)


def add_up(cursor, batch: int, counts: Counts) -> int:
    """Add counts to their batch; returns the change of `pending` (never above zero)."""
    ended = [counts.ended[status] for status in ENDS]
    if not counts.settled:
        return 0
    by_category = [counts.failed_by[c] for c in Category.values]
    by_reason = [counts.skipped_by[r] for r in SkipReason.values]
    cursor.execute(ADD_UP, [sum(ended), *ended, by_category, by_reason, batch])
    return -sum(ended)
