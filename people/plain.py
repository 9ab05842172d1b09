"""What a stored value may look like: one line of characters that can be shown and put into a mail header."""

import re
import unicodedata

# C0, C1, line and paragraph separator, halves of a pair; U+FFFD stands where something could not be read.
UNPRINTABLE = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\ufffd]")
EDGES = " \t\r\n\u00a0\ufeff"


class NotPlain(ValueError):
    """The value holds what cannot be stored or shown; the text says what, for people; `field` is its, if known."""

    def __init__(self, sentence: str = "", field: str = "") -> None:
        self.field = field
        super().__init__(sentence)


def plain(text: str, what: str, *, at_most: int, field: str = "") -> str:
    """The text in NFC, without blanks around it. Raises NotPlain naming the field after `what`."""
    if len(text) <= at_most and text.isascii() and text.isprintable():
        return text.strip(" ")  # most of a long list
    text = text.strip(EDGES)
    if len(text) > at_most:
        raise NotPlain(f"{what} is longer than {at_most} characters.", field)
    if UNPRINTABLE.search(text):
        raise NotPlain(f"{what} contains a line break, a control character or one that cannot be read.", field)
    text = unicodedata.normalize("NFC", text)
    if len(text) > at_most:  # a few characters grow when composed
        raise NotPlain(f"{what} is longer than {at_most} characters.", field)
    return text


def shown(text: str, *, at_most: int) -> str:
    """The text made fit to be shown in a report about it, whatever it holds."""
    text = UNPRINTABLE.sub("\N{MIDDLE DOT}", text.strip(EDGES))
    return text if len(text) <= at_most else text[: at_most - 1] + "\N{HORIZONTAL ELLIPSIS}"
