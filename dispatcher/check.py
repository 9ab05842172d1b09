"""Check and send: who gets a campaign, who does not and why, how it reads, and what stands in the way."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cached_property

from django.db import transaction
from django.utils import timezone

from accounts.allowance import sends_of
from accounts.models import Actor
from campaigns.authoring import AUDIENCE
from campaigns.gaps import Gap, gaps
from campaigns.mail import checking as mail
from campaigns.models import Campaign, Split
from campaigns.rules import Rule
from campaigns.spoken import Spoken, spoken_where_several
from campaigns.when import Wall
from campaigns.wordings import all_words_of
from dispatcher import freeze, operations, recurring, typed
from dispatcher.chosen import chosen_sender
from dispatcher.cost import Cost, cost_of
from dispatcher.fitting import Misfit, named_misfits
from dispatcher.left_out import LeftOut, Page, page_of, parts_of
from dispatcher.prediction import Prediction, predict
from dispatcher.readiness import LaunchRefused, refuse_unless_ready
from dispatcher.reading import Reading, reading_of
from dispatcher.words import about
from people.channels import Channel
from wires.meter import Standing

KINDS = {
    Channel.EMAIL: ("email", "emails"),
    Channel.SMS: ("text message", "text messages"),
    Channel.WHATSAPP: ("WhatsApp message", "WhatsApp messages"),
}
MENDED_IN_THE_TEXT = ("INVALID_TEMPLATE", "WHATSAPP_TEMPLATE", "UNFITTING_VALUES", "NO_RECIPIENTS", "SEGMENT_BROKEN")
ONLY_FOR_NOW = ("IMPORT_RUNNING", "ADDRESSES_LINKING", "QUEUE_FULL")
WITHIN_A_DAY = (
    "WhatsApp brings a free text only to people who wrote to you in the last 24 hours; the others fail. "
    "An approved template reaches everybody."
)


class DraftChanged(Exception):
    """What would go out now is not what was looked at."""

    def __init__(self) -> None:
        super().__init__("The draft changed since you checked it; look again.")


@dataclass(frozen=True)
class Check:
    """All that is looked at before the button is pressed."""

    campaign: Campaign
    forecast: freeze.Forecast
    excluded: int
    refusal: LaunchRefused | None
    left_out: list[LeftOut]
    shown: Page | None
    reading: Reading
    gaps: list[Gap]
    cost: Cost
    prediction: Prediction
    sends: Standing | None

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
        return spoken_where_several(self.campaign)

    @cached_property
    def misfits(self) -> list[Misfit]:
        """Whose own words its WhatsApp template cannot take, by reason."""
        is_one = self.refusal is not None and self.refusal.code == "UNFITTING_VALUES"
        return named_misfits(self.campaign) if is_one else []

    @property
    def split(self) -> Split | None:
        return Split.of(self.campaign)

    @property
    def is_looked_through(self) -> bool:
        """Whether its words can still be changed for what is found in them."""
        is_email = self.campaign.channel == Channel.EMAIL
        return self.campaign.is_editable and (is_email or is_free_whatsapp(self.campaign))

    @property
    def checks(self) -> list[mail.Check]:
        if is_free_whatsapp(self.campaign):
            return [mail.Check(WITHIN_A_DAY)]
        chosen = chosen_sender(self.campaign.workspace_id, self.campaign.channel)
        return mail.checks_of_all(all_words_of(self.campaign), sender=chosen.mailbox)

    @property
    def seal(self) -> str:
        return seal_of(self.campaign, self.forecast, self.cost)

    @property
    def chosen(self) -> int:
        """Everybody who was chosen, those excluded among them: the parts below add up to it."""
        return self.forecast.chosen + self.excluded

    @property
    def asks_for_number(self) -> bool:
        return typed.is_asked_for(self.campaign.workspace, self.forecast.reached)

    @property
    def zone(self) -> str:
        """In which the times of the campaign are told."""
        wall = None if self.is_draft else self.campaign.wall
        return wall.zone if wall else str(self.campaign.workspace.zone)

    @property
    def ends(self) -> str:
        """About when it would be over, in its zone."""
        with timezone.override(self.zone):
            at = self.prediction.ends_at
            return f"{about(at, timezone.now())} {self.zone}" if at else ""

    @property
    def speed(self) -> str:
        rate = self.prediction.speed.rate if self.prediction.speed else 0
        return f"{rate:,.0f} a second" if rate >= 10 else f"{rate:,.2g} a second"

    @property
    def undo_seconds(self) -> int:
        return self.campaign.workspace.undo_seconds

    @property
    def is_draft(self) -> bool:
        return self.campaign.status == Campaign.Status.DRAFT

    @property
    def is_mended_by_editing(self) -> bool:
        return self.refusal is not None and self.refusal.code in MENDED_IN_THE_TEXT

    @property
    def is_mended_by_time(self) -> bool:
        return self.refusal is not None and self.refusal.code in ONLY_FOR_NOW

    @property
    def can_be_sent(self) -> bool:
        return self.refusal is None and self.campaign.can_become(Campaign.Status.PREPARING)

    @property
    def can_be_scheduled(self) -> bool:
        """An import or a linking under way is done by then, and the queue has room."""
        is_ready = self.refusal is None or self.is_mended_by_time
        return is_ready and self.campaign.status == Campaign.Status.DRAFT


def check_of(campaign: Campaign, query: Mapping[str, str]) -> Check:
    """`left_out` in the query names a reason whose people are listed; the rest says whose text is shown."""
    forecast = freeze.forecast(campaign)
    excluded = campaign.chosen().count() - forecast.chosen
    parts = parts_of(forecast, excluded)
    refusal = refusal_of(campaign)
    return Check(
        campaign=campaign,
        forecast=forecast,
        excluded=excluded,
        refusal=refusal,
        left_out=parts,
        shown=page_of(campaign, parts, query),
        gaps=gaps(campaign),
        reading=reading_of(campaign, query, total=forecast.reached),
        cost=cost_of(campaign, forecast.reached),
        prediction=predict(campaign, forecast.reached, undo_seconds=campaign.workspace.undo_seconds),
        sends=sends_of(campaign.workspace),
    )


def is_free_whatsapp(campaign: Campaign) -> bool:
    """Whether it is sent by WhatsApp in words that nobody there approved."""
    return campaign.channel == Channel.WHATSAPP and campaign.whatsapp_template_id is None


def seal_of(campaign: Campaign, forecast: freeze.Forecast, cost: Cost | None = None) -> str:
    """Short for all that was looked at: another text, channel, choice, number of people or price has another seal."""
    cost = cost or cost_of(campaign, forecast.reached)
    ids = [sorted(getattr(campaign, field).values_list("pk", flat=True)) for field in AUDIENCE]
    words = [[each.variant, each.language, *each.source] for each in campaign.wordings.all()]
    text = [campaign.channel, *campaign.source, words, campaign.generated_words, campaign.brief]
    segments = [*campaign.all_segments().order_by("pk").values_list("pk", "rules")]
    people = [campaign.everyone, ids, segments, forecast.reached]
    looked_at = [*text, *people, *cost.token, campaign.updated_at.isoformat()]
    return hashlib.sha256(json.dumps(looked_at).encode()).hexdigest()


@transaction.atomic
def send_as_checked(campaign: Campaign, seal: str, *, by: Actor | None, number: str = "") -> Campaign:
    """Launch what was looked at and nothing else, at the price that was shown; it can be undone for some seconds.

    `number` is how many people get it, as typed. Raises DraftChanged and WrongNumber beside what `launch` raises.
    """
    campaign = operations.locked(campaign)
    if not campaign.can_become(Campaign.Status.PREPARING):
        # There is no draft to look at again: `launch` refuses it in its own words.
        return operations.launch(campaign, by=by)
    people, workspace = freeze.forecast(campaign), campaign.workspace
    cost = cost_of(campaign, people.reached)
    if seal != seal_of(campaign, people, cost):
        raise DraftChanged
    if typed.is_asked_for(workspace, people.reached):
        typed.refuse_other_than(people.reached, number)
    return operations.launch(campaign, by=by, undo_seconds=workspace.undo_seconds, parts=cost.parts)


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
    number: str = "",
) -> Campaign:
    """Schedule what was looked at, once or, with a rule, as the first of a series.

    `number` as when it is sent. Raises DraftChanged, WrongNumber or LaunchRefused beside what `schedule` and `repeat`
    raise.
    """
    campaign = operations.locked(campaign)
    if campaign.status == Campaign.Status.DRAFT:
        people = freeze.forecast(campaign)
        if seal != seal_of(campaign, people):
            raise DraftChanged
        if typed.is_asked_for(campaign.workspace, people.reached):
            typed.refuse_other_than(people.reached, number)
        refuse_unless_schedulable(campaign)
    if rule:
        return recurring.repeat(campaign, rule, at, by=by, until=until, count=count)
    return operations.schedule(campaign, at=at, by=by)


def refusal_of(campaign: Campaign) -> LaunchRefused | None:
    try:
        refuse_unless_ready(campaign)
    except LaunchRefused as refusal:
        return refusal
    return None


def refuse_unless_schedulable(campaign: Campaign) -> None:
    """Raises LaunchRefused where something stands in the way that time will not mend."""
    refusal = refusal_of(campaign)
    if refusal and refusal.code not in ONLY_FOR_NOW:
        raise refusal
