"""What a campaign would cost: the parts its people need, each with their own words, and their price."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

from campaigns.generated import uncounted
from campaigns.models import Campaign, Split
from campaigns.price import Price, price_for
from campaigns.splitting import lot_of
from campaigns.weighing import Weighed, weigh
from dispatcher import freeze
from dispatcher.dry_runs import seal_of_people, seal_of_words
from dispatcher.models import DryRun
from people.channels import Channel
from people.patience import TookTooLong, patience

SIGNS_NAMED = 3
TOO_MANY = "For so many people the parts are counted when the dry run is done."
CHANGED = "People, or what they wish, changed since the dry run: run it again to count the parts."
UNSURE = "Counted by the dry run; whether somebody changed since cannot be told quickly, there are so many."
FIELDS = {"first_name": "first name", "last_name": "last name"}


@dataclass(frozen=True)
class Cost:
    """`parts` is None where nobody can count them yet; `note` says why, or what may be wrong with them."""

    people: int
    parts: int | None
    part_price: Price | None
    weighed: Weighed | None = None
    note: str = ""

    @property
    def price(self) -> Price | None:
        return None if self.part_price is None or self.parts is None else self.part_price.times(self.parts)

    @property
    def least(self) -> Price | None:
        """What it costs if everybody gets a single part."""
        return self.part_price and self.part_price.times(self.people)

    @property
    def is_shown(self) -> bool:
        """Whether there is anything to say: of what has no parts, at no known price, there is nothing."""
        return self.part_price is not None or self.parts != self.people or self.weighed is not None

    @property
    def heavier(self) -> list[tuple[int, int]]:
        """How many parts, and how many people get so many, from two parts on."""
        by_parts = self.weighed.by_parts if self.weighed else {}
        return sorted((parts, people) for parts, people in by_parts.items() if parts > 1)

    @cached_property
    def forced(self) -> list[tuple[str, str, int]]:
        """The signs in people's own words that make most texts Unicode: the sign, in which field, of how many."""
        found = self.weighed.forced.items() if self.weighed else ()
        flat = [(sign, in_words(field), people) for sign, fields in found for field, people in fields.items()]
        return sorted(flat, key=lambda entry: -entry[2])[:SIGNS_NAMED]

    @property
    def token(self) -> list[str]:
        """What of it somebody agreed to; a dry run may end meanwhile, so what it counted is no part of that."""
        counted_at_once = None if self.people > freeze.CHUNK else self.parts
        return [str(counted_at_once), str(self.part_price)]


def cost_of(campaign: Campaign, people: int) -> Cost:
    """For so many people who get it: counted text by text up to as many as are frozen while somebody waits."""
    part_price = price_for(campaign, 1)
    if campaign.channel != Channel.SMS:
        return Cost(people, people, part_price)
    if unwritten := uncounted(campaign):
        return Cost(people, None, part_price, note=unwritten)
    if people > freeze.CHUNK:
        run = done_for(campaign)
        if run is None:
            return Cost(people, None, part_price, note=TOO_MANY)
        note = differing(campaign, run, people)
        if note == CHANGED:
            return Cost(people, None, part_price, note=note)
        return Cost(people, run.weights.parts, part_price, run.weights, note)
    weighed = weigh(campaign, freeze.candidates(campaign).filter(skip=None), variant_of=variants_of(campaign))
    return Cost(people, weighed.parts, part_price, weighed)


def done_for(campaign: Campaign) -> DryRun | None:
    """The dry run of what it says now."""
    run = campaign.dry_runs.filter(state=DryRun.State.DONE).order_by("-pk").first()
    return run if run and run.words == seal_of_words(campaign) else None


def differing(campaign: Campaign, run: DryRun, people: int) -> str:
    """Whether the people are others than those it counted, in a sentence; empty where they are the same."""
    if run.reached != people:
        return CHANGED
    try:
        with patience():
            _, seal = seal_of_people(campaign)
    except TookTooLong:
        return UNSURE
    return "" if seal == run.people else CHANGED


def variants_of(campaign: Campaign) -> Callable[[int], int]:
    """By the id of a person, the variant he or she gets; who waits for the winner counts as if it were A."""
    split = Split.of(campaign)
    return (lambda person: lot_of(split.shares, campaign.pk, person)) if split else lambda person: 0


def in_words(field: str) -> str:
    return FIELDS.get(field) or field.replace("_", " ")
