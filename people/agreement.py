"""Whether what is kept on people agrees with what it follows from: the events of consent, and the suppression list."""

from collections.abc import Iterator

from django.db import connection

from people.channels import Channel
from people.suppression import LISTED, digest_key

CHANNELS = ", ".join(f"({channel:d})" for channel in Channel)
# Of each channel the last wish that was about it holds: one about all channels is about each of them.
WISHES = f"""
    WITH last AS (
        SELECT DISTINCT ON (e.recipient_id, c.channel) e.recipient_id, c.channel, e.wish = 1 AS refused
        FROM people_consentevent e JOIN (VALUES {CHANNELS}) AS c(channel) ON e.channel IS NULL OR e.channel = c.channel
        WHERE e.recipient_id IS NOT NULL AND NOT e.is_about_a_group
        ORDER BY e.recipient_id, c.channel, e.id DESC),
    told AS (
        SELECT recipient_id, array_agg(channel ORDER BY channel) FILTER (WHERE refused) AS refused
        FROM last GROUP BY 1)
    SELECT r.id FROM people_recipient r LEFT JOIN told ON told.recipient_id = r.id
    WHERE coalesce(told.refused, '{{}}') <> CASE
        WHEN r.opted_out THEN (SELECT array_agg(channel ORDER BY channel) FROM (VALUES {CHANNELS}) AS c(channel))
        ELSE ARRAY(SELECT DISTINCT channel::int FROM unnest(r.refused_channels) AS u(channel) ORDER BY 1) END
    ORDER BY r.id LIMIT %(most)s
"""  # noqa: S608 - numbers of ours
LIST = """
    SELECT r.id FROM people_recipient r
    WHERE r.workspace_id NOT IN (SELECT workspace_id FROM people_listlook)
      AND (r.email_suppressed, r.phone_suppressed) <> (r.email <> '' AND {email}, r.phone <> '' AND {phone})
    ORDER BY r.id LIMIT %(most)s
""".replace("{email}", LISTED.format(workspace="r.workspace_id", address="r.email")).replace(
    "{phone}", LISTED.format(workspace="r.workspace_id", address="r.phone")
)
MOST = 1_000


def disagreements() -> Iterator[str]:
    """A sentence for each person who is written to, or not, against what is known of them."""
    with connection.cursor() as cursor:
        cursor.execute(WISHES, {"most": MOST})
        people = [pk for (pk,) in cursor.fetchall()]
        yield from (f"person {pk}: what is kept of their wishes differs from the events of consent" for pk in people)
        cursor.execute(LIST, {"most": MOST, "digest_key": digest_key()})
        people = [pk for (pk,) in cursor.fetchall()]
        yield from (f"person {pk}: what is kept of their addresses differs from the suppression list" for pk in people)
