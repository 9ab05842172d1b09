"""Finding people by the beginning of what they are called or reached by, quick among millions."""

from django.db.models import Q, QuerySet
from django.db.models.functions import Lower

from accounts.models import Workspace
from people.models import Group, Recipient

LONGEST = 100
PAGE = 50
COUNTED = 100_000  # counting a million rows costs more than anybody learns from it
MOST = 9_223_372_036_854_775_807


def page_of(people: QuerySet[Recipient], before: int | None) -> tuple[list[Recipient], int | None]:
    """The newest people below an id, and the id the next page begins below, None on the last one."""
    if before is not None:
        people = people.filter(pk__lt=before)
    found = list(people.order_by("-pk")[: PAGE + 1])
    return found[:PAGE], found[PAGE - 1].pk if len(found) > PAGE else None


def search(workspace: Workspace, words: str, group: Group | None = None) -> list[Recipient]:
    """At most PAGE + 1 people whose email address, phone number or name begins with these words."""
    words = " ".join(words.split())[:LONGEST].lower()
    people = workspace.recipients.alias(
        lower_email=Lower("email"), lower_first=Lower("first_name"), lower_last=Lower("last_name")
    )
    if group:
        people = people.filter(groups=group)
    # One index each, and no more rows of it than are shown: an OR over all of them would read every row.
    some = [people.filter(where).order_by().values("pk")[: PAGE + 1] for where in _beginnings(words)]
    ids = [row["pk"] for row in some[0].union(*some[1:])]
    return list(workspace.recipients.filter(pk__in=ids).order_by("-pk")[: PAGE + 1])


def beginning_with(workspace: Workspace, words: str, most: int) -> tuple[list[int], bool]:
    """The ids of people so called or reached, at most so many of each kind, and whether there are more."""
    words = " ".join(words.split())[:LONGEST].lower()
    people = workspace.recipients.alias(
        lower_email=Lower("email"), lower_first=Lower("first_name"), lower_last=Lower("last_name")
    )
    found = [
        list(people.filter(where).order_by().values_list("pk", flat=True)[: most + 1]) for where in _beginnings(words)
    ]
    return list({pk for some in found for pk in some[:most]}), any(len(some) > most for some in found)


def _beginnings(words: str) -> list[Q]:
    beginnings = [
        Q(lower_email__startswith=words),
        Q(lower_first__startswith=words),
        Q(lower_last__startswith=words),
    ]
    digits = "".join(filter(str.isdigit, words))
    if digits:
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


def counted(rows: QuerySet) -> str:
    """How many rows, in words, without counting further than COUNTED."""
    count = rows.order_by()[: COUNTED + 1].values("pk").count()
    return f"{count:,}" if count <= COUNTED else f"more than {COUNTED:,}"
