"""Importing a list, from the upload to the last verdict: what a person may ask of it."""

from collections.abc import Collection, Iterable
from contextlib import suppress
from typing import Any

from django.db import transaction
from django.db.models.functions import Now

from accounts import audit_log
from accounts.models import Actor, User, Workspace
from people.columns import Mapping, with_titles
from people.groups import group_named
from people.looking import first_of, look
from people.models import AT_WORK, Group, Import, ImportPart, StagedRow
from people.parts import MOST_BYTES, PART, digest_of, head_of, keep_part
from people.plain import shown
from people.said_columns import note_of, with_room
from people.sheet import UnreadableSheet, storable
from people.source import look_at
from people.staging import Overtaken
from people.workbook import is_workbook
from wires import queue

MOST_ROWS = 1_000_000
MOST_UPLOADS = 5  # of a workspace at once
COUNTS = ("rows", "created", "updated", "unchanged", "rejected")
Status = Import.Status


class NotPossible(Exception):
    """The import is no longer, or not yet, where this can be asked of it; the text says so, for people."""


@transaction.atomic
def begin(workspace: Workspace, *, name: str, by: Actor | None, size: int | None = None, **said: Any) -> Import:
    """An import that waits for its list, part by part (`parts.keep_part`), when its size is told.

    `said` is what is known of it already. Raises UnreadableSheet when it is too large, NotPossible while too many
    others wait for theirs.
    """
    if size is not None:
        _refuse_upload(workspace, size)
    name = shown(name, at_most=200) or "Pasted list"
    upload = Import.objects.create(workspace=workspace, name=name, announced=size, **said, **_whose(by))
    audit_log.record(workspace, "begin", upload, by=by)
    return upload


def _whose(by: Actor | None) -> dict[str, Actor | None]:
    return {"by": by, "key": None} if isinstance(by, User) else {"by": None, "key": by}


def _refuse_upload(workspace: Workspace, size: int) -> None:
    if size > MOST_BYTES:
        raise UnreadableSheet(f"The list is larger than {MOST_BYTES // 1024**2} MB; split it and import the parts.")
    Workspace.objects.select_for_update(no_key=True).get(pk=workspace.pk)
    if workspace.imports.filter(status=Status.UPLOADING).count() >= MOST_UPLOADS:
        raise NotPossible(f"{MOST_UPLOADS} lists are being sent already; wait for one, or cancel it under Imports.")


def keep_list(upload: Import, data: Iterable[bytes]) -> None:
    """Keep a whole list, given in pieces of any size. Raises UnreadableSheet."""
    number, left = 0, b""
    for some in data:
        left += some
        while len(left) >= PART:
            keep_part(upload, number, left[:PART], by=upload.brought_by)
            number, left = number + 1, left[PART:]
    if left:
        keep_part(upload, number, left, by=upload.brought_by)


def as_bytes(text: str) -> list[bytes]:
    """A pasted list as it is kept."""
    return [storable(text).encode()]


def complete(upload: Import, *, by: Actor | None) -> Import:
    """All parts are here: guess what the columns are, or have a worker do so. Asked again it does no more.

    Raises NotPossible, and UnreadableSheet once it has cancelled the import.
    """
    try:
        if (whole := _take_whole(upload, by=by)) and not is_workbook(head_of(whole)):
            look(whole)
    except UnreadableSheet:
        with suppress(NotPossible):  # somebody else ended it
            cancel(upload, by=by)
        raise
    except Overtaken:
        raise NotPossible("This import was cancelled meanwhile.") from None
    upload.refresh_from_db()
    return upload


@transaction.atomic
def _take_whole(upload: Import, *, by: Actor | None) -> Import | None:
    """The list as it is kept now, or nothing when it was taken before and only the answer was lost."""
    upload = _held(upload, Status.UPLOADING, Status.LOOKING, Status.MAPPING)
    if upload.brought_by != by:
        raise NotPossible("Somebody else is sending this list.")
    if upload.status != Status.UPLOADING:
        return None
    if upload.announced not in (None, upload.size):
        raise UnreadableSheet(f"{upload.size:,} of {upload.announced:,} bytes arrived; choose the file again.")
    upload.status = Status.LOOKING
    Import.objects.filter(pk=upload.pk).update(status=upload.status, moved_at=Now())
    audit_log.record(upload.workspace, "complete", upload, by=by, after={"bytes": upload.size})
    if is_workbook(head_of(upload)):
        queue.ask_for_import(upload.pk)
    return upload


def same_list(upload: Import) -> Import | None:
    """The last import of exactly this list in the workspace that was not cancelled or taken back."""
    alike = Import.objects.filter(workspace=upload.workspace_id, digest=upload.digest).exclude(digest="")
    return alike.filter(pk__lt=upload.pk, status__in=(Status.DONE, *AT_WORK)).order_by("-pk").first()


@transaction.atomic
def take_first_line(upload: Import, *, as_titles: bool) -> None:
    """Say whether the first line names the columns, before they are chosen. Raises NotPossible."""
    upload = _held(upload, Status.MAPPING)
    mapping = with_titles(first_of(upload)) if as_titles else Mapping()
    Import.objects.filter(pk=upload.pk).update(titles=mapping.titles, columns=mapping.columns)


def refuse_unless_mapped(upload: Import) -> None:
    """Raises NotPossible unless its columns can be chosen, or chosen anew."""
    if upload.status not in (Status.MAPPING, Status.CHECKED):
        raise NotPossible(f"This import is {upload.get_status_display()} by now.")


