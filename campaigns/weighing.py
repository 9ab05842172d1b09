"""What a campaign weighs once each person's own words are in it: parts, and the characters that make them more."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from django.db.models import QuerySet

from campaigns.footer import footer_for, links_of
from campaigns.models import Campaign, Split
from campaigns.parts import OUTSIDE, parts_of
from campaigns.rendering import Renderer, TooLong, renderer_of
from campaigns.simpler import UNIT, simpler
from people.channels import Channel
from people.links import Links, Purpose
from people.models import STANDARD_FIELDS, UNSUBSCRIBE_LINK, Recipient

CHUNK = 10_000  # people read at once: the memory this takes does not grow with the audience
NAMED = 20  # people named of each kind
SIGNS = 2_000  # different characters told apart; Chinese names alone have thousands
Person = tuple[int, dict[str, object]]


def of_none(person: int) -> int:
    """The variant of everybody where there are none."""
    return 0


@dataclass
class Weighed:
    """`by_parts`: how many people get so many parts. `unicode` counts those whose text a sign makes Unicode, and
    `forced` tells by sign in whose fields it stood; written simply, they would need `spared` parts less.

    People whose text would be `too_long` get nothing, those whose text is `empty` a bare one.
    """

    people: int = 0
    by_parts: dict[int, int] = field(default_factory=dict)
    unicode: int = 0
    forced: dict[str, dict[str, int]] = field(default_factory=dict)
    spared: int = 0
    longest: int = 0
    longest_of: int | None = None
    too_long: int = 0
    too_long_of: list[int] = field(default_factory=list)
    empty: int = 0
    empty_of: list[int] = field(default_factory=list)

    @property
    def parts(self) -> int:
        return sum(parts * people for parts, people in self.by_parts.items())

    @property
    def most(self) -> int:
        """Of how many parts the heaviest consists."""
        return max(self.by_parts, default=0)

    def take(self, renderer: Renderer, people: Iterable[Person], variant_of: Callable[[int], int] = of_none) -> None:
        """Weigh these as well."""
        by_network = renderer.channel == Channel.SMS
        for person, values in people:
            self.people += 1
            variant = variant_of(person)
            try:
                text = renderer.rendered(values, variant).text
            except TooLong:
                self._lost(person)
                continue
            if len(text) > self.longest:
                self.longest, self.longest_of = len(text), person
            if not text or text.isspace():
                self._bare(person)
            parts = parts_of(text) if by_network else 1
            self.by_parts[parts] = self.by_parts.get(parts, 0) + 1
            if by_network and OUTSIDE.search(text):
                names = renderer.words[renderer.place_for(values, variant)].names
                self._forced(text, parts, {name: values.get(name) for name in names})

    def _lost(self, person: int) -> None:
        self.too_long += 1
        if len(self.too_long_of) < NAMED:
            self.too_long_of.append(person)

    def _bare(self, person: int) -> None:
        self.empty += 1
        if len(self.empty_of) < NAMED:
            self.empty_of.append(person)

    def _forced(self, text: str, parts: int, values: Mapping[str, object]) -> None:
        self.unicode += 1
        simple = simpler(text)
        if not OUTSIDE.search(simple):
            self.spared += parts - parts_of(simple)
        for name, value in values.items():
            word = "" if value is None else str(value)
            for sign in {match[0] for match in UNIT.finditer(word)} if OUTSIDE.search(word) else ():
                if sign in self.forced or len(self.forced) < SIGNS:
                    fields = self.forced.setdefault(sign, {})
                    fields[name] = fields.get(name, 0) + 1

    def as_json(self) -> dict[str, Any]:
        """To be kept between two turns; `of_json` reads it back."""
        return asdict(self)

    @classmethod
    def of_json(cls, kept: Mapping[str, Any]) -> "Weighed":
        by_parts = {int(parts): people for parts, people in kept["by_parts"].items()}
        return cls(**{**kept, "by_parts": by_parts})


def weigh(
    campaign: Campaign, people: QuerySet[Recipient], *, variant_of: Callable[[int], int] | None = None
) -> Weighed:
    """Exactly, text by text as they would be sent now to these people, by their thousands and in constant memory."""
    renderer, links = as_it_would_be(campaign), links_of(campaign, Channel(campaign.channel))
    split, weighed = Split.of(campaign), Weighed()
    variant_of = variant_of or (split.variant_of if split else of_none)
    for chunk in in_chunks(renderer, people, links):
        weighed.take(renderer, chunk, variant_of)
    return weighed


def as_it_would_be(campaign: Campaign) -> Renderer:
    """Its renderer, with the line below that a launch now would add."""
    if not campaign.launched_at:
        campaign.footer = footer_for(campaign)
    return renderer_of(campaign)


def in_chunks(
    renderer: Renderer, people: QuerySet[Recipient], links: Links, *, after: int = 0, size: int = 0
) -> Iterator[list[Person]]:
    """These people by their ids, from the one after this on, each with what the words may ask of them."""
    names, size = renderer.kept, size or CHUNK
    columns = [name if name in STANDARD_FIELDS else f"attributes__{name}" for name in names]
    rows = people.order_by("pk").values_list("pk", *columns)
    chunk = list(rows.filter(pk__gt=after)[:size])
    while chunk:
        yield [(pk, _values(names, words, pk, links if renderer.has_link else None)) for pk, *words in chunk]
        chunk = list(rows.filter(pk__gt=chunk[-1][0])[:size]) if len(chunk) == size else []


def _values(names: list[str], words: list[object], person: int, links: Links | None) -> dict[str, object]:
    values = dict(zip(names, words, strict=True))
    if links:
        # As long as the one that is sent, and leads nowhere.
        values[UNSUBSCRIBE_LINK] = links.dead(Purpose.PAGE, person)
    return values
