"""A ledger as years of sending leave it, made set by set: campaigns that are over, with rows, batches and books.

Beside them the drafts that somebody left.
"""

from django.conf import settings
from django.db import connection
from django.utils import timezone

from accounts.models import Workspace
from campaigns.models import Campaign
from dispatcher.models import Category, SkipReason
from tests.bench.ground import draft, settled_down

CAMPAIGNS = 25  # beside the largest, so that the list has a second page
DRAFTS = 20  # every other one to everybody, the others to a group
TEN = 10  # people of the group
# Of a hundred people two failed and two had opted out.
MESSAGES = """
    INSERT INTO dispatcher_message
        (campaign_id, recipient_id, number, key, address, fields, status, tries, retry_count, category, skip_reason,
         doubt_of_old_key, last_error, provider_id, assumed, delivery, sent_at)
    SELECT %(campaign)s, id, n, gen_random_uuid(), CASE WHEN n %% 50 <> 1 THEN email END,
           jsonb_build_object('first_name', first_name),
           CASE n %% 50 WHEN 0 THEN 3 WHEN 1 THEN 4 ELSE 2 END, 1, 0, CASE n %% 50 WHEN 0 THEN %(bounced)s END,
           CASE n %% 50 WHEN 1 THEN %(opted_out)s END, false, '', '', false, 0, now()
    FROM (SELECT *, row_number() OVER (ORDER BY id) AS n FROM people_recipient WHERE workspace_id = %(workspace)s
          ORDER BY id LIMIT %(people)s) AS people
"""
BATCHES = """
    INSERT INTO dispatcher_batch
        (campaign_id, first, last, due_at, epoch, owner, pass_no, handed_up_to, in_flight, lapses, settled_at,
         total, pending, sent, failed, skipped, cancelled, unknown, failed_by, skipped_by)
    SELECT %(campaign)s, slice * %(size)s + 1, (slice + 1) * %(size)s, NULL, 1, '', 0, slice * %(size)s, 0, 0, now(),
           total, 0, total - failed - skipped, failed, skipped, 0, 0,
           array_fill(0, ARRAY[%(bounced)s - 1]) || failed::int || array_fill(0, ARRAY[%(categories)s - %(bounced)s]),
           array_fill(0, ARRAY[%(opted_out)s - 1]) || skipped::int || array_fill(0, ARRAY[%(reasons)s - %(opted_out)s])
    FROM (SELECT (number - 1) / %(size)s AS slice, count(*) AS total, count(*) FILTER (WHERE status = 3) AS failed,
                 count(*) FILTER (WHERE status = 4) AS skipped
          FROM dispatcher_message WHERE campaign_id = %(campaign)s GROUP BY 1) AS slices
"""


def fill(workspace: Workspace, messages: int) -> Campaign:
    """Half of so many messages in one campaign, which is returned, and the others in those of the list."""
    largest = finished(workspace, messages // 2)
    leave_drafts(workspace)
    for _ in range(CAMPAIGNS):
        finished(workspace, messages // 2 // CAMPAIGNS)
    settled_down()
    return largest


def finished(workspace: Workspace, people: int) -> Campaign:
    campaign = draft(workspace)
    now = timezone.now()
    campaign.move_to(Campaign.Status.PREPARING, by=None, launched_at=now)
    campaign.move_to(Campaign.Status.SENDING, by=None)
    about = {
        "campaign": campaign.pk,
        "workspace": workspace.pk,
        "people": people,
        "size": settings.BATCH_SIZE,
        "bounced": Category.BOUNCED.value,
        "categories": len(Category),
        "opted_out": SkipReason.OPTED_OUT.value,
        "reasons": len(SkipReason),
    }
    with connection.cursor() as cursor:
        cursor.execute(MESSAGES, about)
        cursor.execute(BATCHES, about)
    campaign.move_to(Campaign.Status.SENT, by=None, finished_at=now)
    return campaign


def leave_drafts(workspace: Workspace) -> None:
    group, _ = workspace.groups.get_or_create(name="Ten")
    group.recipients.set(workspace.recipients.order_by("pk")[:TEN])
    for nth in range(DRAFTS):
        campaign = draft(workspace, everyone=nth % 2 == 0)
        campaign.groups.set([] if campaign.everyone else [group])
