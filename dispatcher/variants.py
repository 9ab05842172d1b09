"""Variants of a campaign under way: how each of them does, whether one is better, and who waits for the winner."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from django.db import connection

from campaigns import results
from campaigns.models import Campaign, Split
from campaigns.results import CONFIDENCE, Tally, Verdict, z_of
from campaigns.splitting import letter
from dispatcher.models import Category

NAMES = ("total", "pending", "sent", "failed", "skipped", "cancelled", "unknown")
# Each batch is of one variant, so these sums are exact at every moment and cost what a few thousand rows cost.
SUMS = f"""
    SELECT variant, is_rest, {", ".join(f"sum({name})" for name in NAMES)},
           {", ".join(f"sum(failed_by[{category}])" for category in Category.values)}
    FROM dispatcher_batch WHERE campaign_id = %s AND (variant > 0 OR is_rest) GROUP BY 1, 2 ORDER BY 2, 1
"""  # noqa: S608 - built from our own words


@dataclass(frozen=True)
class Counts:
    """What became of the people of one variant, or of those who wait for the winner."""

    variant: int
    is_rest: bool
    total: int
    pending: int
    sent: int
    failed: int
    skipped: int
    cancelled: int
    unknown: int
    failed_by: tuple[int, ...]

    @property
    def letter(self) -> str:
        return letter(self.variant) if self.variant else ""


def counts_of(campaign: Campaign) -> list[Counts]:
    """The variants in order, then the rest; none before the launch."""
    with connection.cursor() as cursor:
        cursor.execute(SUMS, [campaign.pk])
        return [
            Counts(variant, is_rest, *rest[:7], failed_by=tuple(rest[7:]))  # type: ignore[misc]
            for variant, is_rest, *rest in cursor.fetchall()
        ]


@dataclass(frozen=True)
class Measure:
    """By which variants are compared: of how many answers how many were as hoped for, or feared."""

    word: str
    name: str
    tally: Callable[[Counts], Tally]
    more_is_better: bool = True


def accepted(counts: Counts) -> Tally:
    return Tally(counts.sent, counts.sent + counts.failed)


def bounced(counts: Counts) -> Tally:
    away = (Category.INVALID_ADDRESS, Category.BOUNCED)
    return Tally(sum(counts.failed_by[each - 1] for each in away), counts.sent + counts.failed)


MEASURES = {
    measure.word: measure
    for measure in (
        Measure("accepted", "accepted by the provider", accepted),
        Measure("bounced", "address cannot be reached", bounced, more_is_better=False),
    )
}


@dataclass(frozen=True)
class Result:
    """One variant by the measure of the campaign: its share, and between which shares the true one lies."""

    counts: Counts
    tally: Tally
    low: float
    high: float
    is_winner: bool

    @property
    def letter(self) -> str:
        return self.counts.letter

    @property
    def percent(self) -> str:
        return f"{100 * self.tally.share:.1f} %" if self.tally.of else "–"

    @property
    def between(self) -> str:
        return f"{100 * self.low:.1f} to {100 * self.high:.1f} %" if self.tally.of else "no answer yet"

    @property
    def start(self) -> str:
        """Where the interval begins on a bar of 100 and how wide it is, as an SVG wants it."""
        return f"{100 * self.low:.2f}"

    @property
    def width(self) -> str:
        return f"{max(0.6, 100 * (self.high - self.low)):.2f}"

    @property
    def at(self) -> str:
        return f"{100 * self.tally.share:.2f}"


@dataclass(frozen=True)
class Comparison:
    """How the variants of a campaign compare now, who waits, and what can be said of it."""

    campaign: Campaign
    split: Split
    measure: Measure
    results: list[Result]
    rest: list[Counts]
    verdict: Verdict

    @property
    def held(self) -> int:
        """People who wait for the winner."""
        return sum(counts.pending for counts in self.rest if not counts.variant)

    @property
    def got_winner(self) -> Counts | None:
        return next((counts for counts in self.rest if counts.variant), None)

    @property
    def tallies(self) -> dict[int, Tally]:
        return {result.counts.variant: result.tally for result in self.results}

    @property
    def is_settled(self) -> bool:
        """Whether everybody who was to get a variant at once has an outcome."""
        return not any(result.counts.pending for result in self.results)

    @property
    def chooses_at(self) -> datetime | None:
        """When the rule will choose; None where a person does, or somebody has."""
        launched = self.campaign.launched_at
        by_rule = launched and not self.split.winner and not self.split.undecided_at
        return self.split.due_at(launched) if launched and by_rule else None

    @property
    def words(self) -> str:
        """The verdict in a sentence."""
        if winner := self.verdict.winner:
            return f"{letter(winner)} is better ({100 * CONFIDENCE:.0f} % sure)."
        if self.verdict.is_early and not self.is_settled:
            return f"Too early: about {self.verdict.missing:,} more answers are needed."
        if self.verdict.is_early:
            return f"Too few to tell: about {self.verdict.missing:,} more answers would have been needed."
        return "No difference seen, although there were answers enough to see one of 2 points."

    @property
    def choices(self) -> list[Result]:
        """What the rest may get, while somebody waits and the campaign goes on."""
        going = self.campaign.status in (Campaign.Status.SENDING, Campaign.Status.PAUSED)
        return self.results if going and self.held else []


def comparison_of(campaign: Campaign, split: Split) -> Comparison | None:
    """Read how the variants of a campaign stand; None before its launch."""
    counts = counts_of(campaign)
    if not counts:
        return None
    measure = MEASURES.get(split.measure) or MEASURES["accepted"]
    tested = {one.variant: one for one in counts if not one.is_rest}
    tallies = {variant: measure.tally(one) for variant, one in tested.items()}
    return Comparison(
        campaign=campaign,
        split=split,
        measure=measure,
        results=[result(one, tallies, split) for one in tested.values()],
        rest=[one for one in counts if one.is_rest],
        verdict=results.judge(tallies, more_is_better=measure.more_is_better),
    )


def result(counts: Counts, tallies: Mapping[int, Tally], split: Split) -> Result:
    tally = tallies[counts.variant]
    low, high = results.wilson(tally, z_of(CONFIDENCE))
    return Result(counts, tally, low, high, is_winner=split.winner == counts.variant)
