"""What programs read about campaigns: the shapes of the API's answers."""

from datetime import datetime

from ninja import Schema
from pydantic import Field

from accounts.paging import Pagination
from campaigns.models import Campaign, Format
from campaigns.splitting import letter
from dispatcher.api_shapes import FormatWord, PriorityWord, StatusWord
from dispatcher.variants import Comparison, Result
from people.api_shapes import ChannelWord


class Stats(Schema):
    """The books: total is the sum of the others. Before the launch a forecast, counted up to 100,000."""

    total: int
    pending: int
    sending: int = Field(description="Always 0: no message is ever in such a status.")
    sent: int
    failed: int
    skipped: int
    cancelled: int
    unknown: int


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
    created_at: datetime
    stats: Stats


def shown(campaign: Campaign, stats: dict[str, int]) -> dict:
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
        "created_at": campaign.created_at,
        "stats": stats,
    }


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


class VariantsOut(Schema):
    measure: str | None = Field(description="accepted or bounced.")
    verdict: str | None = Field(description="What can be said of the difference, in a sentence.")
    better: str | None = Field(description="The variant that is better for sure, if one is.")
    winner: str | None = Field(description="The variant that was chosen for the rest, if one was.")
    waiting: int = Field(description="People who wait for the winner.")
    variants: list[VariantOut]


def compared(comparison: Comparison | None) -> dict:
    """The variants as `VariantsOut` shows them."""
    if comparison is None:
        return {"variants": [], "waiting": 0} | dict.fromkeys(("measure", "verdict", "better", "winner"))
    better, winner = comparison.verdict.winner, comparison.split.winner
    return {
        "measure": comparison.measure.word,
        "verdict": comparison.words,
        "better": letter(better) if better else None,
        "winner": letter(winner) if winner else None,
        "waiting": comparison.held,
        "variants": [variant_shown(result, comparison) for result in comparison.results],
    }


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
