"""Whose turn it is where a sender's limit leaves too few tokens for all: the more urgent go before all others."""

from campaigns.models import Campaign
from dispatcher.pace import Lane

YIELD = 0.5  # seconds for which a campaign keeps still that lets a more urgent one go first

# That wants tokens: it has messages never handed over in this pass, and does not wait for their second try or a winner.
MOST_URGENT = """
    SELECT min(c.priority) FROM campaigns_campaign c
    WHERE c.workspace_id = %s AND c.channel = %s AND c.status = %s AND c.priority < %s
      AND c.launched_at IS NOT NULL AND c.finished_at IS NULL
      AND EXISTS (SELECT FROM dispatcher_batch b
                  WHERE b.campaign_id = c.id AND b.pending > 0 AND b.handed_up_to < b.last
                    AND (b.owner <> '' OR b.due_at <= clock_timestamp() + %s * interval '1 second'))
"""


def more_urgent(cursor, lane: Lane, than: int) -> int | None:
    """The priority that goes before this one now, in whatever worker's hands; None where there is none."""
    asked = [lane.workspace, lane.channel, Campaign.Status.SENDING, than, 2 * YIELD]
    cursor.execute(MOST_URGENT, asked)
    return cursor.fetchone()[0]
