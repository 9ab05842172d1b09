"""Two versions of a text side by side: which lines one of them has and the other has not."""

from collections import Counter
from typing import Any, NamedTuple

from campaigns.models import Format


class Line(NamedTuple):
    text: str
    differs: bool


class Part(NamedTuple):
    """One part of both texts: its lines in the older and in the newer."""

    label: str
    older: list[Line]
    newer: list[Line]

    @property
    def differs(self) -> bool:
        return any(line.differs for line in (*self.older, *self.newer))


def compared(older: Any, newer: Any) -> list[Part]:
    """The parts of two texts; a part that is empty in both is left out."""
    both = [(label, value_of(older, name), value_of(newer, name)) for name, label in PARTS.items()]
    return [part_of(label, one, other) for label, one, other in both if one or other]


PARTS = {"format": "Written as", "subject": "Subject", "preheader": "Preheader", "body": "Text"}


def value_of(words: Any, name: str) -> str:
    return Format(words.format).label if name == "format" else getattr(words, name)


def part_of(label: str, older: str, newer: str) -> Part:
    one, other = older.split("\n"), newer.split("\n")
    return Part(label, marked(one, other), marked(other, one))


def marked(lines: list[str], others: list[str]) -> list[Line]:
    """Each line, with whether the other text has it too, as often."""
    left = Counter(others)
    found = []
    for line in lines:
        found.append(Line(line, left[line] < 1))
        left[line] -= 1
    return found
