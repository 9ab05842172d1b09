"""Carrying imports out: what a worker does of one in its turn, and what the clock looks after."""

import logging
from collections.abc import Iterable, Iterator, Sequence
from datetime import timedelta
from itertools import islice
from time import monotonic
from typing import Any

from django.db import InterfaceError, OperationalError, connection, transaction
from django.db.models import QuerySet
from django.db.models.functions import Now

from accounts import audit_log
from people.attributes import MOST_NAMES, keep_names
from people.columns import Mapping
from people.forecast import look_up, sum_up
from people.imports import COUNTS, MOST_ROWS, cancel, end
from people.looking import look
from people.merge import merge_range
from people.models import AT_WORK, Import, ImportPart
from people.plain import shown
from people.rows import rows
from people.sheet import Record, UnreadableSheet
from people.source import records_of
from people.staging import Overtaken, locked, stage
from people.undo import undo_range
from wires import queue

logger = logging.getLogger(__name__)

STAGE = 2_000
MANY, SHARE = 2_000, 0.01  # rows of a list, and of all people, that are worth new statistics
TURN = 60  # seconds a worker works at an import before it looks whether something else waits
SIGN_OF_LIFE = 5  # seconds
LOST_AFTER = timedelta(seconds=30)
ABANDONED_AFTER = timedelta(days=7)
UNDONE_COUNTS = ("removed", "restored", "kept")
Status = Import.Status


def carry_out(import_id: int) -> None:
    """Carry the import on from where it stands, for a turn. Two at once, or one killed at any point, do no harm."""
    upload = Import.objects.select_related("workspace", "by", "key").filter(pk=import_id).first()
    if upload is None or not upload.is_open:
        return
    until = monotonic() + TURN
    try:
        for _ in _steps(upload):
            if monotonic() > until:  # others wait for this worker, too
                return queue.ask_for_import(import_id)
    except Overtaken:
        logger.info("import %s is carried out by another worker, or ended", import_id)
    except (OperationalError, InterfaceError, queue.TimeIsUp):
        raise  # the database went away, or the worker has no more time: the clock asks again
    except UnreadableSheet as error:
        _finish(upload, Status.FAILED, error=shown(str(error), at_most=300))
    except Exception:
        logger.exception("import %s failed", import_id)
        _finish(upload, Status.FAILED, error=_unexpected(upload))


def _steps(upload: Import) -> Iterator[None]:
    """What is left to be done of it, a transaction or a few at a time."""
    if upload.status == Status.UNDOING:
        while upload.not_undone:
            undo_range(upload)
            yield
        return _finish(upload, Status.UNDONE, UNDONE_COUNTS)
    if upload.status == Status.LOOKING:
        return look(upload)
    if not upload.is_read:
        yield from _read(upload)
    yield from look_up(upload)
    if upload.status == Status.CHECKING:
        return _ask(upload)
    if upload.status == Status.WAITING:
        _begin_to_merge(upload)
    while upload.rows < upload.expected:
        merge_range(upload)
        yield
    _finish(upload, Status.DONE)
    _tell_planner(upload)


