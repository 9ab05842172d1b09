"""Finding people by the beginning of what they are called or reached by, quick among millions."""

import re

from django.db.models import Q, QuerySet
from django.db.models.functions import Lower

from accounts.models import Workspace
from people.models import Group, Recipient

LONGEST = 100
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
    some = [people.filter(where).order_by().values("pk")[: PAGE + 1] for where in _beginnings(_looked_for(words))]
    ids = [row["pk"] for row in some[0].union(*some[1:])]
    return list(workspace.recipients.filter(pk__in=ids).order_by("-pk")[: PAGE + 1])


def beginning_with(people: QuerySet[Recipient], words: str, most: int) -> tuple[list[int], bool]:
    """The ids of those so called or reached, at most so many of each kind, and whether there are more."""
    people = _lowered(people)
    found = [
        list(people.filter(where).order_by().values_list("pk", flat=True)[: most + 1])
        for where in _beginnings(_looked_for(words))
    ]
    return list({pk for some in found for pk in some[:most]}), any(len(some) > most for some in found)


def called(people: QuerySet[Recipient], words: str) -> QuerySet[Recipient]:
    """All of them who are so called or reached."""
    return _lowered(people).filter(Q(*_beginnings(_looked_for(words)), _connector=Q.OR))


def _lowered(people: QuerySet[Recipient]) -> QuerySet[Recipient]:
    return people.alias(lower_email=Lower("email"), lower_first=Lower("first_name"), lower_last=Lower("last_name"))


def _looked_for(words: str) -> str:
    return " ".join(words.split())[:LONGEST].lower()


def _beginnings(words: str) -> list[Q]:
    beginnings = [
        Q(lower_email__startswith=words),
        Q(lower_first__startswith=words),
        Q(lower_last__startswith=words),
    ]
    if NUMBER.fullmatch(words):
        digits = "".join(filter(str.isdigit, words))
        beginnings.append(Q(phone__startswith=f"+{digits.removeprefix('00')}"))
    first, _, last = words.partition(" ")
    if last:
        beginnings.append(Q(lower_first=first, lower_last__startswith=last))
    return beginnings


def number_in(text: str) -> int | None:
    """The id in a query string, None when it is none that a row could have."""
    if text.isascii() and text.isdecimal() and len(text) < 20 and 0 < int(text) <= MOST:
        return int(text)
    return None


def counted(rows: QuerySet, most: int | None = None) -> str:
    """How many rows, in words, without counting further than COUNTED or `most`."""
    most = most or COUNTED
    count = rows.order_by()[: most + 1].values("pk").count()
    return f"{count:,}" if count <= most else f"more than {most:,}"
