"""Leases: how a worker comes to own a batch for a while, and what it finds when the last owner never came back."""

import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from django.conf import settings
from django.db import connection, transaction

from campaigns.models import Campaign
from dispatcher import settle
from dispatcher.content import Content, content_of
from dispatcher.crash import crash_point
from dispatcher.handover import Call, Handover, StillOpening, Term
from dispatcher.senders.parcel import Unreachable, Unsure
from dispatcher.verdicts import Standing, judge
from wires import arrays
from wires.trip import Trip

OPENING_AGAIN = 0.1  # seconds until one looks again whether a sender is open, or a campaign free
SENDING, PAUSED, CANCELLED = Campaign.Status.SENDING, Campaign.Status.PAUSED, Campaign.Status.CANCELLED


@dataclass(slots=True, eq=False)
class Lease:
    """One batch in this worker's hands. What is committed is changed after the commit only."""

    batch: int
    content: Content
    first: int
    last: int
    epoch: int
    pass_no: int
    handed_up_to: int
    pending: int
    term: Term
    first_intent_at: datetime | None = None
    lapses: int = 0  # how many workers were lost over it
    priority: int = Campaign.Priority.NORMAL  # of its campaign, as it is now
    in_flight: set[Call] = field(default_factory=set)
    noted_up_to: int = 0  # handed_up_to as the transaction under way will leave it
    flying: int = 0  # calls in flight once it is committed
    due_in: float | None = None  # seconds until pace has tokens again
    asked: float = 0  # seconds for which the provider puts one of its messages off
    is_held_back: bool = False  # its sender has as many in hand as it may
    is_lapsed: bool = False  # the worker who had it was lost
    found: settle.Counts = field(default_factory=settle.Counts)  # what became of those in doubt when it was taken

    @property
    def pass_is_over(self) -> bool:
        return self.noted_up_to >= self.last