def _tell_planner(upload: Import) -> None:
    """Of a workspace without statistics all people are taken for one: the next list is compared with each of them."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT reltuples FROM pg_class WHERE oid = 'people_recipient'::regclass")
        if upload.rows < max(MANY, cursor.fetchone()[0] * SHARE):
            return
        try:
            cursor.execute("ANALYZE (SKIP_LOCKED) people_recipient, people_recipient_groups")
        except OperationalError as error:  # the database does it by itself, later
            logger.warning("import %s: no new statistics: %s", upload.pk, error)


def _read(upload: Import) -> Iterator[None]:
    """Read the list on from its last row that was kept. Raises UnreadableSheet."""
    mapping = Mapping(upload.columns, upload.titles)
    heard = _showing_life(upload, records_of(upload))
    left = rows(heard, mapping, upload.workspace.region or None, after=upload.expected)
    while some := list(islice(left, STAGE)):
        if upload.expected + len(some) > MOST_ROWS:
            raise UnreadableSheet(f"The list has more than {MOST_ROWS:,} rows; split it and import the parts.")
        stage(upload, some)
        yield
    if not upload.expected:
        raise UnreadableSheet("There is nobody in this list.")
    with transaction.atomic():
        locked(upload, expected=upload.expected)
        Import.objects.filter(pk=upload.pk).update(is_read=True, moved_at=Now())
        ImportPart.objects.filter(upload=upload.pk).delete() if upload.is_confirmed else None
    upload.is_read = True


def _showing_life(upload: Import, records: Iterable[Record]) -> Iterator[Record]:
    """Nobody takes it for lost while records are passed that were kept before."""
    heard_at = monotonic()
    for record in records:
        if monotonic() - heard_at > SIGN_OF_LIFE:
            Import.objects.filter(pk=upload.pk).update(moved_at=Now())
            heard_at = monotonic()
        yield record


@transaction.atomic
def _ask(upload: Import) -> None:
    locked(upload)
    Import.objects.filter(pk=upload.pk).update(status=Status.CHECKED, forecast=sum_up(upload), moved_at=Now())


@transaction.atomic
def _begin_to_merge(upload: Import) -> None:
    """Note the new attributes of the list; those there is no room for any more are left out.

    What the check found stays to be read: here it is summed up for a list that nobody was asked about.
    """
    names = Mapping(upload.columns, upload.titles).attributes
    too_many = sorted(names - keep_names(upload.workspace, names, by=upload.brought_by))
    locked(upload)
    if too_many:
        _leave_out(upload, too_many)
    found = {"forecast": upload.forecast or sum_up(upload)}
    Import.objects.filter(pk=upload.pk).update(status=Status.RUNNING, started_at=Now(), moved_at=Now(), **found)
    upload.status = Status.RUNNING
    upload.refresh_from_db(fields=["started_at"])


def _leave_out(upload: Import, names: Sequence[str]) -> None:
    """Take attributes that found no room out of the rows."""
    note = f"{upload.note} Attributes left out: {', '.join(names)}. A workspace has at most {MOST_NAMES}."
    Import.objects.filter(pk=upload.pk).update(note=shown(note, at_most=300))
    with connection.cursor() as cursor:
        cursor.execute(LEAVE_OUT, {"upload": upload.pk, "names": list(names)})


LEAVE_OUT = """
    UPDATE people_stagedrow SET attributes = attributes - %(names)s::text[]
    WHERE upload_id = %(upload)s AND attributes ?| %(names)s::text[]
"""


@transaction.atomic
def _finish(upload: Import, status: Import.Status, counts: Sequence[str] = COUNTS, error: str = "") -> None:
    # Compared with what was seen here, so that only the worker that is truly at the end can end it.
    try:
        locked(upload, rows=upload.rows, not_undone=upload.not_undone)
    except Overtaken:
        return
    end(upload, status, error=error)
    done = Import.objects.get(pk=upload.pk)
    after: dict[str, Any] = {"status": status.label} | audit_log.fields_of(done, counts)
    audit_log.record(upload.workspace, "finish", done, by=None, after=after)


def _unexpected(upload: Import) -> str:
    if upload.status == Status.UNDOING:
        return (
            f"Something unexpected stopped the undoing at row {upload.not_undone:,}; undo it again to go on from there."
        )
    return f"Something unexpected stopped this import after row {upload.rows:,}; the rows before it are done."


# --- what the clock looks after ---


def unfinished() -> QuerySet[Import]:
    """Imports nothing was heard of for a while: their worker died, or the ring for it was lost."""
    return Import.objects.filter(status__in=AT_WORK, moved_at__lt=Now() - LOST_AFTER)


@transaction.atomic
def ring_unfinished() -> int:
    """Ring again for every lost import, each at most every 30 seconds however often this is called."""
    lost = list(unfinished().select_for_update(skip_locked=True).values_list("pk", flat=True))
    Import.objects.filter(pk__in=lost).update(moved_at=Now())
    for pk in lost:
        queue.ask_for_import(pk)
    return len(lost)


def cancel_abandoned() -> None:
    """End imports somebody began and never came back to: nobody's addresses are kept for nothing."""
    asking = (Status.UPLOADING, Status.MAPPING, Status.CHECKED)
    for upload in Import.objects.filter(status__in=asking, moved_at__lt=Now() - ABANDONED_AFTER)[:20]:
        cancel(upload, by=None)
