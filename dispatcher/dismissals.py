"""What a person may do about what failed, beside trying it again: put it aside, and take it up once more.

The books stay as they are. The caller need not hold any lock: each function is one transaction of its own.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from django.db import connection, transaction

from accounts import audit_log
from accounts.models import Actor, User
from campaigns.models import Campaign, IllegalMove
from dispatcher import operations
from dispatcher.models import Category, Dismissal
from dispatcher.readiness import LaunchRefused
from dispatcher.why import failed_launch
from wires import live

# Counted and dated while no failure can be written, for that needs the campaign we hold: count and date say the same.
DISMISS = """
    INSERT INTO dispatcher_dismissal (campaign_id, category, count, at, by_id)
    SELECT b.campaign_id, u.category, sum(u.n), clock_timestamp(), %(by)s
    FROM dispatcher_batch b, unnest(b.failed_by) WITH ORDINALITY AS u(n, category)
    WHERE b.campaign_id = %(campaign)s AND b.failed > 0 AND u.category = coalesce(%(category)s, u.category)
    GROUP BY b.campaign_id, u.category HAVING sum(u.n) > 0
    ON CONFLICT (campaign_id, category) DO UPDATE SET count = excluded.count, at = excluded.at, by_id = excluded.by_id
        WHERE dispatcher_dismissal.count < excluded.count
    RETURNING category, count
"""


@transaction.atomic
def dismiss(campaign: Campaign, *, by: Actor | None, category: Category | None = None) -> int:
    """Take the failures so far, all or those of one cause, off the list of dead letters; returns how many."""
    campaign = operations.locked(campaign)
    before = dict(campaign.dismissals.values_list("category", "count"))
    with connection.cursor() as cursor:
        who = by.pk if isinstance(by, User) else None
        cursor.execute(DISMISS, {"campaign": campaign.pk, "category": category, "by": who})
        count = sum(n - before.get(dismissed, 0) for dismissed, n in cursor.fetchall())
    if count:
        say(campaign, "dismiss", f"{count:,} failed dismissed", by=by, category=category)
    return count


@transaction.atomic
def undismiss(campaign: Campaign, *, by: Actor | None, category: Category | None = None) -> int:
    """Put what was dismissed back on the list of dead letters; returns how many."""
    campaign = operations.locked(campaign)
    found = campaign.dismissals.filter(category=category) if category else campaign.dismissals.all()
    count = sum(found.values_list("count", flat=True))
    found.delete()
    if count:
        say(campaign, "undismiss", f"{count:,} failed put back", by=by, category=category)
    return count


@transaction.atomic
def dismiss_launch(campaign: Campaign, *, by: Actor | None) -> None:
    """Say of a campaign that could not be started by itself that somebody has seen it. Raises IllegalMove."""
    campaign = operations.locked(campaign)
    if not failed_launch(campaign, list(campaign.history.all()[:1])):
        raise IllegalMove(campaign, Campaign.Status.DRAFT)
    say(campaign, "dismiss_launch", "failed start dismissed", by=by)


def say(campaign: Campaign, verb: str, fact: str, *, by: Actor | None, category: Category | None = None) -> None:
    """Into the campaign's history and the audit log, and to those who look at it."""
    operations.note(campaign, by=by, reason=fact)
    facts = {"what": fact} | ({"category": category.label} if category else {})
    audit_log.record(campaign.workspace, verb, campaign, by=by, after=facts)
    live.changed(campaign.pk, campaign.workspace_id)


@dataclass
class Result:
    """What came of a verb on many campaigns: how many messages of which campaigns, and which were refused.

    `left` are those that were too many for one press, or had no room in the queue: `why_full` says so.
    """

    messages: int = 0
    campaigns: set[int] = field(default_factory=set)
    refused: list[Campaign] = field(default_factory=list)
    left: int = 0
    why_full: str = ""

    def add(self, verb: Callable[..., int], campaigns: Iterable[Campaign], *, by: Actor | None, **which: Any) -> None:
        """Do it to each, one transaction for each: what is refused for one stops none of the others.

        Unless the queue is full: then the rest is left, too.
        """
        waiting = [] if self.why_full else list(campaigns)
        for n, campaign in enumerate(waiting):
            try:
                count = verb(campaign, by=by, **which)
            except LaunchRefused as refusal:
                self.why_full, self.left = str(refusal), self.left + len(waiting) - n
                return
            except IllegalMove:
                if campaign not in self.refused:
                    self.refused.append(campaign)
                continue
            self.messages += count
            if count:
                self.campaigns.add(campaign.pk)


def dismissed_in(campaigns: Iterable[Campaign]) -> dict[int, list[Dismissal]]:
    """What was dismissed of these campaigns, by campaign."""
    found: dict[int, list[Dismissal]] = {}
    dismissals = Dismissal.objects.filter(campaign__in=[campaign.pk for campaign in campaigns], count__gt=0)
    for dismissal in dismissals.select_related("by").order_by("category"):
        found.setdefault(dismissal.campaign_id, []).append(dismissal)
    return found
