"""Which languages the people of a campaign speak, and who reads which words."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

from django.db.models import Count, QuerySet, Value

from campaigns.languages import ATTRIBUTE, code_of, direction_of, fitting, name_of, own_name_of
from campaigns.models import Campaign, Split
from campaigns.splitting import HELD_OUT, Lot, letter
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
class Untranslated:
    """A variant that lacks a language another one has; `people` read its main words for that, None if not counted."""

    variant: int
    code: str
    people: int | None

    @property
    def letter(self) -> str:
        return letter(self.variant)

    @property
    def name(self) -> str:
        return name_of(self.code)


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
    untranslated: tuple[Untranslated, ...] = ()

    @property
    def of_other_languages(self) -> int:
        """People who speak a language that has no words of its own."""
        return self.of_default - self.unread


def spoken_in(campaign: Campaign, variant: int = 0) -> Spoken:
    """Counted by one query among those who get the campaign, each in his or her variant; who waits counts as of A.

    Of one variant, counted among those who are sure to get it.
    """
    written, split = written_by_variant(campaign), Split.of(campaign)
    shown = written[variant] if variant else sorted({code for codes in written.values() for code in codes})
    lacks = [each for each in lacking(written, split) if variant in (0, each[0])]
    try:
        with patience(SECONDS):
            counts = counted(campaign)
    except TookTooLong:
        untranslated = tuple(Untranslated(*each, people=None) for each in lacks)
        return Spoken([Tongue(code, is_written=True) for code in shown], [], is_known=False, untranslated=untranslated)
    reading: defaultdict[str, int] = defaultdict(int)
    others: defaultdict[str, int] = defaultdict(int)
    missed: defaultdict[tuple[int, str], int] = defaultdict(int)
    for (lot, code), people in counts.items():
        sure = lot or (split.winner if split else 0) or 0  # who waits may get any variant
        if variant and sure != variant:
            continue
        if fits := fitting(written[sure or 1], code):
            reading[fits] += people
            continue
        others[code] += people
        if lacked := fitting([each for of, each in lacks if of == sure], code):
            missed[sure, lacked] += people
    unread = others.pop("", 0)
    ranked = sorted(others.items(), key=lambda other: (-other[1], other[0]))[:SHOWN]
    return Spoken(
        [Tongue(code, reading[code], is_written=True) for code in shown],
        [Tongue(code, people) for code, people in ranked],
        of_default=unread + sum(others.values()),
        unread=unread,
        untranslated=tuple(Untranslated(*each, people=missed[each]) for each in lacks),
    )


def spoken_where_several(campaign: Campaign) -> Spoken | None:
    """That of a campaign which is translated; None where everybody reads the words for any language."""
    return spoken_in(campaign) if any(written_by_variant(campaign).values()) else None


def written_by_variant(campaign: Campaign) -> defaultdict[int, list[str]]:
    """The languages each variant has words of its own in."""
    written: defaultdict[int, list[str]] = defaultdict(list)
    own = campaign.wordings.exclude(language="").order_by("language")
    for variant, code in own.values_list("variant", "language"):
        written[variant].append(code)
    return written


def written_in(campaign: Campaign, variant: int = 1) -> list[str]:
    """The languages this variant has words of its own in."""
    return written_by_variant(campaign)[variant]


def lacking(written: Mapping[int, list[str]], split: Split | None) -> list[tuple[int, str]]:
    """Which variant has no words in which language that another one has."""
    codes = sorted({code for codes in written.values() for code in codes})
    variants = split.variants if split else ()
    return [(each, code) for each in variants for code in codes if not fitting(written.get(each, ()), code)]


def counted(campaign: Campaign) -> dict[tuple[int, str], int]:
    """By lot (1 where there are no variants) and code, "" for what cannot be read, how many get the campaign."""
    split = Split.of(campaign)
    people = those_who_get(campaign).annotate(drawn=Lot(split.shares, campaign.pk) if split else Value(1))
    counts: defaultdict[tuple[int, str], int] = defaultdict(int)
    for lot, said, number in people.values_list("drawn", SAID).annotate(number=Count("pk")).order_by():
        counts[lot, code_of(str(said or ""))] += number
    return dict(counts)


def those_who_get(campaign: Campaign) -> QuerySet[Recipient]:
    people, split = campaign.audience().filter(reached_on(Channel(campaign.channel))), Split.of(campaign)
    if split and split.hold_out:
        people = people.alias(lot=Lot(split.shares, campaign.pk)).exclude(lot=HELD_OUT)
    return people


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
