"""The auditor: holds the books against the rows, and the rows against what the provider remembers.

Each check is one question in SQL whose answer should be empty; a row of the answer is a finding.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from django.db import connection

from campaigns.models import Campaign
from dispatcher import file_place, message_files
from dispatcher.books import Books, books_of
from dispatcher.models import MessageFile
from dispatcher.proof import disproved

Status = Campaign.Status

COUNTS_DIFFER = """
    SELECT format('batch %%s: the counters say %%s, the rows %%s', b.id,
                  ARRAY[b.total, b.pending, b.sent, b.failed, b.skipped, b.cancelled, b.unknown], r.counted)
    FROM dispatcher_batch b LEFT JOIN LATERAL (
        SELECT ARRAY[count(*), count(*) FILTER (WHERE status = 1), count(*) FILTER (WHERE status = 2),
                     count(*) FILTER (WHERE status = 3), count(*) FILTER (WHERE status = 4),
                     count(*) FILTER (WHERE status = 5), count(*) FILTER (WHERE status = 6)]::int[] AS counted
        FROM dispatcher_message m
        WHERE m.campaign_id = b.campaign_id AND m.number BETWEEN b.first AND b.last) r ON true
    WHERE b.campaign_id = %(campaign)s
      AND ARRAY[b.total, b.pending, b.sent, b.failed, b.skipped, b.cancelled, b.unknown] <> r.counted
"""
REASONS_DIFFER = """
    SELECT format('batch %%s: the counters of reasons differ from the rows', b.id)
    FROM dispatcher_batch b LEFT JOIN LATERAL (
        SELECT ARRAY(SELECT count(*) FILTER (WHERE m.status = 3 AND m.category = i)::int
                     FROM generate_series(1, cardinality(b.failed_by)) i LEFT JOIN dispatcher_message m
                       ON m.campaign_id = b.campaign_id AND m.number BETWEEN b.first AND b.last
                     GROUP BY i ORDER BY i) AS failed_by,
               ARRAY(SELECT count(*) FILTER (WHERE m.status = 4 AND m.skip_reason = i)::int
                     FROM generate_series(1, cardinality(b.skipped_by)) i LEFT JOIN dispatcher_message m
                       ON m.campaign_id = b.campaign_id AND m.number BETWEEN b.first AND b.last
                     GROUP BY i ORDER BY i) AS skipped_by) r ON true
    WHERE b.campaign_id = %(campaign)s AND (b.failed_by <> r.failed_by OR b.skipped_by <> r.skipped_by)
"""
OUTSIDE = """
    SELECT format('message %%s belongs to no batch', m.number) FROM dispatcher_message m
    WHERE m.campaign_id = %(campaign)s AND NOT %(preparing)s AND NOT EXISTS (
        SELECT FROM dispatcher_batch b
        WHERE b.campaign_id = m.campaign_id AND m.number BETWEEN b.first AND b.last)
"""
OPEN_AFTER_THE_END = """
    SELECT format('batch %%s is open although the campaign is over', b.id) FROM dispatcher_batch b
    WHERE b.campaign_id = %(campaign)s AND %(over)s AND (b.due_at IS NOT NULL OR b.pending > 0)
"""
HANDED_OVER_TOO_SOON = """
    SELECT format('message %%s was touched before the sending began', m.number) FROM dispatcher_message m
    WHERE m.campaign_id = %(campaign)s AND %(preparing)s AND (m.status NOT IN (1, 4) OR m.tries > 0)
"""
LEFT_IN_A_DRAFT = """
    SELECT format('message %%s belongs to a draft', m.number) FROM dispatcher_message m
    WHERE m.campaign_id = %(campaign)s AND %(draft)s
"""
FORGOTTEN = """
    SELECT format('message %%s waits for a pass that is over', m.number)
    FROM dispatcher_message m JOIN dispatcher_batch b
         ON b.campaign_id = m.campaign_id AND m.number BETWEEN b.first AND b.last
    WHERE m.campaign_id = %(campaign)s AND m.status = 1 AND m.tries < b.pass_no
"""
# Results are told by the counters of batches: what was handed over must be of the variant of its batch.
ASTRAY = """
    SELECT format('message %%s is of another variant than its batch', m.number)
    FROM dispatcher_message m JOIN dispatcher_batch b
         ON b.campaign_id = m.campaign_id AND m.number BETWEEN b.first AND b.last
    WHERE m.campaign_id = %(campaign)s AND m.status IN (2, 3, 6) AND m.variant <> b.variant
"""
# A message may have had several keys: its attempts remember those a person replaced.
KEYS = """
    keys AS (
        SELECT m.id, m.number, m.status, m.assumed, m.address, m.key FROM dispatcher_message m
        WHERE m.campaign_id = %(campaign)s
        UNION
        SELECT m.id, m.number, m.status, m.assumed, m.address, a.key
        FROM dispatcher_message m JOIN dispatcher_attempt a ON a.message_id = m.id
        WHERE m.campaign_id = %(campaign)s),
    accepted AS (
        SELECT k.id, k.number, k.status, k.assumed, k.key, count(c.id) AS times,
               bool_or(c.address <> k.address) AS astray
        FROM keys k LEFT JOIN simulator_call c ON c.key = k.key AND c.accepted
        GROUP BY 1, 2, 3, 4, 5)
