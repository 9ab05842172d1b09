"""A campaign's text as anybody of its audience gets it: one after another, found by name, or the hardest ones first."""

from collections.abc import Mapping
from dataclasses import dataclass

from campaigns.models import Campaign, Split
from campaigns.preview import Preview, preview_of
from campaigns.whose import Asked, Found, Whose, found_among, turn_to
from dispatcher import freeze
from dispatcher.models import SKIP_WORDS, SkipReason
from people.models import Recipient


@dataclass(frozen=True)
class Reading:
    """The text as one person gets it, who stands before and after, and whom a search found."""

    preview: Preview
    whose: Whose
    found: Found
    waits: bool = False  # for the winner, so that nobody knows yet which words

    @property
    def matches(self) -> list[tuple[Recipient, str]]:
        """Whom the search found, each with the reason why he or she does not get it, in words; empty for who does."""
        return [(person, _why_not(person)) for person in self.found.people]


def reading_of(campaign: Campaign, query: Mapping[str, str], *, total: int | None = None) -> Reading:
    """As the person named in the query gets it, else the first; `total` is how many get it, where that is known.

    `by` in the query names an order, `q` what somebody looked for is called or reached by.
    """
    people = freeze.candidates(campaign)
    whose = turn_to(people.filter(skip=None), Asked.of(query), freeze.names_used(campaign), total=total)
    split = Split.of(campaign)
    waits = split is not None and whose.person is not None and split.keeps_waiting(whose.person.pk)
    return Reading(preview_of(campaign, whose.person), whose, found_among(people, query.get("q", "")), waits)


def _why_not(person: Recipient) -> str:
    reason = getattr(person, "skip", None)
    return SKIP_WORDS[SkipReason(reason)] if reason else ""
