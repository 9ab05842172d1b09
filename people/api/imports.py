"""Imports over the API: bring a list whole or in parts, see it checked and carried out, undo it, read every verdict."""

from collections.abc import Callable
from typing import Any, Literal

from django.db.models import QuerySet
from django.http import StreamingHttpResponse
from ninja import Field, File, Form, Query, Router, Schema, Status, UploadedFile
from pydantic import ValidationError as Invalid

from accounts.access import KeyRequest, may
from accounts.paging import LARGEST, SIZE, Paging, Walked, cursor_of, page_of, whole
from accounts.unknown import all_numbered, numbered
from people import imports
from people.api.import_shapes import (
    COLUMNS_SAID,
    BeginIn,
    ImportOut,
    ImportPage,
    ListProblem,
    ListSaid,
    VerdictPage,
    VerdictWord,
    import_row,
    problem_row,
    verdict_row,
)
from people.api.shapes import a_file, refuse_faults
from people.bringing import begin_as_said, bring
from people.import_rows import rows_with
from people.looking import first_of
from people.models import Import
from people.parts import PART, keep_part
from people.problems import groups_of
from people.rejected import rejected_as_csv
from people.said_columns import mapping_said, with_room
from people.sheet import UnreadableSheet
from wires.strict_json import NotJson, parse_any

router = Router(tags=["imports"])
A_PART = {"schema": {"type": "string", "format": "binary"}, "example": "email"}
REJECTED = a_file("A file to be mended and imported again.", "email,line in the list,rejected because")


class BringIn(Schema):
    """Beside the file."""

    columns: str = Field("", description=f"As JSON, an object or a list. {COLUMNS_SAID}")
    group_ids: list[int] = Field([], description="The groups its people are put into.")
    start: bool = Field(
        True,
        description="false: stop once it is checked, before anybody is changed.",
        json_schema_extra={"type": "string", "enum": ["true", "false", "1", "0"], "default": "true"},
    )


@router.post("imports", response={202: ImportOut}, summary="Bring a list")
@may("write")
def bring_list(request: KeyRequest, form: Form[BringIn], file: File[UploadedFile]) -> Status[dict[str, Any]]:
    """CSV, any text of addresses, or XLSX, of at most 10 MB; a larger one comes in parts. A worker carries it out:
    look at the import until it is over."""
    said = read_said(form)
    groups = all_numbered(request.workspace.groups, "Group", said.group_ids)
    upload = bring(
        request.workspace,
        file.chunks(),
        name=file.name or "",
        by=request.auth,
        titles=said.titles,
        columns=said.named,
        groups=groups,
        is_confirmed=form.start,
    )
    return Status(202, shown(request, upload.pk))


def read_said(form: BringIn) -> ListSaid:
    """Raises ValidationError."""
    try:
        columns: Any = parse_any(form.columns.encode()) if form.columns.strip() else None
        return ListSaid(columns=columns, group_ids=form.group_ids)
    except (NotJson, Invalid) as fault:
        told = fault.errors()[0]["msg"] if isinstance(fault, Invalid) else str(fault).replace("The body", "It")
        refuse_faults("form", {"columns": told})
        raise


@router.post("imports/begin", response={201: ImportOut}, summary="Begin a list that comes in parts")
@may("write")
def begin_import(request: KeyRequest, list_: BeginIn) -> Status[dict[str, Any]]:
    """Then PUT its parts, and complete it."""
    groups = all_numbered(request.workspace.groups, "Group", list_.group_ids)
    upload = begin_as_said(
        request.workspace,
        name=list_.name,
        by=request.auth,
        titles=list_.titles,
        columns=list_.named,
        groups=groups,
        is_confirmed=list_.start,
        size=list_.size,
    )
    return Status(201, shown(request, upload.pk))


@router.put(
    "imports/{import_id}/parts/{number}",
    response={204: None},
    summary="Send the next part of a list",
    openapi_extra={"requestBody": {"required": True, "content": {"application/octet-stream": A_PART}}},
)
@may("write")
def send_part(request: KeyRequest, import_id: int, number: int) -> Status[None]:
    """As it is, at most 2 MB, numbered from 0; the last one may be sent again."""
    upload = import_of(request, import_id)
    if len(request.body) > PART:
        raise UnreadableSheet(f"A part has at most {PART:,} bytes.")
    keep_part(upload, number, request.body, by=request.auth)
    return Status(204, None)


@router.post("imports/{import_id}/complete", response={202: ImportOut}, summary="Say that all parts are here")
@may("write")
def complete_import(request: KeyRequest, import_id: int) -> Status[dict[str, Any]]:
    imports.complete(import_of(request, import_id), by=request.auth)
    return Status(202, shown(request, import_id))


