"""How often the links to unsubscribe of a campaign were followed: by people, by machines, and what came of it."""

from collections import Counter
from dataclasses import dataclass

from django.db import connection, transaction
from django.db.models import Sum

from campaigns.models import Campaign
from dispatcher.models import LinkCount, LinkHit

Kind = LinkHit.Kind

NOTE = """
    INSERT INTO dispatcher_linkhit (campaign_id, recipient_id, kind, times) VALUES (%s, %s, %s, 1)
    ON CONFLICT (campaign_id, recipient_id, kind) DO UPDATE SET times = dispatcher_linkhit.times + 1
    RETURNING times
"""
PARTS = 16  # rows a count is kept in, so that those who come at once do not queue for one
COUNT = """
    INSERT INTO dispatcher_linkcount (campaign_id, kind, part, people, times) VALUES (%s, %s, %s, %s, 1)
    ON CONFLICT (campaign_id, kind, part)
    DO UPDATE SET people = dispatcher_linkcount.people + excluded.people, times = dispatcher_linkcount.times + 1
"""


@transaction.atomic
def note(campaign: int, recipient: int, *kinds: LinkHit.Kind) -> None:
    """Count what happened; each person once, however often."""
    with connection.cursor() as cursor:
        for kind in kinds:
            cursor.execute(NOTE, [campaign, recipient, kind])
            is_new = cursor.fetchone()[0] == 1
            cursor.execute(COUNT, [campaign, kind, recipient % PARTS, int(is_new)])


@dataclass(frozen=True)
class LinkHits:
    """What the page of a campaign tells: people once each, machines by their visits."""

    unsubscribed: int
    one_click: int
    confirmed: int
    opened: int
    machine: int

    @property
    def any(self) -> bool:
        return bool(self.unsubscribed or self.opened or self.machine)


def link_hits(campaign: Campaign) -> LinkHits:
    rows = LinkCount.objects.filter(campaign=campaign).values_list("kind").annotate(Sum("people"), Sum("times"))
    people: Counter[int] = Counter({kind: count for kind, count, _ in rows})
    times: Counter[int] = Counter({kind: count for kind, _, count in rows})
    return LinkHits(
        unsubscribed=people[Kind.UNSUBSCRIBED],
        one_click=people[Kind.ONE_CLICK],
        confirmed=people[Kind.CONFIRMED],
        opened=people[Kind.OPENED],
        machine=times[Kind.MACHINE],
    )