# The campaign that has the fewest workers goes first within its priority, so that a big one starves nobody. Of equals
# the older one, but where the pace is limited the one that was served longer ago: else it would have every token.
# Of a paused one only what a lost worker had in hand is taken: its suspects are settled, and it is let go again.
# Those who wait for the winner are nobody's before it is chosen, however their batch came to be due.
PICK = """
    SELECT c.id FROM campaigns_campaign c
    WHERE c.status IN (%(sending)s, %(paused)s, %(cancelled)s) AND c.launched_at IS NOT NULL AND c.finished_at IS NULL
      AND (c.status = %(cancelled)s OR c.id <> ALL(%(waiting)s::bigint[]))
      AND EXISTS (SELECT FROM dispatcher_batch b WHERE b.campaign_id = c.id AND b.due_at <= clock_timestamp()
                  AND (c.status <> %(paused)s OR b.owner <> '')
                  AND (NOT b.is_rest OR b.variant > 0 OR c.status = %(cancelled)s))
    ORDER BY c.priority,
             (SELECT count(*) FROM dispatcher_batch b
              WHERE b.campaign_id = c.id AND b.due_at > clock_timestamp() AND b.owner <> ''),
             CASE WHEN EXISTS (SELECT FROM dispatcher_pace p WHERE p.workspace_id = c.workspace_id
                               AND p.channel = c.channel AND coalesce(p.rate, p."limit") IS NOT NULL)
                  THEN coalesce((SELECT max(b.settled_at) FROM dispatcher_batch b WHERE b.campaign_id = c.id),
                                c.launched_at)
                  ELSE c.launched_at END
    LIMIT 1
"""
# A common table expression, which is worked out once: a subquery may be planned as the inner side of a loop, and then
# each round of it would find and take as many batches again. What a lost worker held goes first: it waited longest.
TAKE = """
    WITH free AS MATERIALIZED (
        SELECT o.id, o.owner, o.account FROM dispatcher_batch o JOIN campaigns_campaign c ON c.id = o.campaign_id
        WHERE o.campaign_id = %(campaign)s AND o.due_at <= clock_timestamp()
          AND (c.status IN (%(sending)s, %(cancelled)s) OR c.status = %(paused)s AND o.owner <> '')
          AND (NOT o.is_rest OR o.variant > 0 OR c.status = %(cancelled)s)
        ORDER BY o.owner = '', o.due_at, o.id LIMIT %(count)s FOR UPDATE OF o SKIP LOCKED)
    UPDATE dispatcher_batch AS b
    SET epoch = epoch + 1, owner = %(owner)s, in_flight = 0,
        account = CASE WHEN %(account)s = '' THEN b.account ELSE %(account)s END,
        due_at = clock_timestamp() + %(lease)s * interval '1 second',
        lapses = lapses + (free.owner <> '')::int,
        changed_hands = changed_hands OR (%(account)s NOT IN ('', b.account)
                                          AND (b.pass_no > 0 OR b.handed_up_to >= b.first))
    FROM free WHERE b.id = free.id
    RETURNING b.id, b.first, b.last, b.epoch, b.pass_no, b.handed_up_to, b.pending, b.first_intent_at, b.lapses,
              b.is_rest AND b.variant > 0 AND b.pass_no = 0,
              free.owner <> '', free.account <> b.account AND (b.pass_no > 0 OR b.handed_up_to >= b.first)
"""
# The campaign before its batches, as everywhere: a row that refers to it may be written below. Who holds it is not
# waited for: our other leases would run out meanwhile.
HOLD = "SELECT FROM campaigns_campaign WHERE id = %s FOR KEY SHARE SKIP LOCKED"
LAPSED = "INSERT INTO dispatcher_settlement (campaign_id, settled, lapses) VALUES (%s, 0, %s)"
# Here and not when it was chosen: a million rows at once would hold up whoever works at the campaign.
GIVE_WINNER = """
    UPDATE dispatcher_message AS m SET variant = b.variant FROM dispatcher_batch b
    WHERE b.id = ANY(%s) AND m.campaign_id = b.campaign_id AND m.number BETWEEN b.first AND b.last
      AND m.status = 1 AND m.variant = 0
"""
SUSPECTS = """
    SELECT id, number, key::text, tries, retry_count, in_doubt_since, doubt_of_old_key FROM dispatcher_message
    WHERE campaign_id = %s AND number BETWEEN %s AND %s AND status = 1 AND tries = %s
"""
# The promise to take a key only once was another account's: what it may have taken is never handed to this one.
END_DOUBT = """
    UPDATE dispatcher_message
    SET status = 6, last_error = 'The sender was changed before its answer was known.', updated_at = clock_timestamp()
    WHERE campaign_id = %s AND number BETWEEN %s AND %s AND status = 1 AND in_doubt_since IS NOT NULL
    RETURNING status, category, skip_reason
"""
# Those of an epoch that moved on are somebody else's now.
CAMPAIGNS = "SELECT id, status, priority FROM campaigns_campaign WHERE id = ANY(%s::bigint[]) ORDER BY id FOR SHARE"
BATCHES = """
    SELECT b.id, b.pending, b.first_intent_at
    FROM dispatcher_batch b JOIN unnest(%s::bigint[], %s::int[]) AS mine(id, epoch)
         ON b.id = mine.id AND b.epoch = mine.epoch
    WHERE b.owner = %s ORDER BY b.id FOR UPDATE OF b
"""