@transaction.atomic
def map_columns(
    upload: Import, mapping: Mapping, groups: Collection[Group], *, by: Actor | None, new_group: str = ""
) -> None:
    """Have the list checked, with its columns read like this; a new group is made at the start. Raises NotPossible."""
    upload = _held(upload, Status.MAPPING, Status.CHECKED)
    upload.titles, upload.columns = mapping.titles, mapping.columns
    upload.note, upload.new_group = note_of(mapping), new_group
    upload.status = Status.CHECKING
    upload.expected, upload.checked, upload.is_read, upload.forecast = 0, 0, False, {}
    StagedRow.objects.filter(upload=upload.pk).delete()
    upload.save(update_fields=[*MAPPED])
    upload.groups.set(groups)
    after = {"columns": mapping.columns, "groups": sorted(map(str, groups)), "new_group": new_group}
    audit_log.record(upload.workspace, "map_columns", upload, by=by, after=after)
    _ask_a_worker(upload)


MAPPED = ("titles", "columns", "note", "new_group", "status", "expected", "checked", "is_read", "forecast")


@transaction.atomic
def start(upload: Import, *, by: Actor | None) -> None:
    """Import the good rows of a checked list and keep the bad ones to be mended. Raises NotPossible."""
    upload = _held(upload, Status.CHECKED)
    if upload.new_group:
        upload.groups.add(group_named(upload.workspace, upload.new_group, by=by))
    fresh = {"is_confirmed": True, "status": Status.WAITING, "new_group": "", **_whose(by)}
    Import.objects.filter(pk=upload.pk).update(**fresh)
    audit_log.record(upload.workspace, "start", upload, by=by, after={"expected": upload.expected})
    _ask_a_worker(upload)


@transaction.atomic
def start_import(
    workspace: Workspace, *, name: str, source: str, groups: Collection[Group] = (), by: User | None = None
) -> Import:
    """Keep a list and have a worker carry it out as it is guessed. Raises UnreadableSheet, with nothing kept."""
    upload = Import.objects.create(workspace=workspace, name=shown(name, at_most=200) or "Pasted list", by=by)
    keep_list(upload, as_bytes(source))
    upload.refresh_from_db()
    if is_workbook(head_of(upload)):
        raise UnreadableSheet("A workbook cannot be read from a text; choose its file.")
    mapping, too_many = with_room(workspace, look_at(upload).mapping)
    upload.titles, upload.columns, upload.digest = mapping.titles, mapping.columns, digest_of(upload)
    upload.note = note_of(mapping, too_many)
    upload.is_confirmed, upload.status = True, Status.WAITING
    upload.save(update_fields=["titles", "columns", "digest", "note", "is_confirmed", "status"])
    upload.groups.set(groups)
    after = {"bytes": upload.size, "groups": sorted(map(str, groups))}
    audit_log.record(workspace, "start", upload, by=by, after=after)
    _ask_a_worker(upload)
    return upload


@transaction.atomic
def cancel(upload: Import, *, by: Actor | None) -> None:
    """Take no further row; those that were carried out stay until the import is undone. Raises NotPossible."""
    upload = _held(upload, Status.UPLOADING, Status.LOOKING, *BEFORE_IT_STARTS, *GOING_ON)
    audit_log.record(upload.workspace, "cancel", upload, by=by, after=audit_log.fields_of(upload, COUNTS))
    end(upload, Status.CANCELLED)


BEFORE_IT_STARTS = (Status.MAPPING, Status.CHECKING, Status.CHECKED)
GOING_ON = (Status.WAITING, Status.RUNNING)


@transaction.atomic
def undo(upload: Import, *, by: Actor | None) -> None:
    """Take back what the import did, but for what somebody has changed or used since. Raises NotPossible."""
    upload = _held(upload, *CAN_BE_UNDONE)
    if not upload.rows:
        raise NotPossible("This import changed nobody, so there is nothing to undo.")
    left = upload.not_undone or upload.rows  # some of it may be undone already
    Import.objects.filter(pk=upload.pk).update(
        status=Status.UNDOING, not_undone=left, error="", finished_at=None, moved_at=Now()
    )
    audit_log.record(upload.workspace, "undo", upload, by=by)
    queue.ask_for_import(upload.pk)


CAN_BE_UNDONE = (Status.DONE, Status.CANCELLED, Status.FAILED)


def _held(upload: Import, *statuses: Import.Status) -> Import:
    """The import as it is now, held until the transaction ends; a worker finishes its range before."""
    now = Import.objects.select_for_update(no_key=True).select_related(None).get(pk=upload.pk)
    if now.status not in statuses:
        raise NotPossible(f"This import is {now.get_status_display()} by now.")
    return now


def _ask_a_worker(upload: Import) -> None:
    Import.objects.filter(pk=upload.pk).update(moved_at=Now())
    queue.ask_for_import(upload.pk)


def end(upload: Import, status: Import.Status, error: str = "") -> None:
    """The list itself is forgotten: what it said is in the people, what was wrong with it in the verdicts."""
    Import.objects.filter(pk=upload.pk).update(
        status=status, error=error, first=[], new_group="", finished_at=Now(), moved_at=Now()
    )
    # The titles stand above rows that are given back, and may be somebody's address where the list had none.
    Import.objects.filter(pk=upload.pk, rejected=0).update(titles=[], columns=[])
    ImportPart.objects.filter(upload=upload.pk).delete()
    StagedRow.objects.filter(upload=upload.pk).delete()
