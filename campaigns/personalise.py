"""Puts a person's own words into a text: one pass, no logic, and nothing but `{name}` and `{name|fallback}`."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache
from html import escape
from operator import itemgetter
from urllib.parse import quote

PLACEHOLDER = re.compile(r"\{([a-z_]+)(?:\|([^{}|\r\n]*))?\}")
OLD_SPELLINGS = {"prefered_product": "preferred_product"}
BREAKS = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]+")

OPEN_TAG = re.compile(r"<(?![^<]*>)[^<]*\Z")
OPEN_ATTRIBUTE = re.compile(r"""\s([a-zA-Z:_-]+)="([^"]*)\Z""")
OPEN_STYLE = re.compile(r"<(style|script)\b(?!.*</\1)", re.IGNORECASE | re.DOTALL)
ADDRESSES = {"href", "src", "srcset", "background", "action", "formaction", "poster", "cite", "data", "xlink:href"}
NUMBER = re.compile("(tel|sms):", re.IGNORECASE)
SAFE_ADDRESS = re.compile(r"(https?://|mailto:|tel:)", re.IGNORECASE)

Place = Callable[[str], str]


class NoPlace(ValueError):
    """A placeholder stands where no value could be safe."""


def as_is(value: str) -> str:
    return value


def in_a_line(filled: str) -> str:
    """A line break would end a subject, and a header with it."""
    return filled if filled.isprintable() else BREAKS.sub(" ", filled)


def in_html(value: str) -> str:
    return value if value.isalnum() else escape(value)


def in_an_address(value: str) -> str:
    """As a part of a link: nothing in it can end the part it stands in."""
    return value if value.isascii() and value.isalnum() else quote(value, safe="", errors="replace")


def in_a_number(value: str) -> str:
    """As a part of a phone number, whose plus stays one (RFC 3966)."""
    return quote(value, safe="+", errors="replace")


def as_an_address(value: str) -> str:
    """As a whole link: one that leads to the web, to a mail or to a phone; else to nowhere."""
    return escape(value) if SAFE_ADDRESS.match(value) else ""


class Text:
    """A text split once, so that filling it in costs little more than joining strings.

    `places` says for each gap, from what stands before it, how a value is written there.
    """

    def __init__(self, source: str, places: Callable[[list[str]], list[Place]] | None = None) -> None:
        pieces = PLACEHOLDER.split(source)  # literal, name, fallback, literal, name, fallback, ..., literal
        names = [OLD_SPELLINGS.get(name, name) for name in pieces[1::3]]
        fallbacks = [fallback or "" for fallback in pieces[2::3]]
        literals = pieces[0::3]
        self.names = list(dict.fromkeys(names))
        gaps = zip(names, fallbacks, strict=True)
        self.without_fallback = list(dict.fromkeys(name for name, fallback in gaps if not fallback.strip()))
        at = places(literals) if places else [as_is] * len(names)
        self._pieces = [piece for literal in literals for piece in (literal, "")][:-1]
        # What a text says several times is looked up, and written for its place, once.
        written = [place(fallback) for place, fallback in zip(at, fallbacks, strict=True)]
        all_gaps = list(zip(names, written, at, strict=True))
        self._gaps = list(dict.fromkeys(all_gaps))
        nth_of = {gap: nth for nth, gap in enumerate(self._gaps)}
        self._order = [nth_of[gap] for gap in all_gaps]
        self._repeats = len(self._gaps) < len(all_gaps)
        self._is_plain = all(place is as_is for place in at)
        self._values_of = all_of([name for name, *_ in self._gaps])

    def filled_for(self, values: Mapping[str, object]) -> str:
        """The text as this person reads it; a value is never looked into, a missing one is its fallback."""
        said: Sequence[object]
        try:
            said = self._values_of(values)
            if not self._is_plain or not all(said):
                said = self._written(said)
        except KeyError:
            said = self._written([values.get(name) for name, *_ in self._gaps])
        out = self._pieces.copy()
        out[1::2] = [said[nth] for nth in self._order] if self._repeats else said
        try:
            return "".join(out)
        except TypeError:  # there are numbers among them
            return "".join(map(str, out))

    def _written(self, values: Sequence[object]) -> Sequence[object]:
        """These values as each of them is written in its gap."""
        return [
            fallback if value is None or value == "" else place(str(value))
            for value, (_, fallback, place) in zip(values, self._gaps, strict=True)
        ]


def all_of(names: list[str]) -> Callable[[Mapping[str, object]], tuple[object, ...]]:
    """Reads these at once; raises KeyError if there is not one of each."""
    if len(names) > 1:
        return itemgetter(*names)
    return lambda values: tuple(values[name] for name in names)


def html(source: str) -> Text:
    """HTML whose attributes are all in double quotes. Raises NoPlace."""
    return Text(source, places_in_html)


def places_in_html(literals: list[str]) -> list[Place]:
    """How a value is written in each gap between these pieces of HTML. Raises NoPlace."""
    places: list[Place] = []
    before = ""
    for literal in literals[:-1]:
        before += literal
        places.append(place_after(before))
        still_open = OPEN_STYLE.search(before) or OPEN_TAG.search(before)
        before = f"{still_open[0]}x" if still_open else ""  # so that a long text is gone through once
    return places


def place_after(before: str) -> Place:
    """How a value is written that follows this HTML."""
    if OPEN_STYLE.search(before):
        raise NoPlace("No placeholder can stand in a style or a script.")
    tag = OPEN_TAG.search(before)
    if not tag:
        return in_html
    attribute = OPEN_ATTRIBUTE.search(tag[0])
    if not attribute or attribute[1].lower() == "style" or attribute[1].lower().startswith("on"):
        raise NoPlace("A placeholder stands inside a tag, where no value can be safe.")
    if attribute[1].lower() not in ADDRESSES:
        return in_html
    if NUMBER.match(attribute[2].strip()):
        return in_a_number
    return in_an_address if attribute[2].strip() else as_an_address


@lru_cache(maxsize=256)
def text(source: str) -> Text:
    return Text(source)


def unknown_names(source: str, known: Iterable[str]) -> list[str]:
    """The placeholders of this text that nobody in the workspace can have, in the order they appear."""
    known = set(known)
    return [name for name in Text(source).names if name not in known]
