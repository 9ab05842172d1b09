"""Puts a person's own words into a text: one pass, no logic, and nothing but `{name}` and `{name|fallback}`."""

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache

PLACEHOLDER = re.compile(r"\{([a-z_]+)(?:\|([^{}|\r\n]*))?\}")
OLD_SPELLINGS = {"prefered_product": "preferred_product"}


class Text:
    """A text split once, so that filling it in costs little more than joining strings."""

    def __init__(self, source: str) -> None:
        pieces = PLACEHOLDER.split(source)  # literal, name, fallback, literal, name, fallback, ..., literal
        names = [OLD_SPELLINGS.get(name, name) for name in pieces[1::3]]
        self.names = list(dict.fromkeys(names))
        self._literals = pieces[0::3]
        self._gaps = list(zip(names, (fallback or "" for fallback in pieces[2::3]), strict=True))
        self.without_fallback = list(dict.fromkeys(name for name, fallback in self._gaps if not fallback.strip()))

    def filled_for(self, values: Mapping[str, object]) -> str:
        """The text as this person reads it; a value is never looked into, a missing one is its fallback."""
        out = [self._literals[0]]
        for (name, fallback), literal in zip(self._gaps, self._literals[1:], strict=True):
            value = values.get(name)
            out.append(fallback if value is None or value == "" else str(value))
            out.append(literal)
        return "".join(out)


@lru_cache(maxsize=256)
def text(source: str) -> Text:
    return Text(source)


def unknown_names(source: str, known: Iterable[str]) -> list[str]:
    """The placeholders of this text that nobody in the workspace can have, in the order they appear."""
    known = set(known)
    return [name for name in Text(source).names if name not in known]
