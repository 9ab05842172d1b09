"""Addresses that came back: those of which a mail server said that they do not exist are written to no more.

Only what cannot be mistaken counts: a message that failed for good, with a status of RFC 3463 that is about the
mailbox. A plain 550 is what servers also say to a sender they do not like, and a full mailbox may be emptied; both
stay failures. What the simulated provider makes up says nothing about anybody.
"""

from itertools import groupby, takewhile
from operator import itemgetter

from django.db import connection, transaction

from accounts import audit_log
from dispatcher.models import Attempt, Bookmark, Category, Message
from people.channels import Channel
from people.held import hold_workspace
from people.models import Suppression
from people.suppression import digest_of, look_at_addresses, put_on

NAME = "bounces"
AT_ONCE = 5_000
# Attempts get their numbers before they are committed; by then whoever had a lower one is done.
SETTLED_SECONDS = 30
NO_SUCH_MAILBOX = r"^55\d 5\.(1\.(1|6|10)|2\.1)(\s|$)"

LOOK = """
    SELECT id, at < clock_timestamp() - %(seconds)s * interval '1 second' FROM dispatcher_attempt
    WHERE id > %(last)s ORDER BY id LIMIT %(most)s
"""
CAME_BACK = """
    SELECT DISTINCT ON (c.workspace_id, lower(m.address)) c.workspace_id, m.address, a.error
    FROM dispatcher_attempt a
    JOIN dispatcher_message m ON m.id = a.message_id
    JOIN campaigns_campaign c ON c.id = m.campaign_id
    JOIN dispatcher_batch b ON b.campaign_id = m.campaign_id AND m.number BETWEEN b.first AND b.last
    WHERE a.id > %(last)s AND a.id <= %(until)s AND a.outcome = %(refused)s AND a.category = %(bounced)s
      AND a.error ~ %(no_such_mailbox)s AND m.status = %(failed)s AND m.address IS NOT NULL
      AND c.channel = %(email)s AND b.account NOT LIKE 'simulated %%'
    ORDER BY c.workspace_id, lower(m.address), a.id DESC
"""


@transaction.atomic
def suppress_bounced() -> int:
    """Put what bounced since the last look on the lists of its workspaces; returns how many attempts were looked at.

    Beginning with those after the first look: what failed long ago is nobody's surprise of today.
    """
    Bookmark.objects.get_or_create(name=NAME, defaults={"last": last_attempt()})
    bookmark = Bookmark.objects.select_for_update(skip_locked=True).filter(name=NAME).first()
    if bookmark is None:
        return 0  # another clock is at it
    with connection.cursor() as cursor:
        cursor.execute(LOOK, {"last": bookmark.last, "seconds": SETTLED_SECONDS, "most": AT_ONCE})
        # Numbers and times need not rise together: not past the first that is young, or it would be passed for ever.
        seen = [pk for pk, _ in takewhile(itemgetter(1), cursor.fetchall())]
        if not seen:
            return 0
        cursor.execute(
            CAME_BACK,
            {
                "last": bookmark.last,
                "until": seen[-1],
                "refused": Attempt.Outcome.REFUSED,
                "bounced": Category.BOUNCED,
                "failed": Message.Status.FAILED,
                "email": Channel.EMAIL,
                "no_such_mailbox": NO_SUCH_MAILBOX,
            },
        )
        suppress_all(cursor.fetchall())
    Bookmark.objects.filter(pk=bookmark.pk).update(last=seen[-1])
    return len(seen)


def last_attempt() -> int:
    return Attempt.objects.order_by("-pk").values_list("pk", flat=True).first() or 0


def suppress_all(came_back: list[tuple[int, str, str]]) -> None:
    """Of each workspace in turn, by its number, the addresses and what was said of them."""
    for home, rows in groupby(came_back, key=itemgetter(0)):
        workspace = hold_workspace(home)
        listed = {digest_of(address): (address, error) for _, address, error in rows}
        told = [(digest, *about) for digest, about in listed.items()]
        done = put_on(workspace, told, reason=Suppression.Reason.BOUNCED, by=None)
        if done:
            look_at_addresses(workspace, [listed[digest][0] for digest in done])
            audit_log.record(workspace, "suppress_bounced", workspace, by=None, after={"addresses": len(done)})
