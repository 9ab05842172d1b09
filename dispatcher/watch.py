"""What a worker notices while it sends: its speed, 429s, providers gone silent, and pages that want to know."""

import logging
import time
from collections import Counter, defaultdict

from django.db import connection, transaction

from accounts import audit_log
from campaigns.models import Campaign
from dispatcher import pace
from dispatcher.chosen import Chosen, close_lane
from dispatcher.content import Content
from dispatcher.handover import Call
from dispatcher.senders.parcel import Busy, Receipt, Refused, Unreachable
from dispatcher.settle import Counts
from dispatcher.verdicts import NotFilledIn, NotStarted, Stopped, storable
from wires import arrays, live

logger = logging.getLogger(__name__)
Status = Campaign.Status
UNHEARD_IN_A_ROW = 20  # then something is wrong with the provider, and a person should look
HEARD = (Receipt, Busy, Refused)
UNASKED = (NotFilledIn, NotStarted, Stopped)  # nobody waited for an answer
SIGNAL_EVERY = 0.25  # seconds, per campaign
# In the ledger, because at one message a second no shift is long enough to notice. A person who resumes begins anew.
SILENT = """
    SELECT s.campaign_id FROM dispatcher_settlement s
    WHERE s.campaign_id = ANY(%s)
      AND s.id >= coalesce((SELECT max(id) FROM dispatcher_settlement WHERE campaign_id = s.campaign_id AND heard), 0)
      AND s.at > coalesce((SELECT max(at) FROM campaigns_statuschange
                           WHERE campaign_id = s.campaign_id AND to_status = %s
                             AND from_status IS DISTINCT FROM to_status), '-infinity')
    GROUP BY 1 HAVING sum(s.silence) >= %s
"""


class Watch:
    """Remembers for one shift."""

    def __init__(self) -> None:
        self.began = time.monotonic()
        self.silent: set[int] = set()  # campaigns with answers never heard in the last settle
        self.settled: Counter[int] = Counter()
        self.signalled: dict[int, float] = defaultdict(float)
        self.untold: dict[int, int] = {}

    def record(self, cursor, settled: list[tuple[Content, Counts]], answered: list[tuple[Content, Call]]) -> None:
        """Write down how much was settled and how much never heard, and tell the pages, at most four times a second."""
        now = time.monotonic()
        by_campaign: Counter[int] = Counter()
        helped: Counter[int] = Counter()
        for content, counts in settled:
            by_campaign[content.campaign] += counts.settled
            helped[content.campaign] += counts.helped
            self.untold[content.campaign] = content.workspace
        heard, silence = listen(answered)
        told = [pk for pk, n in by_campaign.items() if n or pk in heard or silence[pk]]
        rows = [(pk, by_campaign[pk], helped[pk], pk in heard, silence[pk]) for pk in told]
        if rows:
            cursor.execute(
                "INSERT INTO dispatcher_settlement (campaign_id, settled, helped, heard, silence)"
                " SELECT * FROM unnest(%s::bigint[], %s::int[], %s::int[], %s::bool[], %s::int[])",
                [arrays.plain(column) for column in zip(*rows, strict=True)],
            )
        self.silent = {pk for pk, n in silence.items() if n}
        for campaign in list(self.untold):
            if now - self.signalled[campaign] >= SIGNAL_EVERY:
                self.signalled[campaign] = now
                live.changed(campaign, self.untold.pop(campaign))

    def tell_all(self) -> None:
        """The last change of a burst arrives, however short the burst."""
        for campaign, workspace in self.untold.items():
            live.changed(campaign, workspace)
        self.untold.clear()

    def count(self, settled: list[tuple[Content, Call]]) -> None:
        """For the speed; called once they are committed."""
        self.settled.update(content.campaign for content, _ in settled)

    def close_or_slow_down(self, cursor, chosen: Chosen, answers: list[tuple[int, object]]) -> bool:
        """What these answers to campaigns mean for the lane: slower after a 429, closed when it cannot be reached.

        False if it cannot be reached, but another sender was chosen meanwhile: then nothing is closed.
        """
        busy = [(campaign, answer) for campaign, answer in answers if isinstance(answer, Busy)]
        too_fast = {campaign: answer for campaign, answer in busy if answer.category == "rate_limited"}
        if too_fast:
            asked = max(answer.retry_after or 0 for _, answer in busy if answer.category == "rate_limited")
            elapsed = max(time.monotonic() - self.began, 1)
            speed = sum(self.settled[campaign] for campaign in too_fast) / elapsed
            pace.slow_down(cursor, chosen.lane, retry_after=asked, speed=speed)
        away = [answer for _, answer in busy if isinstance(answer, Unreachable)]
        if not away:
            return True
        seconds = max(answer.retry_after or 0 for answer in away)
        return close_lane(cursor, chosen, seconds=seconds, trouble=storable(str(away[-1])))

    def pause_where_nothing_is_heard(self) -> None:
        """Pause the campaigns whose provider has gone silent; a person decides when to go on."""
        for campaign_id in silent_for_long(self.silent):
            with transaction.atomic():
                campaign = Campaign.objects.select_for_update(of=("self",)).filter(pk=campaign_id).first()
                if campaign and campaign.status == Status.SENDING:
                    reason = f"{UNHEARD_IN_A_ROW} messages in a row got no answer from the provider"
                    campaign.move_to(Status.PAUSED, by=None, reason=reason)
                    facts = {"campaign": campaign.pk, "workspace": campaign.workspace_id}
                    logger.warning("campaign %s was paused: %s", campaign.pk, reason, extra=facts)
                    after = {"status": Status.PAUSED.label, "reason": reason}
                    before = {"status": Status.SENDING.label}
                    audit_log.record(campaign.workspace, "pause", campaign, by=None, before=before, after=after)
                    live.changed(campaign.pk, campaign.workspace_id)


def listen(answered: list[tuple[Content, Call]]) -> tuple[set[int], Counter[int]]:
    """The campaigns of which an answer was heard, and how many of each were not since."""
    heard: set[int] = set()
    silence: Counter[int] = Counter()
    for content, call in answered:
        if isinstance(call.answer, HEARD):
            heard.add(content.campaign)
            silence[content.campaign] = 0
        elif not isinstance(call.answer, UNASKED):
            silence[content.campaign] += 1
    return heard, silence


def silent_for_long(campaigns: set[int]) -> list[int]:
    """Those of which too many answers in a row were never heard, whoever asked."""
    if not campaigns:
        return []
    with connection.cursor() as cursor:
        cursor.execute(SILENT, [list(campaigns), Status.SENDING, UNHEARD_IN_A_ROW])
        return [pk for (pk,) in cursor.fetchall()]
