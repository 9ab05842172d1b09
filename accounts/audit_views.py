"""The page of the audit log, its rows as a file, and the check of its chain."""

import csv
from collections.abc import AsyncIterator, Iterable, Iterator
from datetime import UTC
from io import StringIO

from asgiref.sync import sync_to_async
from django.http import HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from accounts import audit_log
from accounts.access import MemberRequest, may
from accounts.audit_trail import (
    Asked,
    choices_of,
    found_entries,
    is_by_stranger,
    last_check,
    number_of,
    page_of,
    who,
    whole,
)
from accounts.models import AuditEntry, Workspace

AT_ONCE = 2_000
COLUMNS = (*("number", "time (UTC)", "who", "verb", "kind", "id", "about", "field", "was", "is", "address", "request"),)
FORMULA = "=+-@＝＋－＠"


@require_GET
@may("manage")
def show_audit_log(request: MemberRequest) -> HttpResponse:
    asked = Asked.of(request.GET)
    before = whole(request.GET.get("before", ""))
    lines, following = page_of(request.workspace, asked, before)
    context = {
        "asked": asked,
        "before": before,
        "lines": lines,
        "following": following,
        "choices": choices_of(request.workspace, asked),
        "checked": last_check(request.workspace),
    }
    return render(request, "accounts/audit_log.html", context)


@require_POST
@may("manage")
def check_audit_log(request: MemberRequest) -> HttpResponse:
    audit_log.check(request.workspace, by=request.user)
    return redirect("audit-log")


@require_GET
@may("manage")
def download_audit_log(request: MemberRequest) -> StreamingHttpResponse:
    """All rows that the filters leave, one line for each field that changed."""
    rows = stream(request.workspace, Asked.of(request.GET))
    name = f"audit-log-{timezone.localtime():%Y-%m-%d}.csv"
    return StreamingHttpResponse(
        rows, content_type="text/csv; charset=utf-8", headers={"Content-Disposition": f'attachment; filename="{name}"'}
    )


async def stream(workspace: Workspace, asked: Asked) -> AsyncIterator[str]:
    """The file piece by piece, however long the log is."""
    yield written([COLUMNS])
    before = None
    while found := await sync_to_async(found_entries)(workspace, asked, before=before, limit=AT_ONCE):
        yield written(row for entry in found for row in rows_of(entry))
        before = found[-1].pk


def rows_of(entry: AuditEntry) -> Iterator[list]:
    at = f"{entry.at.astimezone(UTC):%Y-%m-%d %H:%M:%S}"
    number = "account" if entry.workspace_id is None else number_of(entry)
    what = [number, at, who(entry), entry.verb, entry.kind, entry.about_id, entry.about]
    where = ["", ""] if is_by_stranger(entry) else [entry.address, entry.request_id]
    for field, (old, new) in entry.changes.items() or [("", ("", ""))]:
        yield [*what, field, old, new, *where]


def written(rows: Iterable[Iterable]) -> str:
    file = StringIO()
    csv.writer(file).writerows([harmless(cell) for cell in row] for row in rows)
    return file.getvalue()


def harmless(cell: object) -> object:
    """A spreadsheet takes a text that begins like this for a formula, and carries it out."""
    if not isinstance(cell, str) or not cell:
        return cell
    begins = cell[0] in "\t\r\n" or cell.lstrip()[:1] in {*FORMULA}
    return f"'{cell}" if begins else cell
