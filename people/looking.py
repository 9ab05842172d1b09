"""A first look at a list: what its columns seem to be, and its first rows for whoever is to say so."""

from typing import Any

from django.db import transaction
from django.db.models.functions import Now

from people.columns import MOST_COLUMNS
from people.models import Import
from people.parts import digest_of
from people.plain import shown
from people.said_columns import mapping_said, note_of, with_room
from people.sheet import Record
from people.source import Look, look_at
from people.staging import locked
from wires import queue

LONGEST_SHOWN = 200
Status = Import.Status


def look(upload: Import) -> None:
    """Let somebody choose the columns, or go on as the program said that brought the list.

    Reads outside of any transaction. Raises UnreadableSheet, Overtaken.
    """
    found, digest = look_at(upload), digest_of(upload)
    with transaction.atomic():
        locked(upload)
        seen = {"first": [_kept(record) for record in found.first], "digest": digest, "moved_at": Now()}
        Import.objects.filter(pk=upload.pk).update(**seen, **_going_on(upload, found))
        if upload.key_id:
            queue.ask_for_import(upload.pk)


def _going_on(upload: Import, found: Look) -> dict[str, Any]:
    if not upload.key_id:
        return {"titles": found.bold.titles, "columns": found.bold.columns, "status": Status.MAPPING}
    mapping, too_many = with_room(upload.workspace, mapping_said(found.first, upload.titles, upload.columns))
    said = {"titles": mapping.titles, "columns": mapping.columns, "note": note_of(mapping, too_many)}
    return said | {"status": Status.WAITING if upload.is_confirmed else Status.CHECKING}


def first_of(upload: Import) -> list[Record]:
    """The first records of a list that was looked at, their cells cut."""
    return [Record(line, cells, fault) for line, cells, fault in upload.first]


def _kept(record: Record) -> list:
    # One more than a list may have columns, so that a list on one line is still told from them.
    cells = [shown(cell, at_most=LONGEST_SHOWN) for cell in record.cells[: MOST_COLUMNS + 1]]
    return [record.line, cells, record.fault]
