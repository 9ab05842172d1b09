"""What a worker notices while it sends: its speed, 429s, providers gone silent, and pages that want to know."""

import time
from collections import Counter, defaultdict

from django.db import transaction

from campaigns.models import Campaign
from dispatcher import pace
from dispatcher.handover import Call
from dispatcher.lease import Content
from dispatcher.senders.parcel import Busy, Receipt, Refused
from dispatcher.verdicts import NotFilledIn, NotStarted
from wires import live

Status = Campaign.Status
UNHEARD_IN_A_ROW = 20  # then something is wrong with the provider, and a person should look
SIGNAL_EVERY = 0.25  # seconds, per campaign


class Watch:
    """Remembers for one shift."""

    def __init__(self) -> None:
        self.began = time.monotonic()
        self.unheard: Counter[int] = Counter()
        self.settled: Counter[int] = Counter()
        self.signalled: dict[int, float] = defaultdict(float)
        self.untold: dict[int, int] = {}

    def record(self, cursor, settled: list[tuple[Content, int]]) -> None:
        """Write down how much was settled, and tell the pages, at most four times a second."""
        now = time.monotonic()
        by_campaign: Counter[int] = Counter()
        for content, n in settled:
            by_campaign[content.campaign] += n
            self.untold[content.campaign] = content.workspace
        rows = [(campaign, n) for campaign, n in by_campaign.items() if n]
        if rows:
            cursor.execute(
                "INSERT INTO dispatcher_settlement (campaign_id, settled)"
                " SELECT * FROM unnest(%s::bigint[], %s::int[])",
                [[campaign for campaign, _ in rows], [n for _, n in rows]],
            )
        for campaign in list(self.untold):
            if now - self.signalled[campaign] >= SIGNAL_EVERY:
                self.signalled[campaign] = now
                live.changed(campaign, self.untold.pop(campaign))

    def tell_all(self) -> None:
        """The last change of a burst arrives, however short the burst."""
        for campaign, workspace in self.untold.items():
            live.changed(campaign, workspace)
        self.untold.clear()

    def listen(self, settled: list[tuple[Content, Call]]) -> None:
        """Count the answers, and those never heard; called once they are committed."""
        for content, call in settled:
            self.settled[content.campaign] += 1
            if isinstance(call.answer, Receipt | Busy | Refused):
                self.unheard[content.campaign] = 0
            elif not isinstance(call.answer, NotFilledIn | NotStarted):
                self.unheard[content.campaign] += 1

    def slow_down(self, cursor, content: Content, answers: list[object]) -> None:
        """Slow the sender down after a 429."""
        too_fast = [a for a in answers if isinstance(a, Busy) and a.category == "rate_limited"]
        if too_fast:
            asked = max((a.retry_after or 0 for a in too_fast), default=0)
            elapsed = max(time.monotonic() - self.began, 1)
            pace.slow_down(cursor, content.lane, retry_after=asked, speed=self.settled[content.campaign] / elapsed)

    def pause_where_nothing_is_heard(self) -> None:
        """Pause the campaigns whose provider has gone silent; a person decides when to go on."""
        for campaign_id in [pk for pk, n in self.unheard.items() if n >= UNHEARD_IN_A_ROW]:
            del self.unheard[campaign_id]
            with transaction.atomic():
                campaign = Campaign.objects.select_for_update(of=("self",)).filter(pk=campaign_id).first()
                if campaign and campaign.status == Status.SENDING:
                    reason = f"{UNHEARD_IN_A_ROW} messages in a row got no answer from the provider"
                    campaign.move_to(Status.PAUSED, by=None, reason=reason)
                    live.changed(campaign.pk, campaign.workspace_id)
