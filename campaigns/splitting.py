"""Splitting: which person gets which variant, who waits for the winner and who is held out, by a stable hash.

Whoever is asked comes to the same answer, in SQL and in Python, today and tomorrow: it depends on the campaign, the
person and the shares alone.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import F, Func, IntegerField, TextField, Value
from django.db.models.functions import MD5, Cast, Concat

SPACE = 2**32  # how many places the hash tells apart
MOST = 6  # variants of one campaign
HELD_OUT = -1  # gets nothing, so that one can see what the campaign changed
WAITS = 0  # gets the winner, once it is chosen
LETTERS = "ABCDEF"


@dataclass(frozen=True)
class Shares:
    """Percents: `weights` of the variants among those who get one now, `tested` of those not held out, `hold_out`."""

    weights: tuple[int, ...]
    tested: int = 100
    hold_out: int = 0

    @property
    def ends(self) -> list[tuple[int, int]]:
        """Where the places of each lot end, in order: those held out, each variant, those who wait."""
        first = SPACE * self.hold_out // 100
        tested = (SPACE - first) * self.tested // 100
        upto = [sum(self.weights[:n]) for n in range(1, len(self.weights) + 1)]
        variants = [(first + tested * share // 100, n) for n, share in enumerate(upto, 1)]
        return [(first, HELD_OUT), *variants, (SPACE, WAITS)]

    def percent_of(self, variant: int) -> float:
        """How many of a hundred people of the audience get this variant before a winner is chosen."""
        return (100 - self.hold_out) * self.tested * self.weights[variant - 1] / 10_000


def letter(variant: int) -> str:
    """What people call it: 1 is A."""
    return LETTERS[variant - 1]


def place_of(campaign: int, person: int) -> int:
    """A number below SPACE."""
    return int(hashlib.md5(f"{campaign}:{person}".encode(), usedforsecurity=False).hexdigest()[:8], 16)


def lot_of(shares: Shares, campaign: int, person: int) -> int:
    """The variant of a person, WAITS or HELD_OUT."""
    place = place_of(campaign, person)
    return next(lot for end, lot in shares.ends if place < end)


class Lot(Func):
    """`lot_of` in SQL, of the person whose row it is."""

    template = "(%(lots)s)[width_bucket(('x' || left(%(expressions)s, 8))::bit(32)::bigint, %(ends)s) + 1]"
    output_field = IntegerField()

    def __init__(self, shares: Shares, campaign: int) -> None:
        ends, lots = zip(*shares.ends, strict=True)
        hashed = MD5(Concat(Value(f"{campaign}:"), Cast(F("pk"), TextField()), output_field=TextField()))
        super().__init__(
            hashed,
            lots=f"ARRAY[{', '.join(map(str, lots))}]",
            ends=f"ARRAY[{', '.join(map(str, ends[:-1]))}]::bigint[]",
        )


def even_weights(variants: int) -> list[int]:
    """Percents that add up, as equal as they can be; the first gets what is left over."""
    each = 100 // variants
    return [100 - each * (variants - 1), *[each] * (variants - 1)]


def wrong_with(weights: Sequence[int]) -> str:
    """Why these weights cannot be, as a sentence; empty if they can."""
    if not 2 <= len(weights) <= MOST:
        return f"Compare at least two variants, and {MOST} at most."
    if any(weight < 1 for weight in weights):
        return "Each variant needs at least 1 percent; remove one that nobody is to get."
    if sum(weights) != 100:
        return f"The percents add up to {sum(weights)}; they have to add up to 100."
    return ""
