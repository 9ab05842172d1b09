"""The people whose words try a text hardest: the longest, the most that are missing, the most unusual letters."""

from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum
from functools import reduce
from operator import add

from django.db.models import Case, CharField, F, Func, Max, Min, QuerySet, TextField, Value, When
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Cast, Coalesce, Length
from django.db.models.lookups import Exact

from people.models import STANDARD_FIELDS, Recipient

FOUND = 20  # people that are gone through
LOOKED_AT = 50_000  # people among whom they are looked for; of more, so many from all over the audience
RANGES = 25  # in so many ranges of neighbours
NAMES = 20  # fields that are measured, however many a text asks for
USUAL = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 .,'-/&()+@_:#"
NOTHING = Value("", output_field=TextField())


class Order(StrEnum):
    """In which order people are gone through."""

    BY_ID = ""
    LONGEST = "longest"
    EMPTIEST = "emptiest"
    UNUSUAL = "unusual"

    @property
    def words(self) -> str:
        return ORDERS[self]


ORDERS = {
    Order.BY_ID: "In order",
    Order.LONGEST: "Longest words",
    Order.EMPTIEST: "Most words missing",
    Order.UNUSUAL: "Most unusual characters",
}


@dataclass(frozen=True)
class Hardest:
    """Their ids, the hardest first, and among how many they were looked for; 0 where it was everybody."""

    ids: list[int]
    looked_at: int


def hardest(people: QuerySet[Recipient], by: Order, names: Collection[str], total: int | None) -> Hardest:
    """Of these people, by what their fields of these names say; `total` is how many they are, None for very many."""
    is_everybody = total is not None and total <= LOOKED_AT
    measured: list[tuple[int, int, int]] = []
    for some in [people] if is_everybody else _ranges(people):
        measured += _measured(some, by, [*names][:NAMES])
    measured.sort(key=lambda row: (-row[0], -row[1], row[2]))
    return Hardest([pk for *_, pk in measured[:FOUND]], 0 if is_everybody else LOOKED_AT)


def _ranges(people: QuerySet[Recipient]) -> list[QuerySet[Recipient]]:
    """Neighbours from all over them, always the same ones, so that a step finds those that the last one found."""
    ends = people.order_by().aggregate(first=Min("pk"), last=Max("pk"))
    first, last = ends["first"] or 0, ends["last"] or 0
    starts = sorted({first + (last - first) * n // RANGES for n in range(RANGES)})
    return [
        people.filter(pk__gte=start, pk__lt=end).order_by("pk")[: LOOKED_AT // RANGES]
        for start, end in zip(starts, [*starts[1:], last + 1], strict=True)
    ]


def _measured(people: QuerySet[Recipient], by: Order, names: list[str]) -> list[tuple[int, int, int]]:
    """Of the hardest of them how hard they are, what decides between equals, and their ids."""
    values = [_value_of(name) for name in names]
    length = reduce(add, map(Length, values))
    unusual = reduce(add, (Length(_without(USUAL, value)) for value in values))
    missing = reduce(add, (Case(When(Exact(value, NOTHING), then=1), default=0) for value in values))
    measure, next_measure = {
        Order.LONGEST: (length, unusual),
        Order.EMPTIEST: (missing, -length),
        Order.UNUSUAL: (unusual, length),
    }[by]
    chosen = Recipient.objects.filter(pk__in=people.values("pk")) if people.query.is_sliced else people
    measured = chosen.annotate(measure=measure, next_measure=next_measure)
    rows = measured.order_by("-measure", "-next_measure", "pk").values_list("measure", "next_measure", "pk")
    return list(rows[:FOUND])


def _value_of(name: str) -> Coalesce:
    """What somebody's field or attribute of this name says, "" where it says nothing."""
    value = F(name) if name in STANDARD_FIELDS else KeyTextTransform(name, "attributes")
    return Coalesce(Cast(value, TextField()), NOTHING)


def _without(letters: str, value: Coalesce) -> Func:
    return Func(value, Value(letters), Value(""), function="translate", output_field=CharField())
