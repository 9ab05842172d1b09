"""Keeps the rows of a list as they are read, some thousand at a time, to be taken up again where reading ended."""

import json
from collections.abc import Iterable, Sequence

from django.db import connection, transaction
from django.db.models import F
from django.db.models.functions import Now

from people.models import Import, ImportRow
from people.plain import EDGES, shown
from people.recipients import LINES
from people.rows import Entry
from people.sheet import LONGEST_GIVEN_BACK

V = ImportRow.Verdict
LONGEST_CELL = 200  # which no field exceeds
LONGEST_REASON = 200
IS_CUT = " What was too long is cut."
COLUMNS = (
    *("upload_id", "number", "line", "opted_out", "refused_channels", "problem", "forecast"),
    *("cells", "recipient_id", "is_alone", "attributes", "address", "email", "phone", *LINES),
    *("left_out", "fault", "found"),
)
COPY = f"COPY people_stagedrow ({', '.join(COLUMNS)}) FROM STDIN"


class Overtaken(Exception):
    """Another worker carried the same import on, or somebody ended it."""


@transaction.atomic
def stage(upload: Import, entries: Sequence[Entry]) -> None:
    """Keep the next rows of the list. Raises Overtaken."""
    locked(upload, expected=upload.expected, is_read=False)
    with connection.cursor() as cursor, cursor.copy(COPY) as copy:
        copy.write("".join(_lines(upload.pk, entries)))
    Import.objects.filter(pk=upload.pk).update(expected=F("expected") + len(entries), moved_at=Now())
    upload.expected += len(entries)


def _lines(upload_id: int, entries: Iterable[Entry]) -> Iterable[str]:
    for entry in entries:
        fields = entry.fields
        cells, fault = given_back(entry) if entry.problem else (None, "")
        # Of one line each, so that only the backslash means something to COPY.
        texts = "\t".join(
            (
                json.dumps(entry.attributes) if entry.attributes else "{}",
                *(entry.address, entry.email, entry.phone),
                *[fields.get(name, "") for name in LINES],
                *(entry.left_out, fault, entry.found),
            )
        )
        if "\\" in texts:
            texts = texts.replace("\\", "\\\\")
        given = "\\N" if cells is None else json.dumps(cells).replace("\\", "\\\\")
        refused = f"{{{','.join(map(str, map(int, entry.refused_channels)))}}}"
        verdict = 4 if entry.fault else 1
        yield (
            f"{upload_id}\t{entry.number}\t{entry.line}\t{entry.opted_out:d}\t{refused}\t{entry.problem:d}\t{verdict}"
            f"\t{given}\t\\N\t{not entry.fault:d}\t{texts}\n"
        )


def given_back(entry: Entry) -> tuple[list[str], str]:
    """The row as it came and what is wrong with it, which says so where something of it had to be cut."""
    longest = LONGEST_GIVEN_BACK if len(entry.cells) == 1 else LONGEST_CELL
    cells = [shown(cell, at_most=longest) for cell in entry.cells]
    if entry.fault and any(len(cell.strip(EDGES)) > longest for cell in entry.cells):
        return cells, shown(entry.fault, at_most=LONGEST_REASON - len(IS_CUT)) + IS_CUT
    return cells, entry.fault


def locked(upload: Import, **as_seen) -> None:
    """Hold the import until the transaction ends. Raises Overtaken unless it still stands as it was seen."""
    mine = Import.objects.filter(pk=upload.pk, status=upload.status, **as_seen)
    if not mine.select_for_update(no_key=True).values_list("pk").first():
        raise Overtaken