"""
PROVIDER_SAYS = (
    ("was accepted twice", "times > 1"),
    ("went to another address", "astray"),
    ("is called failed, skipped or cancelled, but was accepted", "status IN (3, 4, 5) AND times > 0"),
)
# Asked only of what was handed to it: of what went through a mail server it knows nothing.
NEVER_ACCEPTED = f"""
    WITH {KEYS}
    SELECT format('message %%s is called sent, but the provider never accepted it', number) FROM accepted
    WHERE EXISTS (SELECT FROM dispatcher_batch b WHERE b.campaign_id = %(campaign)s
                    AND accepted.number BETWEEN b.first AND b.last AND b.account LIKE 'simulated %%'
                    AND NOT b.changed_hands)
    GROUP BY id, number HAVING bool_and(status = 2 AND NOT assumed) AND sum(times) = 0
"""
TWICE_UNASKED = f"""
    WITH {KEYS}
    SELECT format('message %%s was accepted under %%s keys without a person asking', number, count(*))
    FROM accepted WHERE times > 0 GROUP BY id, number
    HAVING count(*) > 1 + (SELECT count(DISTINCT a.key) FROM dispatcher_attempt a
                           WHERE a.message_id = accepted.id AND a.outcome = 3
                             AND a.key <> (SELECT key FROM dispatcher_message WHERE id = accepted.id))
"""


@dataclass(frozen=True)
class Finding:
    """Something that should not be so."""

    campaign: int
    sentence: str

    def __str__(self) -> str:
        return f"campaign {self.campaign}: {self.sentence}"


def findings(campaign: Campaign) -> Iterator[Finding]:
    """Everything wrong with this campaign's books; nothing, if the promise was kept."""
    books = books_of(campaign)
    if not books.balances:
        yield Finding(campaign.pk, "the books do not balance")
    if campaign.status == Status.SENT and not books.sent:
        yield Finding(campaign.pk, "is called sent, but nothing was")
    if campaign.status == Status.FAILED and books.sent:
        yield Finding(campaign.pk, f"is called failed, but {books.sent} were sent")
    values = {
        "campaign": campaign.pk,
        "over": campaign.finished_at is not None,
        "preparing": campaign.status == Status.PREPARING,
        "draft": campaign.is_editable,
    }
    if campaign.stored_at:
        yield from (Finding(campaign.pk, sentence) for sentence in wrong_when_stored(campaign, books))
        return
    questions = [COUNTS_DIFFER, REASONS_DIFFER, OUTSIDE, HANDED_OVER_TOO_SOON, LEFT_IN_A_DRAFT]
    questions += [OPEN_AFTER_THE_END, FORGOTTEN, ASTRAY, NEVER_ACCEPTED, TWICE_UNASKED]
    for what, condition in PROVIDER_SAYS:
        questions.append(f"WITH {KEYS} SELECT format('message %%s {what}', number) FROM accepted WHERE {condition}")
    with connection.cursor() as cursor:
        for question in questions:
            cursor.execute(question, values)
            rows = cursor.fetchall()
            if rows and Campaign.objects.filter(pk=campaign.pk, stored_at__isnull=False).exists():
                yield from (Finding(campaign.pk, sentence) for sentence in wrong_when_stored(campaign, books))
                return  # its messages were moved to a file while we counted
            yield from (Finding(campaign.pk, sentence) for (sentence,) in rows)
    for number in disproved(campaign):
        yield Finding(campaign.pk, f"message {number} says other words than those that were sent")


def wrong_when_stored(campaign: Campaign, books: Books) -> Iterator[str]:
    """Messages that were moved to a file are counted there: it must be as it was written, and agree with the books."""
    file = file_place.kept(campaign)
    if file is None:
        yield "its messages were moved to a file that is not on record"
    elif wrong := file_place.wrong_with(file):
        yield wrong
    else:
        yield from wrong_with_counts(file, books)
    if campaign.batches.filter(due_at__isnull=False).exists():
        yield "a batch is open although its messages were moved to a file"


def wrong_with_counts(file: MessageFile, books: Books) -> Iterator[str]:
    try:
        told = message_files.counts_in(file_place.path_of(file))
    except message_files.Damaged as error:
        yield str(error)
        return
    if file.messages != books.total:
        yield f"the books say {books.total:,} messages, the file {file.messages:,}"
    if told != (counts := message_files.counts_of(books)):
        yield f"the books say {in_words(counts)}; the file says {in_words(told)}"


def in_words(counts: dict[str, int]) -> str:
    return ", ".join(f"{n:,} {name}" for name, n in counts.items() if n)


def strays() -> Iterator[str]:
    """What the provider accepted although no message of ours has such a key."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT c.key, c.address FROM simulator_call c
            WHERE NOT EXISTS (SELECT FROM dispatcher_message m WHERE m.key = c.key)
              AND NOT EXISTS (SELECT FROM dispatcher_attempt a WHERE a.key = c.key)
            """
        )
        yield from (f"the provider knows a message to {address} that we do not: {key}" for key, address in cursor)
