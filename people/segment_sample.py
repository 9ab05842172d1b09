"""Whom the rows of a segment describe while it is being built: a sentence, a count, and some of them."""

from contextlib import suppress
from dataclasses import dataclass, field

from people.models import Recipient
from people.patience import TookTooLong, patience
from people.search import number_of, told
from people.segment_builder import Builder

SHOWN = 5


@dataclass
class Sample:
    """What is known of them; `errors` where the rows are wrong, no `number` where it took too long."""

    sentence: str = ""
    number: int | None = None
    people: list[Recipient] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)

    @property
    def count(self) -> str:
        """The number in words, empty where there is none."""
        return "" if self.number is None else told(self.number)


def sample_of(builder: Builder) -> Sample:
    rules = builder.rules()
    if rules is None:
        return Sample(errors=list(dict.fromkeys(builder.errors)))
    people = builder.asking.workspace.recipients.filter(rules.matching(builder.asking, builder.fields))
    sample = Sample(rules.sentence(builder.asking, builder.fields))
    with suppress(TookTooLong), patience():
        sample.number, sample.people = number_of(people), list(people.order_by("-pk")[:SHOWN])
    return sample