def take(
    owner: str, count: int, contents: dict[int, Content], hands: Handover, waiting: dict[int, float]
) -> list[Lease]:
    """Lease up to this many due batches of one campaign; those in doubt of a dead owner are settled at once.

    Campaigns that `waiting` names are left alone until their moment, on the monotonic clock, is past.
    """
    values: dict[str, int | str] = {
        "sending": SENDING,
        "paused": PAUSED,
        "cancelled": CANCELLED,
        "owner": owner,
        "lease": settings.LEASE_SECONDS,
        "count": count,
    }
    campaign = _pick(values, contents, hands, waiting)
    if campaign is None:
        return []
    ends = time.monotonic() + settings.LEASE_SECONDS  # our clock starts before the database's does
    with transaction.atomic(), connection.cursor() as cursor:
        # Nothing is handed over on it before the intent is committed, and that commit makes this one durable, too.
        cursor.execute("SET LOCAL synchronous_commit = off")
        cursor.execute(HOLD, [campaign])
        if not cursor.rowcount:
            waiting[campaign] = time.monotonic() + OPENING_AGAIN
            return []
        cursor.execute(TAKE, values | {"campaign": campaign, "account": contents[campaign].account})
        taken = cursor.fetchall()
        leases = [
            Lease(batch, contents[campaign], first, last, epoch, pass_no, upto, pending, Term(ends), since, lapses)
            for batch, first, last, epoch, pass_no, upto, pending, since, lapses, *_ in taken
        ]
        if winners := [batch for batch, *_, gets_winner, _, _ in taken if gets_winner]:
            cursor.execute(GIVE_WINNER, [winners])
        if lapsed := sum(is_lapsed for *_, is_lapsed, _ in taken):
            cursor.execute(LAPSED, [campaign, lapsed])
        for lease, (*_, is_lapsed, is_elsewhere) in zip(leases, taken, strict=True):
            lease.is_lapsed = is_lapsed
            _settle_suspects(cursor, lease)
            if is_elsewhere:
                _end_doubt(cursor, lease)
    crash_point("after_lease")
    return leases


def _pick(
    values: Mapping[str, int | str], contents: dict[int, Content], hands: Handover, waiting: dict[int, float]
) -> int | None:
    """The campaign whose turn it is, its content read and its sender open; one that is not ready is passed over."""
    while True:
        with connection.cursor() as cursor:
            asleep = [pk for pk, until in waiting.items() if until > time.monotonic()]
            cursor.execute(PICK, {**values, "waiting": asleep})
            picked = cursor.fetchone()
        if not picked:
            return None
        campaign = picked[0]
        if campaign in contents and contents[campaign].sender:
            return campaign
        try:
            contents[campaign] = content_of(campaign, hands)
            return campaign
        except StillOpening:
            waiting[campaign] = time.monotonic() + OPENING_AGAIN
        except Unreachable as error:
            waiting[campaign] = time.monotonic() + max(error.retry_after or 0, OPENING_AGAIN)


def _settle_suspects(cursor, lease: Lease) -> None:
    """Those the last owner may have handed over without telling: intended in this pass, and still untold."""
    if lease.handed_up_to < lease.first:
        return
    cursor.execute(SUSPECTS, [lease.content.campaign, lease.first, lease.handed_up_to, lease.pass_no])
    gone = Unsure("the worker stopped before it heard the answer", category="other")
    suspects = [Standing(*row) for row in cursor.fetchall()]
    verdicts = [judge(one, gone, lease.content.terms, lease.first_intent_at) for one in suspects]
    counts = settle.write(cursor, {lease.batch: verdicts})
    settle.add_up(cursor, counts)
    lease.pending -= counts[lease.batch].settled
    lease.found = counts[lease.batch]


def _end_doubt(cursor, lease: Lease) -> None:
    """What was handed to another sender or account than ours, suspects included: unknown."""
    cursor.execute(END_DOUBT, [lease.content.campaign, lease.first, lease.last])
    counts = settle.Counts()
    settle.count_rows(counts, cursor.fetchall())
    settle.add_up(cursor, {lease.batch: counts})
    lease.pending -= counts.settled
    lease.found.add(counts)


def hold(
    cursor, leases: Collection[Lease], owner: str
) -> tuple[dict[int, tuple[Campaign.Status, int]], dict[int, tuple[int, datetime | None]]]:
    """Hold the campaigns FOR SHARE, so that a pause or cancel waits for us or is seen, then the batches still ours.

    Returns status and priority of each campaign, and of each such batch what is pending and when its first intent was
    noted.
    """
    trip = Trip(cursor)  # of two statements: a batch is looked at when its campaign is held
    trip.execute(CAMPAIGNS, [arrays.plain({lease.content.campaign for lease in leases})])
    epochs = arrays.plain(lease.epoch for lease in leases)
    trip.execute(BATCHES, [arrays.plain(lease.batch for lease in leases), epochs, owner])
    campaigns, batches = trip.go()
    stands = {pk: (Campaign.Status(status), priority) for pk, status, priority in campaigns}
    return stands, {pk: (pending, since) for pk, pending, since in batches}
