"""Which characters make a text message Unicode, and what stands for them in the alphabet that costs less.

Only what reads the same is replaced: quotes, dashes, spaces, accents. Letters of other scripts and signs of money stay.
"""

import re
import unicodedata
from collections.abc import Iterable
from functools import lru_cache
from typing import NamedTuple

from campaigns.parts import OUTSIDE

ALIKE = {
    **dict.fromkeys("‘’‚‛′‵ʹʼʻʿʾ`´‹›", "'"),
    **dict.fromkeys("“”„‟″‶«»", '"'),
    **dict.fromkeys("‐‑‒–—―−⁃•‣", "-"),
    **dict.fromkeys("·∙⋅", "."),
    **dict(zip("łŁđĐðÐħĦıŧŦƒ", "lLdDdDhHitTf", strict=True)),
    **{"œ": "oe", "Œ": "OE", "þ": "th", "Þ": "Th", "ẞ": "SS", "ŋ": "ng", "Ŋ": "Ng"},
    **{"×": "x", "⁄": "/", "∕": "/", "©": "(c)", "®": "(R)", "→": "->", "←": "<-", "⇒": "=>", "\t": " "},
    # Marks nobody sees: zero width, soft hyphen, direction, and the choice between text and picture.
    **dict.fromkeys("\u200b\u2060\ufeff\u00ad\u200e\u200f\u061c\u202a\u202b\u202c\u202d\u202e", ""),
    **dict.fromkeys("\u2066\u2067\u2068\u2069\ufe0e\ufe0f", ""),
}
# A letter with what is set above or below it counts as one.
UNIT = re.compile(f"[^\\W\\d_][\u0300-\u036f]+|{OUTSIDE.pattern}")


class Forced(NamedTuple):
    """A character that makes the whole text Unicode: where it stands (from 1), and what could stand for it."""

    character: str
    positions: list[int]
    instead: str | None

    @property
    def is_seen(self) -> bool:
        return is_seen(self.character)

    @property
    def words(self) -> str:
        """“ł”, or its name where there is nothing to see."""
        return named(self.character)


def forced_by(text: str) -> list[Forced]:
    """Each such character once, in the order in which they appear."""
    found: dict[str, list[int]] = {}
    for match in UNIT.finditer(text):
        found.setdefault(match[0], []).append(match.start() + 1)
    return [Forced(unit, positions, instead_of(unit)) for unit, positions in found.items()]


@lru_cache(maxsize=4096)
def instead_of(unit: str) -> str | None:
    """What reads the same in the GSM alphabet; None where nothing does."""
    if unit in ALIKE:
        return ALIKE[unit]
    for form in (unicodedata.normalize("NFC", unit), _bare(unit)):
        if form and not OUTSIDE.search(form):
            return form
    return None


def _bare(unit: str) -> str:
    """Without accents, ligatures and other dress; empty where only a blank would be left of something."""
    undressed = unicodedata.normalize("NFKD", unit)
    if undressed.startswith(" ") and unicodedata.category(unit[0]) != "Zs":
        return ""
    kept = (each for each in undressed if not unicodedata.combining(each))
    return "".join(ALIKE.get(each, each) for each in kept)


def simpler(text: str) -> str:
    """The text in the alphabet that costs less; what nothing can stand for stays as it is."""
    return UNIT.sub(lambda match: match[0] if (other := instead_of(match[0])) is None else other, text)


def is_seen(character: str) -> bool:
    return character.isprintable() and not character.isspace() and unicodedata.category(character[0])[0] != "M"


def named(character: str) -> str:
    if is_seen(character):
        return f"“{character}”"
    name = unicodedata.name(character[0], f"U+{ord(character[0]):04X}").lower()
    return {"\t": "a tab", "\u00a0": "a no-break space"}.get(character, f"an invisible character ({name})")


def is_worth_it(forced: Iterable[Forced]) -> bool:
    """Whether the text would be plain without them: as long as one stays, replacing the others saves nothing."""
    forced = list(forced)
    return bool(forced) and all(each.instead is not None for each in forced)
