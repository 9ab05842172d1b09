"""What is odd about a line that an inbox shows: its length, its tone, and signs that are not what they seem."""

import re
import unicodedata
from collections.abc import Iterator

from campaigns.personalise import PLACEHOLDER

SHOWN_BY_PHONES = 45
TRICK = re.compile(r"\s*(re|fwd?|aw|wg)\s*:", re.IGNORECASE)
EMOJI = re.compile("[\u2600-\u27bf\U0001f300-\U0001faff]")
TURNED = re.compile("[\u202a-\u202e\u2066-\u2069]")
UNSEEN = re.compile("[\u00ad\u034f\u061c\u180e\u200b\u200c\u200e\u200f\u2060-\u2064\ufeff]")
SCRIPTS = {"LATIN": "Latin", "CYRILLIC": "Cyrillic", "GREEK": "Greek", "ARMENIAN": "Armenian", "CHEROKEE": "Cherokee"}


def odd_in_subject(subject: str) -> Iterator[str]:
    """What inboxes and filters hold against this subject, as sentences."""
    words = PLACEHOLDER.sub("", subject)
    letters = [sign for sign in words if sign.isalpha()]
    if len(words) > SHOWN_BY_PHONES:
        yield f"The subject has {len(words)} characters; phones show about {SHOWN_BY_PHONES}."
    if len(letters) >= 8 and all(sign.isupper() for sign in letters):
        yield "The subject is all in capitals, which reads as shouting and counts as a sign of spam."
    if words.count("!") > 1:
        yield "The subject has several exclamation marks, which counts as a sign of spam."
    if trick := TRICK.match(words):
        yield f"The subject begins with “{trick[0].strip()}” as if it were an answer; filters take that for a trick."
    if (emoji := len(EMOJI.findall(words))) > 2:
        yield f"The subject has {emoji} emoji; one is enough to be seen."


def odd_signs(line: str, what: str) -> Iterator[str]:
    """Signs by which a line looks like another one, as sentences."""
    if found := UNSEEN.search(line):
        yield f"The {what} has an invisible character (U+{ord(found[0]):04X}) at position {found.start() + 1}."
    if TURNED.search(line):
        yield f"The {what} holds characters that turn the direction of reading; nobody sees what it really says."
    for word in re.findall(r"\w+", line):
        scripts = scripts_of(word)
        if len(scripts) > 1:
            yield f"“{word[:40]}” in the {what} mixes {' and '.join(scripts)} letters that look alike."
            return


def scripts_of(word: str) -> list[str]:
    """The scripts whose letters are easily taken for each other's, in the order they appear."""
    names = (unicodedata.name(sign, "").partition(" ")[0] for sign in word if sign.isalpha())
    return list(dict.fromkeys(SCRIPTS[name] for name in names if name in SCRIPTS))
