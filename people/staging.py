"""Keeps the rows of a list as they are read, some thousand at a time, to be taken up again where reading ended."""

import json
from collections.abc import Iterable, Sequence

from django.db import connection, transaction
from django.db.models import F
from django.db.models.functions import Now

from people.models import Import, ImportRow, StagedRow
from people.plain import shown
from people.recipients import LINES
from people.rows import LONGEST_KEPT, Entry

V = ImportRow.Verdict
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
        # Of one line each, so that only the backslash means something to COPY.
        texts = "\t".join(
            (
                json.dumps(entry.attributes) if entry.attributes else "{}",
                *(entry.address, entry.email, entry.phone),
                *[fields.get(name, "") for name in LINES],
                *(entry.left_out, entry.fault, entry.found),
            )
        )
        if "\\" in texts:
            texts = texts.replace("\\", "\\\\")
        cells = json.dumps(kept(entry.cells)).replace("\\", "\\\\") if entry.problem else "\\N"
        refused = f"{{{','.join(map(str, map(int, entry.refused_channels)))}}}"
        verdict = 4 if entry.fault else 1
        yield (
            f"{upload_id}\t{entry.number}\t{entry.line}\t{entry.opted_out:d}\t{refused}\t{entry.problem:d}\t{verdict}"
            f"\t{cells}\t\\N\t{not entry.fault:d}\t{texts}\n"
        )


def kept(cells: Sequence[str]) -> list[str]:
    """The row as it came, to be given back; what could not be stored in any case is cut or marked."""
    length = max(100, LONGEST_KEPT // max(1, len(cells)))
    return [shown(cell, at_most=length) for cell in cells]


def locked(upload: Import, **as_seen) -> None:
    """Hold the import until the transaction ends. Raises Overtaken unless it still stands as it was seen."""
    mine = Import.objects.filter(pk=upload.pk, status=upload.status, **as_seen)
    if not mine.select_for_update(no_key=True).values_list("pk").first():
        raise Overtaken


def forget(upload: Import) -> None:
    """Nothing of the list is kept but its verdicts."""
    StagedRow.objects.filter(upload=upload.pk).delete()
