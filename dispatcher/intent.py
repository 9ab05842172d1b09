"""Intent: the committed note that the next messages may have been handed over. Without it nobody is called."""

from functools import partial
from typing import cast

from campaigns.models import Campaign
from dispatcher import settle
from dispatcher.handover import Call
from dispatcher.lease import Lease
from dispatcher.models import Category, SkipReason
from dispatcher.senders.parcel import Sender
from dispatcher.verdicts import Standing
from people.suppression import LISTED, digest_key

MARGIN = 60  # seconds before its end at which a key's stated duration no longer counts

# Wishes are read again here: who opted out a second ago is skipped, who is in doubt and may not be tried is unknown.
# Of somebody whose address changed since the freeze, the person tells of the new one alone: the list is asked itself.
# So it is while everybody is being compared with it.
# OFFSET 0: person by person, or a window of thousands is compared with everybody there is.
NEXT = """
    SELECT m.id, m.number, m.key::text, m.tries, m.retry_count, m.in_doubt_since, m.doubt_of_old_key,
           m.address, m.fields, m.recipient_id, m.variant,
           CASE WHEN r.id IS NULL THEN 'erased'
                WHEN r.opted_out OR %(channel)s = ANY(r.refused_channels) THEN 'opted_out'
                WHEN CASE %(field)s WHEN 'email' THEN r.email_suppressed ELSE r.phone_suppressed END THEN 'suppressed'
                WHEN (m.address <> CASE %(field)s WHEN 'email' THEN r.email ELSE r.phone END
                      OR EXISTS (SELECT FROM people_listlook WHERE workspace_id = %(workspace)s)) AND {listed}
                THEN 'suppressed'
                WHEN m.in_doubt_since + %(key_seconds)s * interval '1 second' < clock_timestamp() THEN 'key_expired'
                WHEN m.gives_up_at < clock_timestamp() THEN 'gave_up'
                {left} END
    FROM dispatcher_message m
    LEFT JOIN LATERAL (SELECT * FROM people_recipient WHERE id = m.recipient_id OFFSET 0) r ON true
    WHERE m.campaign_id = %(campaign)s AND m.number > %(above)s AND m.number <= %(last)s AND m.status = 1
      AND m.tries = %(tries)s
    ORDER BY m.number LIMIT %(most)s
""".replace("{listed}", LISTED.format(workspace="%(workspace)s", address="m.address"))
# Only asked where the campaign chose groups; OFFSET keeps the planner from reading all who ever left one.
LEFT = """WHEN EXISTS (SELECT FROM people_leftgroup l WHERE l.recipient_id = m.recipient_id
                             AND l.group_id = ANY(%(groups)s) OFFSET 0) THEN 'left_group'"""
# Decided without a call. In doubt it can only be unknown: an earlier try may have arrived.
DECIDE = """
    UPDATE dispatcher_message AS m
    SET status = CASE WHEN m.in_doubt_since IS NOT NULL OR m.doubt_of_old_key THEN 6
                      WHEN v.fate = 'gave_up' THEN 3 ELSE 4 END,
        skip_reason = CASE v.fate WHEN 'erased' THEN %s WHEN 'suppressed' THEN %s
                      WHEN 'opted_out' THEN %s WHEN 'left_group' THEN %s END,
        category = CASE v.fate WHEN 'gave_up' THEN coalesce(m.category, %s) ELSE m.category END,
        tries = m.tries + 1, updated_at = clock_timestamp()
    FROM unnest(%s::bigint[], %s::text[]) AS v(id, fate)
    WHERE m.id = v.id AND m.status = 1
    RETURNING m.status, m.category, m.skip_reason
"""


def note(cursor, lease: Lease, most: int, counts: settle.Counts) -> list[Call]:
    """Note the next messages of this batch as handed over, and return the calls to make once it is committed.

    The caller holds the campaign FOR SHARE and read `sending` there, and holds the batch.
    """
    cursor.execute(
        NEXT.format(left=LEFT if lease.content.groups else ""),
        {
            "channel": lease.content.channel,
            "field": lease.content.channel.address_field,
            "key_seconds": lease.content.key_seconds - MARGIN,
            "workspace": lease.content.workspace,
            "groups": lease.content.groups,
            "digest_key": digest_key(),
            "campaign": lease.content.campaign,
            "above": lease.noted_up_to,
            "last": lease.last,
            "tries": lease.pass_no,
            "most": most,
        },
    )
    rows = cursor.fetchall()
    lease.noted_up_to = rows[-1][1] if len(rows) == most else lease.last
    left = [row[9] for row in rows if row[11] == "left_group"]
    if left:
        wanted = _chosen_all_the_same(lease.content.campaign, left)
        rows = [(*row[:11], None) if row[9] in wanted else row for row in rows]
    decided = [(row[0], row[11]) for row in rows if row[11]]
    if decided:
        ids, fates = zip(*decided, strict=True)
        reasons = [SkipReason.ERASED, SkipReason.SUPPRESSED, SkipReason.OPTED_OUT, SkipReason.OPTED_OUT, Category.OTHER]
        cursor.execute(DECIDE, [*reasons, list(ids), list(fates)])
        settle.count_rows(counts, cursor.fetchall())
    return [_call(lease, row) for row in rows if not row[11]]


def _chosen_all_the_same(campaign: int, left: list[int]) -> set[int]:
    """Of these people, who left a group of the campaign, those it is for by another."""
    chosen = Campaign.objects.select_related("workspace").get(pk=campaign).chosen()
    return set(chosen.filter(pk__in=left).values_list("pk", flat=True))


def _call(lease: Lease, row: tuple) -> Call:
    standing, content = Standing._make(row[:7]), lease.content
    make = partial(content.parcel, standing, *row[7:11])
    return Call(lease.batch, lease.term, cast(Sender, content.sender), standing, make)
