"""Results: how sure one can be that one variant did better than another. Arithmetic alone.

Intervals are those of Wilson (1927) for a share and of Newcombe (1998, method 10) for the difference of two; where
more than two variants are compared, each pair has to be the surer (Bonferroni), or chance alone would find a winner.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from itertools import combinations
from math import ceil, sqrt
from statistics import NormalDist

CONFIDENCE = 0.95
POWER = 0.8  # how often a difference that is there is to be seen
LEAST = 30  # answers of each variant before anything is said: of fewer one should not trust any formula
WORTH_SEEING = 0.02  # the difference a comparison has to be able to see before it says that there is none


@dataclass(frozen=True)
class Tally:
    """Of so many answers, so many were as hoped for."""

    hits: int
    of: int

    @property
    def share(self) -> float:
        return self.hits / self.of if self.of else 0.0


@dataclass(frozen=True)
class Verdict:
    """What can be said: `winner` is the variant that did best for sure, `missing` how many answers it takes to say."""

    winner: int | None = None
    leader: int | None = None
    missing: int = 0

    @property
    def is_early(self) -> bool:
        return self.winner is None and self.missing > 0


@lru_cache
def z_of(confidence: float, pairs: int = 1) -> float:
    """How many standard deviations an interval reaches to either side, when so many pairs are compared."""
    return NormalDist().inv_cdf(1 - (1 - confidence) / pairs / 2)


def wilson(tally: Tally, z: float) -> tuple[float, float]:
    """Between which shares the true one lies; between 0 and 1 while nothing is known."""
    if not tally.of:
        return 0.0, 1.0
    n, p = tally.of, tally.share
    middle = (p + z * z / (2 * n)) / (1 + z * z / n)
    reach = z / (1 + z * z / n) * sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    # At the ends rounding must not leave a share that cannot be.
    return (0.0 if not tally.hits else middle - reach), (1.0 if tally.hits == n else middle + reach)


def difference(first: Tally, second: Tally, z: float) -> tuple[float, float]:
    """Between which numbers the first share less the second one lies."""
    (low, high), (other_low, other_high) = wilson(first, z), wilson(second, z)
    p, q = first.share, second.share
    return (
        p - q - sqrt((p - low) ** 2 + (other_high - q) ** 2),
        p - q + sqrt((high - p) ** 2 + (q - other_low) ** 2),
    )


def needed(share: float, apart: float, z: float) -> int:
    """Answers of each variant that it takes to see shares around this one that are so far apart."""
    share = min(max(share, 0.005), 0.995)  # at the very end one would believe that a few are enough
    return ceil((z + NormalDist().inv_cdf(POWER)) ** 2 * 2 * share * (1 - share) / apart**2)


def judge(tallies: Mapping[int, Tally], *, more_is_better: bool = True) -> Verdict:
    """Which variant did best: for sure, as it seems, or when it can be said."""
    z = z_of(CONFIDENCE, max(1, len([*combinations(tallies, 2)])))
    best = _leader(tallies, more_is_better)
    others = [tally for variant, tally in tallies.items() if variant != best]
    if (
        best
        and others
        and is_enough(tallies)
        and all(_is_better(tallies[best], other, z, more_is_better) for other in others)
    ):
        return Verdict(winner=best, leader=best)
    together = Tally(sum(t.hits for t in tallies.values()), sum(t.of for t in tallies.values()))
    each = max(LEAST, needed(together.share if together.of else 0.5, WORTH_SEEING, z))
    missing = sum(max(0, each - tally.of) for tally in tallies.values())
    return Verdict(leader=best, missing=missing)


def is_enough(tallies: Mapping[int, Tally]) -> bool:
    """Whether each has the answers without which nothing is said."""
    return all(tally.of >= LEAST for tally in tallies.values())


def _leader(tallies: Mapping[int, Tally], more_is_better: bool) -> int | None:
    """The one whose share is best; None while one was not asked yet, or when the best are level."""
    if not all(tally.of for tally in tallies.values()):
        return None
    sign = 1 if more_is_better else -1
    ranked = sorted(tallies, key=lambda variant: sign * tallies[variant].share, reverse=True)
    is_level = len(ranked) > 1 and tallies[ranked[0]].share == tallies[ranked[1]].share
    return None if is_level else ranked[0]


def _is_better(one: Tally, other: Tally, z: float, more_is_better: bool) -> bool:
    low, high = difference(one, other, z)
    return low > 0 if more_is_better else high < 0


def lead_of(tallies: Mapping[int, Tally], variant: int, *, more_is_better: bool = True) -> float:
    """By how much the share of this variant is better than that of the next best; below 0 if another one leads."""
    sign = 1 if more_is_better else -1
    return min(sign * (tallies[variant].share - tally.share) for other, tally in tallies.items() if other != variant)
