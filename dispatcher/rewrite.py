"""A person's second thoughts about settled messages: the only writes to a message outside its lease.

The caller holds the campaign's row lock. Each change locks the batches by id first, in a statement of its own,
so that it sees what a worker settled while it waited.
"""

from django.db import connection

from campaigns.models import Campaign
from dispatcher.freeze import looks_right
from dispatcher.models import Category, Message
from people.channels import Channel

LOCK = """
    SELECT id FROM dispatcher_batch WHERE campaign_id = %(campaign)s AND {column} > 0 ORDER BY id FOR UPDATE
"""
REWRITE = """
    WITH changed AS (
        UPDATE dispatcher_message AS m SET status = %(new)s, updated_at = clock_timestamp(), {sets}
        FROM dispatcher_batch AS b
        WHERE b.id = ANY(%(batches)s) AND m.campaign_id = b.campaign_id AND m.number BETWEEN b.first AND b.last
              AND m.status = %(old)s
              AND (%(category)s::int IS NULL OR m.category = %(category)s)
              AND (%(numbers)s::int[] IS NULL OR m.number = ANY(%(numbers)s))
              AND NOT (%(spare)s AND EXISTS (
                  SELECT FROM dispatcher_dismissal d
                  WHERE d.campaign_id = m.campaign_id AND d.category = m.category AND m.updated_at <= d.at))
        RETURNING b.id AS batch_id, m.category, {astray} AS astray),
    counted AS (SELECT batch_id, count(*) AS n, count(*) FILTER (WHERE astray) AS stray,
                       array_agg(category) AS categories FROM changed GROUP BY 1)
    UPDATE dispatcher_batch AS b
    SET {old} = b.{old} - n, {new} = b.{new} + n,
        failed_by = CASE WHEN %(old)s = 3 THEN ARRAY(
            SELECT f - cardinality(array_positions(categories, i::smallint))
            FROM unnest(b.failed_by) WITH ORDINALITY AS u(f, i) ORDER BY i) ELSE b.failed_by END,
        due_at = CASE WHEN %(new)s = 1 THEN coalesce(b.due_at, clock_timestamp()) ELSE b.due_at END
    FROM counted WHERE b.id = counted.batch_id
    RETURNING n, stray
"""
# The next pass, a new key and a fresh count of tries. Whatever worker holds the batch now does not see the row.
AFRESH = """
    tries = b.pass_no + 1, retry_count = 0, key = gen_random_uuid(), in_doubt_since = NULL, gives_up_at = NULL"""
# What failed goes to the address its person has now, unless another message of the campaign has that one.
TO_ADDRESS_OF_NOW = """, address = coalesce((
        SELECT r.{field} FROM people_recipient r
        WHERE r.id = m.recipient_id AND r.{field} ~ %(valid)s AND NOT EXISTS (
            SELECT FROM dispatcher_message o WHERE o.campaign_id = m.campaign_id AND o.address = r.{field})), m.address)
"""
ASTRAY = """
    EXISTS (SELECT FROM people_recipient r
            WHERE r.id = m.recipient_id AND r.{field} ~ %(valid)s AND r.{field} <> m.address)
"""
# What is tried again is no longer among what was dismissed.
FORGET = "DELETE FROM dispatcher_dismissal WHERE campaign_id = %s AND category = coalesce(%s, category)"
FORGET_SOME = """
    UPDATE dispatcher_dismissal AS d SET count = d.count - n
    FROM (SELECT e.id, count(*) AS n FROM dispatcher_message m JOIN dispatcher_dismissal e
                 ON e.campaign_id = m.campaign_id AND e.category = m.category AND m.updated_at <= e.at
          WHERE m.campaign_id = %s AND m.status = 3 AND m.number = ANY(%s) GROUP BY e.id) AS tried
    WHERE d.id = tried.id
"""


def retry(
    campaign: Campaign, category: Category | None, numbers: list[int] | None = None, *, spare_dismissed: bool = False
) -> tuple[int, int]:
    """Failed to pending with a new key, to where their people are reached now.

    Returns how many, and how many of them keep an old address because another message goes to the new one.
    """
    if not spare_dismissed:
        with connection.cursor() as cursor:
            if numbers is None:
                cursor.execute(FORGET, [campaign.pk, category])
            else:
                cursor.execute(FORGET_SOME, [campaign.pk, numbers])
    field = Channel(campaign.channel).address_field
    return _rewrite(
        campaign,
        "failed",
        "pending",
        AFRESH + TO_ADDRESS_OF_NOW.format(field=field),
        astray=ASTRAY.format(field=field),
        category=category,
        numbers=numbers,
        spare=spare_dismissed,
    )


def send_again(campaign: Campaign, numbers: list[int] | None) -> int:
    """Unknown to pending with a new key; the doubt about the old one stays. Returns how many."""
    return _rewrite(campaign, "unknown", "pending", f"{AFRESH}, doubt_of_old_key = true", numbers=numbers)[0]


def assume_delivered(campaign: Campaign, numbers: list[int] | None) -> int:
    """Unknown to sent, marked as assumed; returns how many."""
    sets = "assumed = true, sent_at = clock_timestamp(), in_doubt_since = NULL, doubt_of_old_key = false"
    return _rewrite(campaign, "unknown", "sent", sets, numbers=numbers)[0]


def _rewrite(
    campaign: Campaign,
    old: str,
    new: str,
    sets: str,
    *,
    astray: str = "false",
    category: Category | None = None,
    numbers: list[int] | None = None,
    spare: bool = False,
) -> tuple[int, int]:
    values = {
        "campaign": campaign.pk,
        "old": Message.Status[old.upper()],
        "new": Message.Status[new.upper()],
        "category": category,
        "numbers": numbers,
        "spare": spare,
        "valid": looks_right(campaign.channel),
    }
    with connection.cursor() as cursor:
        cursor.execute(LOCK.format(column=old), values)
        batches = [row[0] for row in cursor.fetchall()]
        sql = REWRITE.format(sets=sets, old=old, new=new, astray=astray)
        cursor.execute(sql, values | {"batches": batches})
        rows = cursor.fetchall()
    return sum(n for n, _ in rows), sum(stray for _, stray in rows)
