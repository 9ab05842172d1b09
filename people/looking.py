"""A first look at a list: what its columns seem to be, and its first rows for whoever is to say so."""

from django.db import transaction
from django.db.models.functions import Now

from people.columns import MOST_COLUMNS
from people.models import Import
from people.parts import digest_of
from people.plain import shown
from people.sheet import Record
from people.source import look_at
from people.staging import locked

LONGEST_SHOWN = 200


def look(upload: Import) -> None:
    """Let somebody choose the columns. Reads outside of any transaction. Raises UnreadableSheet, Overtaken."""
    found, digest = look_at(upload), digest_of(upload)
    with transaction.atomic():
        locked(upload)
        Import.objects.filter(pk=upload.pk).update(
            first=[_kept(record) for record in found.first],
            titles=found.bold.titles,
            columns=found.bold.columns,
            digest=digest,
            status=Import.Status.MAPPING,
            moved_at=Now(),
        )


def first_of(upload: Import) -> list[Record]:
    """The first records of a list that was looked at, their cells cut."""
    return [Record(line, cells, fault) for line, cells, fault in upload.first]


def _kept(record: Record) -> list:
    # One more than a list may have columns, so that a list on one line is still told from them.
    cells = [shown(cell, at_most=LONGEST_SHOWN) for cell in record.cells[: MOST_COLUMNS + 1]]
    return [record.line, cells, record.fault]
