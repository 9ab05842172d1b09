"""Importing a list: kept in PostgreSQL first, then carried out chunk by chunk by a worker."""

import logging
from datetime import timedelta
from itertools import islice

from django.db import IntegrityError, InterfaceError, OperationalError, transaction
from django.db.models import QuerySet
from django.db.models.functions import Now

from accounts import audit_log
from accounts.models import User, Workspace
from people.attributes import MOST_NAMES, keep_names
from people.chunks import Overtaken, carry_out_chunk
from people.columns import header_of
from people.models import Group, Import
from people.plain import shown
from people.rows import rows
from people.sheet import UnreadableSheet, storable
from wires import queue

logger = logging.getLogger(__name__)

MOST_ROWS = 100_000
MOST_LINES = 1_000_000
MOST_CHARACTERS = 10 * 1024 * 1024
CHUNK = 2_000
LOST_AFTER = timedelta(seconds=30)
COUNTS = ("rows", "created", "updated", "unchanged", "rejected")
RACES = 5  # how often a chunk may lose against somebody adding the same person by hand


@transaction.atomic
def start_import(
    workspace: Workspace, *, name: str, source: str, group: Group | None = None, by: User | None = None
) -> Import:
    """Keep the list and have a worker carry it out. Raises UnreadableSheet, with nothing kept."""
    if len(source) > MOST_CHARACTERS:
        raise UnreadableSheet("The list is larger than 10 MB; split it and import the parts.")
    if max(source.count("\n"), source.count("\r")) > MOST_LINES:
        raise UnreadableSheet(f"The list has more than {MOST_LINES:,} lines; leave out the empty ones.")
    source = storable(source)
    upload = Import.objects.create(
        workspace=workspace,
        name=shown(name, at_most=200) or "Pasted list",
        source=source,
        expected=_count(source),
        group=group,
        by=by,
    )
    after = audit_log.fields_of(upload, ("expected", "group"))
    audit_log.record(workspace, "start", upload, by=by, after=after)
    queue.ask_for_import(upload.pk)
    return upload


def _count(source: str) -> int:
    found = sum(1 for _ in islice(rows(source), MOST_ROWS + 1))
    if found > MOST_ROWS:
        raise UnreadableSheet(f"The list has more than {MOST_ROWS:,} rows; split it and import the parts.")
    if not found:
        raise UnreadableSheet("There is nobody in this list.")
    return found


def carry_out(import_id: int) -> None:
    """Carry the import on from its last verdict. Two at once, or one killed at any point, do no harm."""
    upload = Import.objects.select_related("workspace", "by").filter(pk=import_id).first()
    if upload is None or not upload.is_open:
        return
    try:
        _carry_on(upload)
    except Overtaken:
        logger.info("import %s is carried out by another worker", import_id)
    except (OperationalError, InterfaceError):
        raise  # the database went away: the clock asks again
    except UnreadableSheet as error:
        _finish(upload, Import.Status.FAILED, error=shown(str(error), at_most=300))
    except Exception:
        logger.exception("import %s failed", import_id)
        _finish(upload, Import.Status.FAILED, error=_unexpected(upload))


def _carry_on(upload: Import) -> None:
    without = _start(upload)
    left = islice(rows(upload.source, without=without), upload.rows, None)
    while chunk := list(islice(left, CHUNK)):
        while chunk:
            done = _book(upload, chunk)
            upload.rows += done
            chunk = chunk[done:]
    _finish(upload, Import.Status.DONE)


def _start(upload: Import) -> set[str]:
    """Note the new attributes of the list; returns the columns there is no room for."""
    header = header_of(upload.source)
    names = header.attributes if header else set()
    without = names - keep_names(upload.workspace, names, by=upload.by)
    note = ""
    if header and (titles := header.titles_without(without)):
        note = f"Columns not read: {', '.join(titles)}. "
        note += f"A workspace has at most {MOST_NAMES} free attributes." if without else ""
    Import.objects.filter(pk=upload.pk, status=Import.Status.WAITING).update(
        status=Import.Status.RUNNING, note=shown(note, at_most=300), moved_at=Now()
    )
    return without


def _book(upload: Import, chunk: list) -> int:
    for _ in range(RACES):
        try:
            return carry_out_chunk(upload, chunk)
        except IntegrityError:  # somebody added or changed one of these people meanwhile: look again
            continue
    return carry_out_chunk(upload, chunk)


@transaction.atomic
def _finish(upload: Import, status: Import.Status, error: str = "") -> None:
    # The list itself is forgotten: what it said is in the people, what was wrong with it in the verdicts.
    # Compared with the rows seen here, so that only the worker that is truly at the end can end it.
    mine = Import.objects.filter(pk=upload.pk, rows=upload.rows, finished_at=None)
    if mine.update(status=status, error=error, source="", finished_at=Now(), moved_at=Now()):
        done = Import.objects.defer("source").get(pk=upload.pk)
        after = {"status": status.label} | audit_log.fields_of(done, COUNTS)
        audit_log.record(upload.workspace, "finish", done, by=None, after=after)


def _unexpected(upload: Import) -> str:
    return f"Something unexpected stopped this import after row {upload.rows:,}; the rows before it are done."


def unfinished() -> QuerySet[Import]:
    """Imports nothing was heard of for a while: their worker died, or the ring for it was lost."""
    return Import.objects.filter(
        status__in=(Import.Status.WAITING, Import.Status.RUNNING), moved_at__lt=Now() - LOST_AFTER
    )


@transaction.atomic
def ring_unfinished() -> int:
    """Ring again for every lost import, each at most every 30 seconds however often this is called."""
    lost = list(unfinished().select_for_update(skip_locked=True).values_list("pk", flat=True))
    Import.objects.filter(pk__in=lost).update(moved_at=Now())
    for pk in lost:
        queue.ask_for_import(pk)
    return len(lost)