@router.post("imports/{import_id}/columns", response={202: ImportOut}, summary="Have it checked with other columns")
@may("write")
def map_columns(request: KeyRequest, import_id: int, said: ListSaid) -> Status[dict[str, Any]]:
    """Before it starts."""
    upload = import_of(request, import_id)
    groups = request.workspace.groups.filter(pk__in=all_numbered(request.workspace.groups, "Group", said.group_ids))
    imports.refuse_unless_mapped(upload)
    mapping, _ = with_room(request.workspace, mapping_said(first_of(upload), said.titles, said.named))
    imports.map_columns(upload, mapping, [*groups], by=request.auth)
    return Status(202, shown(request, import_id))


@router.post("imports/{import_id}/start", response={202: ImportOut}, summary="Carry a checked list out")
@may("write")
def start_import(request: KeyRequest, import_id: int) -> Status[dict[str, Any]]:
    return operate(request, import_id, imports.start)


@router.post("imports/{import_id}/cancel", response={202: ImportOut}, summary="Take no further row of it")
@may("write")
def cancel_import(request: KeyRequest, import_id: int) -> Status[dict[str, Any]]:
    """What was carried out stays until it is undone."""
    return operate(request, import_id, imports.cancel)


@router.post("imports/{import_id}/undo", response={202: ImportOut}, summary="Take back what it did")
@may("write")
def undo_import(request: KeyRequest, import_id: int) -> Status[dict[str, Any]]:
    """But for what somebody has changed or used since."""
    return operate(request, import_id, imports.undo)


def operate(request: KeyRequest, number: int, operation: Callable) -> Status[dict[str, Any]]:
    operation(import_of(request, number), by=request.auth)
    return Status(202, shown(request, number))


@router.get("imports", response=ImportPage, summary="List imports, newest first")
@may("read")
def list_imports(request: KeyRequest, asked: Query[Paging]) -> dict[str, Any]:
    found, pagination = page_of(imports_of(request).prefetch_related("groups"), asked)
    return {"data": [import_row(upload) for upload in found], "pagination": pagination}


@router.get("imports/{import_id}", response=ImportOut, summary="How an import stands")
@may("read")
def show_import(request: KeyRequest, import_id: int) -> dict[str, Any]:
    return shown(request, import_id)


@router.get("imports/{import_id}/problems", response=list[ListProblem], summary="What is wrong with a list")
@may("read")
def list_problems(request: KeyRequest, import_id: int) -> list[dict[str, Any]]:
    """By what somebody has to do about it, as the check found it; once the import is over its rows with the verdicts
    rejected and partly say which these are."""
    return [problem_row(group) for group in groups_of(import_of(request, import_id))]


class AskedVerdicts(Schema):
    """Which rows, walked by cursor."""

    verdict: VerdictWord | Literal["partly", "kept", ""] = Field(
        "", description="partly: imported without an address that cannot be used; kept: not, or not wholly, undone."
    )
    page_size: str = str(SIZE)
    cursor: str = Field("", description="Empty to begin, then the next_cursor of each answer until it is null.")


@router.get("imports/{import_id}/rows", response=VerdictPage, summary="What became of each row")
@may("read")
def list_verdicts(request: KeyRequest, import_id: int, asked: Query[AskedVerdicts]) -> dict[str, Any]:
    upload, size = import_of(request, import_id), min(whole(asked.page_size, otherwise=SIZE), LARGEST)
    found = rows_with(upload, asked.verdict, cursor_of(asked.cursor), size + 1)
    end = str(found[size - 1].number) if len(found) > size else None
    walked = Walked(page_size=size, next_cursor=end)
    return {"data": [verdict_row(row) for row in found[:size]], "pagination": walked}


@router.get("imports/{import_id}/rejected", summary="The rejected rows as CSV", openapi_extra=REJECTED)
@may("read")
def download_rejected(request: KeyRequest, import_id: int, partly: bool = False) -> StreamingHttpResponse:
    """As they came, with line and reason behind; `partly`: those that were imported without an unusable address."""
    pieces = rejected_as_csv(import_of(request, import_id), partly=partly)
    return StreamingHttpResponse(pieces, content_type="text/csv; charset=utf-8")


def imports_of(request: KeyRequest) -> QuerySet[Import]:
    return request.workspace.imports.select_related("by", "key", "workspace")


def import_of(request: KeyRequest, number: int) -> Import:
    return numbered(imports_of(request), "Import", number)


def shown(request: KeyRequest, number: int) -> dict[str, Any]:
    return import_row(import_of(request, number))
