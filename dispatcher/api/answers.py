"""What programs read about campaigns: the shapes of the API's answers."""

from collections.abc import Sequence
from datetime import datetime

from ninja import Schema
from pydantic import Field

from accounts.paging import Pagination
from campaigns.linking import linkings_of
from campaigns.models import Campaign, Format, Linking, Split
from campaigns.splitting import letter
from dispatcher.api.shapes import FormatWord, PriorityWord, StatusWord
from dispatcher.stats import stats_of_many
from dispatcher.variants import Comparison, Result
from people.api.shapes import ChannelWord


class Stats(Schema):
    """The books: total is the sum of the others.

    Before the launch a forecast, counted up to 100,000; where more than 10,000 people are looked at for it, it may be
    10 seconds old.
    """

    total: int
    pending: int
    sending: int = Field(description="Always 0: no message is ever in such a status.")
    sent: int
    failed: int
    skipped: int
    cancelled: int
    unknown: int


class BadEmail(Schema):
    email: str
    error: str


class LinkingOut(Schema):
    """What became of recipient_emails; all of them are in one of these numbers."""

    processed: int = Field(description="People of the campaign now.")
    skipped: int = Field(description="Who opted out or was erased, or was named before.")
    errors: list[BadEmail] = Field(description="No email addresses; the first 100 of them.")
    error_count: int
    waiting: int = Field(description="Not looked at yet; until it is 0 the campaign cannot be sent.")


class CampaignOut(Schema):
    id: int
    name: str
    channel: ChannelWord
    status: StatusWord
    base_template: str
    subject: str
    format: FormatWord
    preheader: str
    scheduled_at: datetime | None
    priority: PriorityWord
    generated_words: bool
    brief: str
    whatsapp_template_id: int | None
    whatsapp_values: dict[str, str]
    series_id: int | None = Field(description="The series it belongs to.")
    archived: bool
    recipients: LinkingOut | None = Field(description="null where no recipient_emails were given.")
    created_at: datetime
    stats: Stats


def shown(campaign: Campaign, stats: dict[str, int], linking: Linking | None) -> dict:
    """The campaign as `CampaignOut` shows it."""
    return {
        "id": campaign.pk,
        "name": campaign.name,
        "channel": campaign.channel_word,
        "status": campaign.get_status_display(),
        "base_template": campaign.body,
        "subject": campaign.subject,
        "format": Format(campaign.format).word,
        "preheader": campaign.preheader,
        "scheduled_at": campaign.scheduled_at,
        "priority": campaign.get_priority_display(),
        "generated_words": campaign.generated_words,
        "brief": campaign.brief,
        "whatsapp_template_id": campaign.whatsapp_template_id,
        "whatsapp_values": campaign.whatsapp_values,
        "series_id": campaign.series_id,
        "archived": campaign.archived_at is not None,
        "recipients": linking_shown(linking) if linking else None,
        "created_at": campaign.created_at,
        "stats": stats,
    }


def all_shown(campaigns: Sequence[Campaign]) -> list[dict]:
    """In as many queries for many as for one."""
    stats, linkings = stats_of_many(campaigns), linkings_of(campaigns)
    return [shown(campaign, stats[campaign.pk], linkings.get(campaign.pk)) for campaign in campaigns]


def linking_shown(linking: Linking) -> dict:
    counts = {"processed": linking.linked, "skipped": linking.skipped, "error_count": linking.wrong}
    return counts | {"errors": linking.errors, "waiting": linking.waiting}


class CampaignPage(Schema):
    data: list[CampaignOut]
    pagination: Pagination


class VariantOut(Schema):
    variant: str = Field(description="Its letter.")
    weight: int = Field(description="Percent of those who got a variant at once.")
    total: int
    pending: int
    sent: int
    failed: int
    unknown: int
    share: float = Field(description="Of what the comparison measures, among the answers so far.")
    low: float = Field(description="With 95 % certainty the true share is not below this.")
    high: float = Field(description="With 95 % certainty the true share is not above this.")


class RuleOut(Schema):
    measure: str = Field(description="accepted or bounced.")
    after_hours: int = Field(description="After the launch.")
    at_least: int = Field(description="Points by which the winner has to lead.")


class SplitOut(Schema):
    weights: list[int] = Field(description="Percents for A, B and so on.")
    tested: int = Field(description="Percent who get a variant at once; the rest wait for the winner.")
    hold_out: int = Field(description="Percent who get nothing, to compare with.")
    rule: RuleOut | None = Field(description="null where a person chooses the winner.")


class VariantsOut(Schema):
    split: SplitOut | None = Field(description="How the people are divided; null for a campaign without variants.")
    measure: str | None = Field(description="accepted or bounced.")
    verdict: str | None = Field(description="What can be said of the difference, in a sentence.")
    better: str | None = Field(description="The variant that is better for sure, if one is.")
    winner: str | None = Field(description="The variant that was chosen for the rest, if one was.")
    waiting: int = Field(description="People who wait for the winner.")
    variants: list[VariantOut]


def compared(split: Split | None, comparison: Comparison | None) -> dict:
    """The variants as `VariantsOut` shows them."""
    divided = split_shown(split) if split else None
    if comparison is None:
        nothing = dict.fromkeys(("measure", "verdict", "better", "winner"))
        return {"split": divided, "variants": unsent(split) if split else [], "waiting": 0} | nothing
    better, winner = comparison.verdict.winner, comparison.split.winner
    return {
        "split": divided,
        "measure": comparison.measure.word,
        "verdict": comparison.words,
        "better": letter(better) if better else None,
        "winner": letter(winner) if winner else None,
        "waiting": comparison.held,
        "variants": [variant_shown(result, comparison) for result in comparison.results],
    }


def unsent(split: Split) -> list[dict]:
    """Its variants as they stand before the launch: the true share may be any."""
    zeros = dict.fromkeys(("total", "pending", "sent", "failed", "unknown", "share", "low"), 0) | {"high": 1}
    pairs = zip(split.letters, split.weights, strict=True)
    return [{"variant": each, "weight": weight} | zeros for each, weight in pairs]


def split_shown(split: Split) -> dict:
    rule = {name: getattr(split, name) for name in ("measure", "after_hours", "at_least")}
    told = {"weights": split.weights, "tested": split.tested, "hold_out": split.hold_out}
    return told | {"rule": rule if split.measure else None}


def variant_shown(result: Result, comparison: Comparison) -> dict:
    counts = {name: getattr(result.counts, name) for name in ("total", "pending", "sent", "failed", "unknown")}
    weight = comparison.split.weights[result.counts.variant - 1]
    share = {"share": result.tally.share, "low": result.low, "high": result.high}
    return {"variant": result.letter, "weight": weight} | counts | share


class SentOut(Schema):
    campaign_id: int
    messages_queued: int | None = Field(description="Messages this call added; null while they are being prepared.")
    status: StatusWord
    skipped: dict[str, int] = Field(description="People left out, by reason.")


class ForecastOut(Schema):
    """Credits stay null and nothing is missing while the workspace has no balance."""

    recipientCount: int
    estimatedCost: float | None = Field(description="null where no price is set or the parts are not counted yet.")
    currency: str | None
    availableCredits: float | None = None
    canSend: bool
    insufficientCredits: bool = False
    missingCredits: float = 0
    skipped: dict[str, int] = Field(description="People left out, by reason.")
