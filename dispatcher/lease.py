"""Leases: how a worker comes to own a batch for a while, and what it finds when the last owner never came back."""

import logging
import time
from dataclasses import dataclass, field
from datetime import datetime

from django.conf import settings
from django.db import connection, transaction

from campaigns.models import Campaign, Channel
from campaigns.personalise import text
from dispatcher import pace, settle
from dispatcher.crash import crash_point
from dispatcher.handover import Call, Handover, Term
from dispatcher.senders import sender_for
from dispatcher.senders.parcel import Parcel, Unsure
from dispatcher.verdicts import Standing, Terms, judge

logger = logging.getLogger(__name__)
SENDER_AGAIN = 5.0  # seconds until a sender that did not open is tried again
SENDING, CANCELLED = Campaign.Status.SENDING, Campaign.Status.CANCELLED


@dataclass(frozen=True, slots=True)
class Content:
    """What one campaign says and by whom it goes out; frozen, so read once a shift."""

    campaign: int
    workspace: int
    channel: Channel
    sender: str
    terms: Terms
    key_seconds: float
    written_by: str
    subject: str
    body: str

    @property
    def lane(self) -> pace.Lane:
        return pace.Lane(self.workspace, self.channel, self.sender)

    def parcel(self, key: str, address: str, fields: dict, tries: int) -> Parcel:
        return Parcel(
            key=key,
            channel=self.channel.word,
            to=address,
            sender=self.written_by,
            subject=text(self.subject).filled_for(fields),
            text=text(self.body).filled_for(fields),
            tries=tries,
        )


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
    in_flight: set[Call] = field(default_factory=set)
    noted_up_to: int = 0  # handed_up_to as the transaction under way will leave it
    flying: int = 0  # calls in flight once it is committed
    due_in: float | None = None  # seconds until pace has tokens again

    @property
    def pass_is_over(self) -> bool:
        return self.noted_up_to >= self.last


# The campaign that has the fewest workers goes first within its priority, so that a big one starves nobody.
PICK = """
    SELECT c.id FROM campaigns_campaign c
    WHERE c.status IN (%(sending)s, %(cancelled)s) AND c.launched_at IS NOT NULL AND c.finished_at IS NULL
      AND (c.status = %(cancelled)s OR c.id <> ALL(%(waiting)s::bigint[]))
      AND EXISTS (SELECT FROM dispatcher_batch b WHERE b.campaign_id = c.id AND b.due_at <= clock_timestamp())
    ORDER BY c.priority,
             (SELECT count(*) FROM dispatcher_batch b
              WHERE b.campaign_id = c.id AND b.due_at > clock_timestamp() AND b.owner <> ''),
             c.launched_at
    LIMIT 1
"""
TAKE = """
    UPDATE dispatcher_batch AS b
    SET epoch = epoch + 1, owner = %(owner)s, in_flight = 0,
        due_at = clock_timestamp() + %(lease)s * interval '1 second',
        lapses = lapses + (free.owner <> '')::int
    FROM (
        SELECT o.id, o.owner FROM dispatcher_batch o JOIN campaigns_campaign c ON c.id = o.campaign_id
        WHERE o.campaign_id = %(campaign)s AND o.due_at <= clock_timestamp()
          AND c.status IN (%(sending)s, %(cancelled)s)
        ORDER BY o.due_at, o.id LIMIT %(count)s FOR UPDATE OF o SKIP LOCKED) AS free
    WHERE b.id = free.id
    RETURNING b.id, b.first, b.last, b.epoch, b.pass_no, b.handed_up_to, b.pending, b.first_intent_at
"""
SUSPECTS = """
    SELECT id, number, key::text, tries, retry_count, in_doubt_since, doubt_of_old_key FROM dispatcher_message
    WHERE campaign_id = %s AND number BETWEEN %s AND %s AND status = 1 AND tries = %s
"""


def take(
    owner: str, count: int, contents: dict[int, Content], hands: Handover, waiting: dict[int, float]
) -> list[Lease]:
    """Lease up to this many due batches of one campaign; those in doubt of a dead owner are settled at once.

    Campaigns that `waiting` names are left alone until their moment, on the monotonic clock, is past.
    """
    values: dict[str, int | str | list[int]] = {
        "sending": SENDING,
        "cancelled": CANCELLED,
        "owner": owner,
        "lease": settings.LEASE_SECONDS,
        "count": count,
        "waiting": [pk for pk, until in waiting.items() if until > time.monotonic()],
    }
    with connection.cursor() as cursor:
        cursor.execute(PICK, values)
        picked = cursor.fetchone()
    if not picked:
        return []
    campaign = picked[0]
    if campaign not in contents:
        try:
            contents[campaign] = content_of(campaign, hands)
        except Exception:  # its sender does not open: the other campaigns must not wait for it
            logger.exception("campaign %s cannot be sent now", campaign)
            waiting[campaign] = time.monotonic() + SENDER_AGAIN
            return []
    ends = time.monotonic() + settings.LEASE_SECONDS  # our clock starts before the database's does
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(TAKE, values | {"campaign": campaign})
        leases = [
            Lease(batch, contents[campaign], first, last, epoch, pass_no, upto, pending, Term(ends), since)
            for batch, first, last, epoch, pass_no, upto, pending, since in cursor.fetchall()
        ]
        for lease in leases:
            _settle_suspects(cursor, lease)
    crash_point("after_lease")
    return leases


def _settle_suspects(cursor, lease: Lease) -> None:
    """Those the last owner may have handed over without telling: intended in this pass, and still untold."""
    if lease.handed_up_to < lease.first:
        return
    cursor.execute(SUSPECTS, [lease.content.campaign, lease.first, lease.handed_up_to, lease.pass_no])
    gone = Unsure("the worker stopped before it heard the answer", category="other")
    suspects = [Standing(*row) for row in cursor.fetchall()]
    verdicts = [judge(one, gone, lease.content.terms, lease.first_intent_at) for one in suspects]
    counts = settle.write(cursor, verdicts)
    lease.pending += settle.add_up(cursor, lease.batch, counts)


def content_of(campaign_id: int, hands: Handover) -> Content:
    """What the campaign says, and the terms of its sender."""
    campaign = Campaign.objects.select_related("workspace").get(pk=campaign_id)
    name = sender_for(campaign.channel)
    # A cancelled campaign is only closed: that must not depend on a sender that may be gone.
    sender = hands.sender(name) if campaign.status == SENDING else None
    honours = sender.honours_keys if sender else None
    return Content(
        campaign=campaign.pk,
        workspace=campaign.workspace_id,
        channel=Channel(campaign.channel),
        sender=name,
        terms=Terms(
            honours_keys=honours is not None,
            refusals_are_conclusive=bool(sender and honours and sender.remembers_refusals),
            policy=campaign.workspace.retry_policy,
        ),
        key_seconds=honours.total_seconds() if honours else 0,
        written_by=settings.FROM_EMAIL,
        subject=campaign.subject if campaign.channel == Channel.EMAIL else "",
        body=campaign.body,
    )
