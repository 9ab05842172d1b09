"""Books one chunk of an import: people, memberships, verdicts and counts, all in one transaction."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from django.db import connection, transaction
from django.db.models import F
from django.db.models.functions import Now

from accounts.models import Workspace
from people.models import Import, ImportRow, Recipient
from people.plain import NotPlain, shown
from people.register import Register
from people.rows import Entry, Row, entry_of

V = ImportRow.Verdict


class Overtaken(Exception):
    """Another worker carried the same import on, or ended it."""


@dataclass(frozen=True, slots=True)
class Judged:
    """A row and its verdict; the person has an id only once the register is written."""

    row: Row
    verdict: ImportRow.Verdict
    person: Recipient | None
    address: str
    reason: str


@transaction.atomic
def carry_out_chunk(upload: Import, rows: Sequence[Row]) -> int:
    """Book the first of these rows, return how many. Raises Overtaken, and IntegrityError if people changed.

    It stops early only at a phone number that an earlier row of the chunk took from its owner: the database
    must know that before the number can be given to the next person.
    """
    entries = [_read(row) for row in rows]
    _lock(upload)
    register = Register(upload, [entry for entry in entries if isinstance(entry, Entry)])
    judged = []
    for row, entry in zip(rows, entries, strict=True):
        if isinstance(entry, Entry) and entry.phone in register.freed:
            break
        judged.append(_judge(register, row, entry))
    register.write()
    _write(upload, judged)
    _count(upload, judged)
    return len(judged)


def _read(row: Row) -> Entry | str:
    try:
        return entry_of(row)
    except NotPlain as error:
        return str(error)


def _lock(upload: Import) -> None:
    """One worker an import, one import at a time a workspace: two that meet would lock people crosswise."""
    mine = Import.objects.filter(pk=upload.pk, rows=upload.rows, status=Import.Status.RUNNING)
    group = list(mine.select_for_update().values_list("group_id", flat=True))
    if not group:
        raise Overtaken
    upload.group_id = group[0]  # it may have been deleted since
    Workspace.objects.select_for_update(no_key=True).get(pk=upload.workspace_id)


def _judge(register: Register, row: Row, entry: Entry | str) -> Judged:
    if isinstance(entry, str):
        return Judged(row, V.REJECTED, None, row.address, entry)
    verdict, person, reason = register.book(entry, row.line)
    return Judged(row, verdict, person, entry.email or entry.phone, reason)


def _write(upload: Import, judged: Sequence[Judged]) -> None:
    columns = "upload_id, number, line, verdict, address, reason, recipient_id"
    with connection.cursor() as cursor, cursor.copy(f"COPY people_importrow ({columns}) FROM STDIN") as copy:
        for one in judged:
            person_id = one.person.pk if one.person else None
            reason = shown(one.reason, at_most=200)
            row = (upload.pk, one.row.number, one.row.line, int(one.verdict), one.address, reason, person_id)
            copy.write_row(row)


def _count(upload: Import, judged: Sequence[Judged]) -> None:
    counts = Counter(one.verdict.label for one in judged)
    Import.objects.filter(pk=upload.pk).update(
        rows=F("rows") + len(judged),
        moved_at=Now(),
        **{word: F(word) + count for word, count in counts.items()},
    )
