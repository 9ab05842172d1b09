"""Whose text is shown: one person after another of those who get it, found by name, or the hardest ones first."""

import hashlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import cast
from urllib.parse import urlencode

from django.core.cache import cache
from django.db.models import QuerySet

from campaigns.hardest import Order, hardest
from people.models import Recipient
from people.patience import TookTooLong, patience
from people.search import beginning_with, number_in

REMEMBERED = 60  # seconds for which a total is good enough
SECONDS = 2  # that anybody waits for a total, a place in the order, or the hardest ones
FOUND = 10  # people shown for the words of a search
VERY_MANY = -1  # a total that nobody waited for


@dataclass(frozen=True)
class Asked:
    """Whom somebody wants to see, as an address or a form says; whatever cannot be read is left out."""

    person: int = 0
    at: int = 0
    by: Order = Order.BY_ID

    @classmethod
    def of(cls, query: Mapping[str, str]) -> "Asked":
        person, at, by = query.get("person", ""), query.get("at", ""), query.get("by", "")
        known = Order(by) if by in [*Order] else Order.BY_ID
        return cls(number_in(person) or 0, min(number_in(at) or 0, 10**9), known)

    @property
    def query(self) -> str:
        named = {"person": self.person, "at": self.at, "by": self.by}
        return urlencode({name: value for name, value in named.items() if value})


@dataclass(frozen=True)
class Whose:
    """The person whose text is shown, at which place of how many, and who stands before and after.

    `at` is 0 where finding the place would take too long, `of` is None where counting would.
    """

    person: Recipient | None
    asked: Asked = Asked()
    of: int | None = None
    previous: Asked | None = None
    following: Asked | None = None
    looked_at: int = 0  # among how many the hardest were looked for, where it was not everybody
    has_orders: bool = False

    @property
    def place(self) -> str:
        """17 of 4,212."""
        at = self.asked.at
        if not at:
            return f"one of {self.of:,}" if self.of else ""
        return f"{at:,} of {self.of:,}" if self.of and self.of >= at else f"{at:,}"

    @property
    def orders(self) -> list[tuple[Order, bool]]:
        """Each order people can be gone through in, and whether it is the one."""
        return [(order, order == self.asked.by) for order in Order] if self.has_orders else []


def turn_to(people: QuerySet[Recipient], asked: Asked, names: Collection[str], *, total: int | None = None) -> Whose:
    """Whom to show of these people; a text asks for these fields of them. `total` is how many, where that is known."""
    total = total_of(people) if total is None else total
    if asked.by and names:
        try:
            with patience(SECONDS):
                return _by_hardness(people, asked, names, total)
        except TookTooLong:
            pass  # in their order, then
    return _in_order(people, asked, total, has_orders=bool(names))


def _in_order(people: QuerySet[Recipient], asked: Asked, total: int | None, *, has_orders: bool) -> Whose:
    person = somebody(people, asked.person)
    if person is None:
        return Whose(None)
    before = people.filter(pk__lt=person.pk).order_by("-pk").values_list("pk", flat=True).first()
    after = people.filter(pk__gt=person.pk).order_by("pk").values_list("pk", flat=True).first()
    # The place goes along from link to link; it is counted only after a jump.
    at = 1 if before is None else asked.at if asked.at > 1 and person.pk == asked.person else _place_of(people, person)
    return Whose(
        person,
        Asked(person.pk, at),
        total,
        previous=Asked(before, at - 1 if at else 0) if before else None,
        following=Asked(after, at + 1 if at else 0) if after else None,
        has_orders=has_orders,
    )


def somebody(people: QuerySet[Recipient], wanted: int) -> Recipient | None:
    """The person with this id, else the next one, else the first."""
    return people.filter(pk__gte=wanted).order_by("pk").first() or people.order_by("pk").first()


def _place_of(people: QuerySet[Recipient], person: Recipient) -> int:
    try:
        with patience(SECONDS):
            return people.filter(pk__lte=person.pk).order_by().values("pk").count()
    except TookTooLong:
        return 0


def _by_hardness(people: QuerySet[Recipient], asked: Asked, names: Collection[str], total: int | None) -> Whose:
    found = hardest(people, asked.by, names, total)
    steps = [Asked(pk, n, asked.by) for n, pk in enumerate(found.ids, start=1)]
    nth = found.ids.index(asked.person) if asked.person in found.ids else 0
    return Whose(
        people.filter(pk=steps[nth].person).first() if steps else None,
        steps[nth] if steps else asked,
        len(steps),
        previous=steps[nth - 1] if nth else None,
        following=steps[nth + 1] if nth + 1 < len(steps) else None,
        looked_at=found.looked_at,
        has_orders=True,
    )


def total_of(people: QuerySet[Recipient]) -> int | None:
    """How many they are, or were within the last minute; None where nobody would wait for it."""
    question = repr(people.order_by().query.sql_with_params()).encode()
    key = f"whose:{hashlib.sha256(question).hexdigest()}"
    total = cast(int, cache.get_or_set(key, lambda: _counted(people), REMEMBERED))
    return None if total == VERY_MANY else total


def _counted(people: QuerySet[Recipient]) -> int:
    try:
        with patience(SECONDS):
            return people.order_by().values("pk").count()
    except TookTooLong:
        return VERY_MANY


@dataclass(frozen=True)
class Found:
    """Those so called or reached, and whether there are more or looking for them took too long."""

    words: str
    people: list[Recipient]
    is_more: bool = False
    took_too_long: bool = False


def found_among(people: QuerySet[Recipient], typed: str) -> Found:
    """Those of the people whose name or address begins with these words."""
    words = typed.strip()[:100]
    if not words:
        return Found("", [])
    try:
        with patience(SECONDS):
            ids, is_more = beginning_with(people, words, FOUND)
            shown = list(people.filter(pk__in=ids).order_by("pk")[: FOUND + 1])
    except TookTooLong:
        return Found(words, [], took_too_long=True)
    return Found(words, shown[:FOUND], is_more or len(shown) > FOUND)
