"""How much room is left in the queue: how many messages of a workspace may wait to be sent at a time."""

from django.conf import settings
from django.db import connection

from accounts.models import Workspace

# Only open batches of campaigns that are not over are read, 500 messages at once.
OPEN = """
    SELECT coalesce(sum(b.pending), 0)
    FROM campaigns_campaign c JOIN dispatcher_batch b ON b.campaign_id = c.id AND b.due_at IS NOT NULL
    WHERE c.workspace_id = %s AND c.status IN (3, 4, 5, 8) AND c.finished_at IS NULL
"""


def most_open(workspace: Workspace) -> int:
    """What the installation allows, unless a superuser set another number for this workspace; 0 for no limit."""
    own = workspace.open_messages
    return settings.MAX_OPEN_MESSAGES if own is None else own


def open_messages(workspace: Workspace) -> int:
    """How many wait to be sent; those of a campaign being prepared count once it is."""
    with connection.cursor() as cursor:
        cursor.execute(OPEN, [workspace.pk])
        return cursor.fetchone()[0]


def why_full(workspace: Workspace) -> str:
    """What keeps anything more from beginning; "" while there is room."""
    most = most_open(workspace)
    waiting = open_messages(workspace) if most else 0
    if not most or waiting < most:
        return ""
    return (
        f"{waiting:,} messages of {workspace} wait to be sent, and {most:,} are the most. "
        "Send when some of them are done, or cancel a campaign."
    )
