"""Names without their accents, so that somebody who types jose finds José: in Python and in the database alike."""

import re
import unicodedata

from django.db.models import Func, Q, TextField
from django.db.models.functions import Lower

MARKS = "[\u0300-\u036f]"
# What Unicode does not take apart.
LETTERS, PLAIN = "øłđħı", "oldhi"
PAIRS = {"ß": "ss", "æ": "ae", "œ": "oe", "þ": "th"}
ACCENTED = "[^ -~]"  # most names are plain, and cost no second index


def fold(text: str) -> str:
    """In small letters without accents."""
    text = re.sub(MARKS, "", unicodedata.normalize("NFD", text.lower()))
    for letter, pair in PAIRS.items():
        text = text.replace(letter, pair)
    return text.translate(str.maketrans(LETTERS, PLAIN))


def _sql() -> str:
    sql = f"regexp_replace(normalize(%(expressions)s, NFD), '{MARKS}', '', 'g')"
    for letter, pair in PAIRS.items():
        sql = f"replace({sql}, '{letter}', '{pair}')"
    return f"translate({sql}, '{LETTERS}', '{PLAIN}')"


class Folded(Func):
    """The same of a column."""

    template = _sql()
    output_field = TextField()

    def __init__(self, field: str) -> None:
        super().__init__(Lower(field))


def is_accented(field: str) -> Q:
    """Whether the column needs folding at all."""
    return Q(**{f"{field}__regex": ACCENTED})
