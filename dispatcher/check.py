"""Check and send: who gets a campaign, who does not and why, how it reads, and what stands in the way."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cached_property

from django.db import transaction

from accounts.models import Actor
from campaigns.authoring import AUDIENCE
from campaigns.gaps import Gap, gaps
from campaigns.models import Campaign, Split
from campaigns.rules import Rule
from campaigns.spoken import Spoken, spoken_in, written_in
from campaigns.when import Wall
from dispatcher import freeze, operations, recurring
from dispatcher.models import SKIP_WORDS, SkipReason
from dispatcher.reading import Reading, reading_of
from people.channels import Channel
from people.models import Recipient

SHOWN = 100  # people listed of those left out
KINDS = {
    Channel.EMAIL: ("email", "emails"),
    Channel.SMS: ("text message", "text messages"),
    Channel.WHATSAPP: ("WhatsApp message", "WhatsApp messages"),
}
MENDED_IN_THE_TEXT = ("INVALID_TEMPLATE", "NO_RECIPIENTS", "SEGMENT_BROKEN")
ONLY_FOR_NOW = "IMPORT_RUNNING"


class DraftChanged(Exception):
    """What would go out now is not what was looked at."""

    def __init__(self) -> None:
        super().__init__("The draft changed since you checked it; look again.")


@dataclass(frozen=True)
class LeftOut:
    """One reason why people do not get it."""

    reason: SkipReason
    count: int

    @property
    def words(self) -> str:
        return SKIP_WORDS[self.reason].capitalize()

    @property
    def word(self) -> str:
        return self.reason.label


@dataclass(frozen=True)
class Check:
    """All that is looked at before the button is pressed."""

    campaign: Campaign
    forecast: freeze.Forecast
    excluded: int
    refusal: operations.LaunchRefused | None
    shown: LeftOut | None
    people: list[Recipient]
    reading: Reading
    gaps: list[Gap]

    @property
    def kind(self) -> str:
        return KINDS[Channel(self.campaign.channel)][0]

    @property
    def kinds(self) -> str:
        """What the button sends: "4,212 text messages"."""
        one, many = KINDS[Channel(self.campaign.channel)]
        return f"1 {one}" if self.forecast.reached == 1 else f"{self.forecast.reached:,} {many}"

    @cached_property
    def spoken(self) -> Spoken | None:
        """Who reads which of its languages, where it has several."""
        return spoken_in(self.campaign) if written_in(self.campaign) else None

    @property
    def split(self) -> Split | None:
        return Split.of(self.campaign)

    @property
    def seal(self) -> str:
        return seal_of(self.campaign, self.forecast)

    @property
    def chosen(self) -> int:
        """Everybody who was chosen, those excluded among them: the parts below add up to it."""
        return self.forecast.chosen + self.excluded

    @property
    def left_out(self) -> list[LeftOut]:
        return [LeftOut(reason, count) for reason, count in sorted(self.forecast.skipped.items()) if count]

    @property
    def is_mended_by_editing(self) -> bool:
        return self.refusal is not None and self.refusal.code in MENDED_IN_THE_TEXT

    @property
    def can_be_sent(self) -> bool:
        return self.refusal is None and self.campaign.can_become(Campaign.Status.PREPARING)

    @property
    def can_be_scheduled(self) -> bool:
        """An import under way is done by then."""
        is_ready = self.refusal is None or self.refusal.code == ONLY_FOR_NOW
        return is_ready and self.campaign.status == Campaign.Status.DRAFT


def check_of(campaign: Campaign, query: Mapping[str, str]) -> Check:
    """`left_out` in the query names a reason whose people are listed; the rest says whose text is shown."""
    reason = SkipReason.__members__.get(query.get("left_out", "").upper())
    people = freeze.candidates(campaign).filter(skip=reason).order_by("pk")[:SHOWN] if reason else []
    forecast = freeze.forecast(campaign)
    return Check(
        campaign=campaign,
        forecast=forecast,
        excluded=campaign.chosen().count() - forecast.chosen,
        refusal=refusal_of(campaign),
        shown=LeftOut(reason, forecast.skipped.get(reason, 0)) if reason else None,
        people=list(people),
        gaps=gaps(campaign),
        reading=reading_of(campaign, query, total=forecast.reached),
    )


def seal_of(campaign: Campaign, forecast: freeze.Forecast) -> str:
    """Short for all that was looked at: another text, channel, choice or number of people has another seal."""
    ids = [sorted(getattr(campaign, field).values_list("pk", flat=True)) for field in AUDIENCE]
    words = [[each.variant, each.language, *each.source] for each in campaign.wordings.all()]
    text = [campaign.channel, *campaign.source, words, campaign.generated_words, campaign.brief]
    segments = [*campaign.all_segments().order_by("pk").values_list("pk", "rules")]
    looked_at = [*text, campaign.everyone, ids, segments, forecast.reached, campaign.updated_at.isoformat()]
    return hashlib.sha256(json.dumps(looked_at).encode()).hexdigest()


@transaction.atomic
def send_as_checked(campaign: Campaign, seal: str, *, by: Actor | None) -> Campaign:
    """Launch what was looked at and nothing else. Raises DraftChanged beside what `launch` raises."""
    campaign = operations.locked(campaign)
    # What was launched meanwhile has no draft to look at again: `launch` refuses it in its own words.
    if campaign.can_become(Campaign.Status.PREPARING) and seal != seal_of(campaign, freeze.forecast(campaign)):
        raise DraftChanged
    return operations.launch(campaign, by=by)


@transaction.atomic
def schedule_as_checked(
    campaign: Campaign,
    seal: str,
    at: Wall,
    *,
    by: Actor | None,
    rule: Rule | None = None,
    until: date | None = None,
    count: int | None = None,
) -> Campaign:
    """Schedule what was looked at, once or, with a rule, as the first of a series.

    Raises DraftChanged or LaunchRefused beside what `schedule` and `repeat` raise.
    """
    campaign = operations.locked(campaign)
    if campaign.status == Campaign.Status.DRAFT:
        if seal != seal_of(campaign, freeze.forecast(campaign)):
            raise DraftChanged
        refusal = refusal_of(campaign)
        if refusal and refusal.code != ONLY_FOR_NOW:
            raise refusal
    if rule:
        return recurring.repeat(campaign, rule, at, by=by, until=until, count=count)
    return operations.schedule(campaign, at=at, by=by)


def refusal_of(campaign: Campaign) -> operations.LaunchRefused | None:
    try:
        operations.refuse_unless_ready(campaign)
    except operations.LaunchRefused as refusal:
        return refusal
    return None
