"""Addresses that came back: those of which a mail server said that they do not exist are written to no more.

Only what cannot be mistaken counts: a message that failed for good, with a status of RFC 3463 that is about the
mailbox. A plain 550 is what servers also say to a sender they do not like, and a full mailbox may be emptied; both
stay failures. What the simulated provider makes up says nothing about anybody.
"""

from django.db import connection, transaction

from accounts import audit_log
from accounts.models import Workspace
from dispatcher.models import Attempt, Bookmark, Category, Message
from people.channels import Channel
from people.models import Suppression
from people.suppression import DIGEST, digest_key, look_at_addresses, note_key

NAME = "bounces"
AT_ONCE = 5_000
# Attempts get their numbers before they are committed; by then whoever had a lower one is done.
SETTLED_SECONDS = 30
NO_SUCH_MAILBOX = r"^55\d 5\.(1\.(1|6|10)|2\.1)(\s|$)"

LOOK = """
    SELECT id FROM dispatcher_attempt
    WHERE id > %(last)s AND at < clock_timestamp() - %(seconds)s * interval '1 second' ORDER BY id LIMIT %(most)s
"""
SUPPRESS = """
    INSERT INTO people_suppression (workspace_id, digest, address, reason, note)
    SELECT DISTINCT ON (c.workspace_id, lower(m.address))
           c.workspace_id, {digest}, m.address, %(reason)s, left(a.error, 300)
    FROM dispatcher_attempt a
    JOIN dispatcher_message m ON m.id = a.message_id
    JOIN campaigns_campaign c ON c.id = m.campaign_id
    JOIN dispatcher_batch b ON b.campaign_id = m.campaign_id AND m.number BETWEEN b.first AND b.last
    WHERE a.id > %(last)s AND a.id <= %(until)s AND a.outcome = %(refused)s AND a.category = %(bounced)s
      AND a.error ~ %(no_such_mailbox)s AND m.status = %(failed)s AND m.address IS NOT NULL
      AND c.channel = %(email)s AND b.account NOT LIKE 'simulated %%'
    ORDER BY c.workspace_id, lower(m.address), a.id DESC
    ON CONFLICT (workspace_id, digest) DO NOTHING
    RETURNING workspace_id, address
""".replace("{digest}", DIGEST.format(address="m.address"))


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
        seen = [pk for (pk,) in cursor.fetchall()]
        if not seen:
            return 0
        cursor.execute(
            SUPPRESS,
            {
                "digest_key": digest_key(),
                "last": bookmark.last,
                "until": seen[-1],
                "reason": Suppression.Reason.BOUNCED,
                "refused": Attempt.Outcome.REFUSED,
                "bounced": Category.BOUNCED,
                "failed": Message.Status.FAILED,
                "email": Channel.EMAIL,
                "no_such_mailbox": NO_SUCH_MAILBOX,
            },
        )
        note_on_people(cursor.fetchall())
    Bookmark.objects.filter(pk=bookmark.pk).update(last=seen[-1])
    return len(seen)


def last_attempt() -> int:
    return Attempt.objects.order_by("-pk").values_list("pk", flat=True).first() or 0


def note_on_people(suppressed: list[tuple[int, str]]) -> None:
    by_workspace: dict[int, list[str]] = {}
    for workspace, address in suppressed:
        by_workspace.setdefault(workspace, []).append(address)
    if by_workspace:
        note_key()
    for home in Workspace.objects.filter(pk__in=by_workspace).order_by("pk"):
        addresses = by_workspace[home.pk]
        look_at_addresses(home, addresses)
        audit_log.record(home, "suppress_bounced", home, by=None, after={"addresses": len(addresses)})
