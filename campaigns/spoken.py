"""Which languages the people of a campaign speak, and who reads which words."""

from collections import defaultdict
from dataclasses import dataclass

from django.db.models import Count, QuerySet

from campaigns.languages import ATTRIBUTE, code_of, direction_of, fitting, name_of, own_name_of
from campaigns.models import Campaign
from people.channels import Channel
from people.consent import reached_on
from people.models import Recipient
from people.patience import TookTooLong, patience

SAID = f"attributes__{ATTRIBUTE}"
SECONDS = 3  # that a page waits for the languages of a large audience
SHOWN = 60


@dataclass(frozen=True)
class Tongue:
    """A language: how many of those who get the campaign speak it, and whether it has words of its own."""

    code: str
    people: int = 0
    is_written: bool = False

    @property
    def name(self) -> str:
        return name_of(self.code)

    @property
    def own_name(self) -> str:
        return own_name_of(self.code)

    @property
    def direction(self) -> str:
        return direction_of(self.code)


@dataclass(frozen=True)
class Spoken:
    """The languages of an audience, the most spoken first; `of_default` people read the words for any language.

    `unread` counts those among them of whose language nothing can be read, or who have none. `is_known` is False
    where counting would take too long.
    """

    written: list[Tongue]
    others: list[Tongue]
    of_default: int = 0
    unread: int = 0
    is_known: bool = True

    @property
    def of_other_languages(self) -> int:
        """People who speak a language that has no words of its own."""
        return self.of_default - self.unread


def spoken_in(campaign: Campaign, variant: int = 1) -> Spoken:
    """Counted among those who get the campaign, by one query."""
    codes = written_in(campaign, variant)
    try:
        with patience(SECONDS):
            counts = counted(campaign)
    except TookTooLong:
        return Spoken([Tongue(code, is_written=True) for code in codes], [], is_known=False)
    reading: defaultdict[str, int] = defaultdict(int)
    others: defaultdict[str, int] = defaultdict(int)
    for code, people in counts.items():
        if fits := fitting(codes, code):
            reading[fits] += people
        else:
            others[code] += people
    unread = others.pop("", 0)
    written = [Tongue(code, reading[code], is_written=True) for code in codes]
    ranked = sorted(others.items(), key=lambda other: (-other[1], other[0]))[:SHOWN]
    default = unread + sum(others.values())
    return Spoken(written, [Tongue(code, people) for code, people in ranked], default, unread)


def written_in(campaign: Campaign, variant: int = 1) -> list[str]:
    """The languages this variant has words of its own in."""
    own = campaign.wordings.filter(variant=variant).exclude(language="")
    return list(own.order_by("language").values_list("language", flat=True))


def counted(campaign: Campaign) -> dict[str, int]:
    """By code, "" for what cannot be read, how many of those who get the campaign."""
    counts: defaultdict[str, int] = defaultdict(int)
    rows = those_who_get(campaign).values_list(SAID).annotate(people=Count("pk")).order_by()
    for said, people in rows:
        counts[code_of(str(said or ""))] += people
    return dict(counts)


def those_who_get(campaign: Campaign) -> QuerySet[Recipient]:
    return campaign.audience().filter(reached_on(Channel(campaign.channel)))


def somebody_who_speaks(campaign: Campaign, code: str) -> Recipient | None:
    """One of those who would read the words in this language."""
    try:
        with patience(SECONDS):
            people = those_who_get(campaign)
            said = people.values_list(SAID, flat=True).distinct().order_by()[:2_000]
            spellings = [each for each in said if each and fitting([code], str(each))]
            mine = people.filter(attributes__language__in=spellings)
            return mine.order_by("pk").first() if spellings else None
    except TookTooLong:
        return None
