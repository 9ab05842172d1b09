"""Placeholders held back while a text is compiled: in their place stand words that no step can change."""

import re
from secrets import token_hex

from campaigns.personalise import PLACEHOLDER


class Held:
    """Placeholders of one text, by the words that stand for them; nobody can guess those."""

    def __init__(self) -> None:
        self.nonce = f"q{token_hex(6)}n"
        self.word = re.compile(rf"{self.nonce}(\d+)q")
        self.placeholders: list[str] = []

    def cover(self, text: str) -> str:
        return PLACEHOLDER.sub(self._covered, text) if "{" in text else text

    def _covered(self, found: re.Match) -> str:
        self.placeholders.append(found[0])
        return f"{self.nonce}{len(self.placeholders) - 1}q"

    def back(self, text: str) -> str:
        """The text with its placeholders as they were typed."""
        return self.word.sub(lambda found: self.placeholders[int(found[1])], text)

    def within(self, text: str) -> str:
        """The first placeholder in this text, held back or not; empty where there is none."""
        if found := self.word.search(text):
            return self.placeholders[int(found[1])]
        return found[0] if (found := PLACEHOLDER.search(text)) else ""

    def without(self, text: str) -> str:
        """The text if nobody had anything to put in."""
        return PLACEHOLDER.sub("", self.word.sub("", text))
