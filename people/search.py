"""Finding people by the beginning of what they are called or reached by, quick among millions."""

import re

import phonenumbers
from django.db.models import Q, QuerySet
from django.db.models.functions import Lower

from accounts.models import Workspace
from people.folding import Folded, fold, is_accented
from people.models import Group, Recipient

LONGEST = 100
NAMES = ("first_name", "last_name")
MOST_PARTS = 3  # of a name that is typed whole
PAGE = 50
COUNTED = 100_000  # counting a million rows costs more than anybody learns from it
NUMBER = re.compile(r"[+(]*\d[\d ().\-/\u00a0\u2010-\u2015\u202f]*")  # what may be the beginning of a telephone number
MOST = 9_223_372_036_854_775_807


def search(workspace: Workspace, words: str, group: Group | None = None) -> list[Recipient]:
    """At most PAGE + 1 people whose email address, phone number or name begins with these words."""
    people = _lowered(workspace.recipients.all())
    if group:
        people = people.filter(groups=group)
    # One index each, and no more rows of it than are shown: an OR over all of them would read every row.
    some = [
        people.filter(where).order_by().values("pk")[: PAGE + 1]
        for where in _beginnings(_looked_for(words), workspace.region)
    ]
    ids = [row["pk"] for row in some[0].union(*some[1:])]
    return list(workspace.recipients.filter(pk__in=ids).order_by("-pk")[: PAGE + 1])


def beginning_with(people: QuerySet[Recipient], words: str, most: int, region: str = "") -> tuple[list[int], bool]:
    """The ids of those so called or reached, at most so many of each kind, and whether there are more."""
    people = _lowered(people)
    found = [
        list(people.filter(where).order_by().values_list("pk", flat=True)[: most + 1])
        for where in _beginnings(_looked_for(words), region)
    ]
    return list({pk for some in found for pk in some[:most]}), any(len(some) > most for some in found)


def called(people: QuerySet[Recipient], words: str, region: str = "") -> QuerySet[Recipient]:
    """All of them who are so called or reached."""
    return _lowered(people).filter(Q(*_beginnings(_looked_for(words), region), _connector=Q.OR))


def ids_called(people: QuerySet[Recipient], words: str, region: str = "") -> QuerySet:
    """The ids of all of them who are so called or reached, to be looked for by one index each."""
    people = _lowered(people)
    first, *others = (people.filter(where).order_by().values("pk") for where in _beginnings(_looked_for(words), region))
    return first.union(*others)


def _lowered(people: QuerySet[Recipient]) -> QuerySet[Recipient]:
    lowered = {f"lower_{name}": Lower(name) for name in ("email", *NAMES)}
    return people.alias(**lowered, **{f"folded_{name}": Folded(name) for name in NAMES})


def _looked_for(words: str) -> str:
    return " ".join(words.split())[:LONGEST].lower()


def _beginnings(words: str, region: str) -> list[Q]:
    """One for each index that knows some of them."""
    beginnings = [Q(lower_email__startswith=words)]
    for name in NAMES:
        beginnings += _named(name, words, "__startswith")
    beginnings += [Q(phone__startswith=number) for number in _numbers(words, region)]
    parts = words.split(" ")
    for n in range(1, min(len(parts), MOST_PARTS)):
        left, right = " ".join(parts[:n]), " ".join(parts[n:])
        for one, other in (NAMES, NAMES[::-1]):  # Ada Lovelace, or Lovelace Ada
            whole, begun = _named(one, left), _named(other, right, "__startswith")
            beginnings += [is_called & begins for is_called in whole for begins in begun]
    return beginnings


def _named(name: str, words: str, lookup: str = "") -> list[Q]:
    """So called, whatever accents the name has; of those with any another index tells."""
    words = fold(words)
    return [Q(**{f"lower_{name}{lookup}": words}), Q(**{f"folded_{name}{lookup}": words}) & is_accented(name)]


def _numbers(words: str, region: str) -> set[str]:
    """What a number may begin with that is typed so: in full, or as in its own country."""
    if not NUMBER.fullmatch(words):
        return set()
    digits = "".join(filter(str.isdigit, words))
    numbers = {f"+{digits.removeprefix('00')}"}
    if region and not words.startswith(("+", "00")):
        trunk = phonenumbers.ndd_prefix_for_region(region, True) or ""
        numbers.add(f"+{phonenumbers.country_code_for_region(region)}{digits.removeprefix(trunk)}")
    return numbers


def number_in(text: str) -> int | None:
    """The id in a query string, None when it is none that a row could have."""
    if text.isascii() and text.isdecimal() and len(text) < 20 and 0 < int(text) <= MOST:
        return int(text)
    return None


def counted(rows: QuerySet, most: int | None = None) -> str:
    """How many rows, in words, without counting further than COUNTED or `most`."""
    most = most or COUNTED
    return told(number_of(rows, most), most)


def number_of(rows: QuerySet, most: int = COUNTED) -> int:
    """The same as a number, which is one above `most` where there are more."""
    return rows.order_by()[: most + 1].values("pk").count()


def told(number: int, most: int = COUNTED) -> str:
    return f"{number:,}" if number <= most else f"more than {most:,}"
