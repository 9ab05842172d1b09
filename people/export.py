"""Exporting people: a list that a spreadsheet opens without harm and that our own import reads back unchanged."""

import csv
from collections.abc import AsyncIterator, Iterable, Iterator
from io import StringIO

from asgiref.sync import sync_to_async
from django.db import transaction
from django.db.models import QuerySet

from accounts import audit_log
from accounts.models import Actor, Workspace
from people.channels import REFUSALS
from people.formulas import escape
from people.listing import Asked
from people.models import STANDARD_FIELDS, Recipient

AT_ONCE = 2_000
BOM = "\ufeff"  # without it a spreadsheet takes the file for Windows-1252
COLUMNS = ("email", "phone", *(name for name in STANDARD_FIELDS if name not in ("email", "phone")))


@transaction.atomic
def export(workspace: Workspace, asked: Asked, *, by: Actor | None) -> AsyncIterator[str]:
    """The people asked for as the pieces of a CSV file; the audit log keeps who took which of them along."""
    audit_log.record(workspace, "export", workspace, by=by, after={"people": told(asked)})
    return pieces(workspace, asked)


def told(asked: Asked) -> str:
    """Which people, without what was typed: that may be somebody's name, and the log outlives them."""
    without = Asked(asked.group, asked.wish, asked.channel)
    return ", ".join(filter(None, [without.in_words, "found by words" if asked.words else ""])) or "everybody"


async def pieces(workspace: Workspace, asked: Asked) -> AsyncIterator[str]:
    """Piece by piece in the order of their ids: no cursor, transaction or thread is held while the reader is slow."""
    attributes = await sync_to_async(_attributes)(workspace)
    yield BOM + written([[*COLUMNS, "opted_out", *REFUSALS, *attributes]])
    people, last = asked.everybody(workspace), 0
    while found := await sync_to_async(_next)(people, last):
        yield written(row_of(person, attributes) for person in found)
        last = found[-1].pk


def _attributes(workspace: Workspace) -> list[str]:
    return list(workspace.attribute_names.order_by("name").values_list("name", flat=True))


def _next(people: QuerySet[Recipient], last: int) -> list[Recipient]:
    return list(people.filter(pk__gt=last).order_by("pk")[:AT_ONCE])


def row_of(person: Recipient, attributes: Iterable[str]) -> Iterator[str]:
    yield from (getattr(person, name) for name in COLUMNS)
    yield from ("yes" if is_so else "no" for is_so in (person.opted_out, *map(person.refuses, REFUSALS.values())))
    yield from (str(person.attributes.get(name, "")) for name in attributes)


def written(rows: Iterable[Iterable[str]]) -> str:
    file = StringIO()
    csv.writer(file).writerows([escape(cell) for cell in row] for row in rows)
    return file.getvalue()
