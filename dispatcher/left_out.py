"""Who is chosen for a campaign and does not get it: counted by reason, and a page of them at a time."""

from collections.abc import Mapping
from dataclasses import dataclass

from django.db.models import Exists, OuterRef, QuerySet

from campaigns.models import Campaign
from dispatcher.freeze import Forecast, candidates
from dispatcher.models import SKIP_WORDS, SkipReason
from people.models import Recipient
from people.search import number_in

PAGE = 50
CHOICE = "choice"
CHOICE_WORDS = "Excluded by your choice"
# What can be done about it, and whether a change of the person mends it.
ADVICE = {
    CHOICE: ("The campaign leaves them out; edit it to change that.", False),
    SkipReason.OPTED_OUT.label: ("They asked not to be written to, which only they can take back.", False),
    SkipReason.SUPPRESSED.label: ("Their address is on the suppression list, which admins keep.", False),
    SkipReason.HELD_OUT.label: ("They are held out by chance, so that one can see what the campaign changes.", False),
    SkipReason.NO_ADDRESS.label: ("Add the address of those who have one.", True),
    SkipReason.INVALID_ADDRESS.label: ("Correct the address, and they get it.", True),
}


@dataclass(frozen=True)
class LeftOut:
    """One reason why people do not get it; `word` names it in addresses."""

    word: str
    words: str
    count: int

    @property
    def advice(self) -> str:
        return ADVICE[self.word][0] if self.word in ADVICE else ""

    @property
    def is_mendable(self) -> bool:
        return self.word in ADVICE and ADVICE[self.word][1]


@dataclass(frozen=True)
class Page:
    """Some of those left out for one reason, by id; pages go on `after` one and end `before` another."""

    part: LeftOut
    people: list[Recipient]
    before: int | None
    after: int | None


def parts_of(forecast: Forecast, excluded: int) -> list[LeftOut]:
    """Those excluded by choice, then the other reasons."""
    parts = [LeftOut(CHOICE, CHOICE_WORDS, excluded)] if excluded else []
    skipped = sorted((reason, count) for reason, count in forecast.skipped.items() if count)
    return parts + [LeftOut(reason.label, SKIP_WORDS[reason].capitalize(), count) for reason, count in skipped]


def page_of(campaign: Campaign, parts: list[LeftOut], query: Mapping[str, str]) -> Page | None:
    """The page the query asks for with `left_out`, and `after` or `before` an id; None where it names no reason."""
    part = next((part for part in parts if part.word == query.get("left_out")), None)
    if part is None:
        return None
    people = those(campaign, part.word)
    if (before := number_in(query.get("before", ""))) and (page := _before(part, people, before)):
        return page
    return _after(part, people, number_in(query.get("after", "")) or 0)


def those(campaign: Campaign, word: str) -> QuerySet[Recipient]:
    if word == CHOICE:
        return campaign.chosen().exclude(Exists(campaign.audience().filter(pk=OuterRef("pk"))))
    return candidates(campaign).filter(skip=SkipReason[word.upper()])


def after(campaign: Campaign, word: str, pk: int) -> tuple[list[Recipient], bool]:
    """Those left out for this reason whose ids come after this one, and whether there are more."""
    is_reason = word == CHOICE or word.upper() in SkipReason.__members__
    return _next(those(campaign, word), pk) if is_reason else ([], False)


def _next(people: QuerySet[Recipient], after: int) -> tuple[list[Recipient], bool]:
    found = list(people.filter(pk__gt=after).order_by("pk")[: PAGE + 1])
    return found[:PAGE], len(found) > PAGE


def _after(part: LeftOut, people: QuerySet[Recipient], after: int) -> Page:
    shown, more = _next(people, after)
    return Page(part, shown, shown[0].pk if after and shown else None, shown[-1].pk if more else None)


def _before(part: LeftOut, people: QuerySet[Recipient], before: int) -> Page | None:
    """None where a page would not be full: then the first one is shown."""
    found = list(people.filter(pk__lt=before).order_by("-pk")[: PAGE + 1])
    if len(found) <= PAGE:
        return None
    shown = found[:PAGE][::-1]
    return Page(part, shown, shown[0].pk, shown[-1].pk)
