"""Of how many parts a text message consists, as the networks cut it (3GPP TS 23.038 6.2.1, TS 23.040 9.2.3.24.1).

National shift tables are left out: hardly any network or provider offers them.
"""

import re
from collections.abc import Iterator
from enum import Enum
from typing import NamedTuple

GSM = set(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿"
    "abcdefghijklmnopqrstuvwxyzäöñüà"
)
TWO_PLACES = set("\f^{}\\[~]|€")
OUTSIDE = re.compile(f"[^{re.escape(''.join(sorted(GSM | TWO_PLACES)))}]")
TWICE = re.compile(f"[{re.escape(''.join(sorted(TWO_PLACES)))}]")
PAIRED = re.compile("[\U00010000-\U0010ffff]")


class Encoding(Enum):
    """How the letters travel: `alone` of them in a message of one part, `joined` in each part of a longer one."""

    GSM = "GSM-7", 160, 153
    UNICODE = "UCS-2", 70, 67

    def __init__(self, label: str, alone: int, joined: int) -> None:
        self.label, self.alone, self.joined = label, alone, joined
        # What takes two places: a letter behind the escape, or one that UTF-16 writes as a surrogate pair.
        self.wide = TWICE if label == "GSM-7" else PAIRED


class Weight(NamedTuple):
    """`used` places of a text, in how many parts, and how many places are left in the last of them."""

    encoding: Encoding
    used: int
    parts: int
    left: int


def encoding_of(text: str) -> Encoding:
    return Encoding.UNICODE if OUTSIDE.search(text) else Encoding.GSM


def parts_of(text: str) -> int:
    return weight_of(text).parts


def weight_of(text: str) -> Weight:
    """What takes two places is never cut in two: the standard says so of the escape, and half a pair is no letter."""
    encoding = encoding_of(text)
    wide = len(encoding.wide.findall(text))
    used = len(text) + wide
    if used <= encoding.alone:
        return Weight(encoding, used, 1, encoding.alone - used)
    if not wide:
        parts = -(-used // encoding.joined)
        return Weight(encoding, used, parts, parts * encoding.joined - used)
    *_, (parts, in_the_last) = _filled(text, encoding)
    return Weight(encoding, used, parts, encoding.joined - in_the_last)


def _filled(text: str, encoding: Encoding) -> Iterator[tuple[int, int]]:
    """After each character: how many parts there are, and how full the last is."""
    part, places = 1, 0
    for character in text:
        needed = 2 if encoding.wide.match(character) else 1
        part, places = (part + 1, needed) if places + needed > encoding.joined else (part, places + needed)
        yield part, places
