"""Chips: one kind of something, how many there are of it, and whether it is shown."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Chip:
    """A link that shows only one kind."""

    words: str
    count: int
    address: str
    is_current: bool

    @property
    def word(self) -> str:
        return self.words.lower()
