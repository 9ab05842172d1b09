"""The pages of an import, step by step: the list, its columns, the check, and what became of each row."""

from contextlib import suppress

from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods, require_POST
from django_htmx.http import HttpResponseClientRefresh

from accounts.access import MemberRequest, may
from accounts.keeping import keeps_what_was_typed
from people import imports as domain
from people.import_forms import MOST_AT_ONCE, ColumnsForm, ListForm
from people.import_rows import rows_with
from people.imports import MOST_ROWS, NotPossible
from people.looking import first_of
from people.models import Import, ImportRow
from people.parts import MOST_BYTES, PART
from people.problems import groups_of
from people.rejected import rejected_as_csv
from people.search import PAGE, number_in
from people.sheet import UnreadableSheet
from people.undo import foreseen

LATELY = 50
Status = Import.Status


@require_GET
@may("read")
def imports(request: MemberRequest) -> HttpResponse:
    uploads = request.workspace.imports.select_related("by", "key").prefetch_related("groups").order_by("-pk")[:LATELY]
    context = {"uploads": uploads, "may_write": request.membership.may("write")}
    return render(request, "people/imports.html", context)


@require_http_methods(["GET", "POST"])
@keeps_what_was_typed
@may("write")
def import_new(request: MemberRequest) -> HttpResponse:
    posted = (request.POST, request.FILES) if request.method == "POST" else ()
    form = ListForm(*posted)
    group = number_in(request.GET.get("group", ""))
    if form.is_bound and form.is_valid():
        try:
            upload = form.begin(request.workspace, by=request.user)
        except UnreadableSheet as refusal:
            form.add_error("file" if form.cleaned_data["file"] else "text", str(refusal))
        else:
            return redirect(columns_page(upload, group))
    context = {
        "form": form,
        "group": group,
        "most_rows": MOST_ROWS,
        "most_megabytes": MOST_BYTES // 1024**2,
        "at_once": MOST_AT_ONCE,
        "part": PART,
    }
    return render(request, "people/import_new.html", context, status=422 if form.errors else 200)


def columns_page(upload: Import, group: int | None = None) -> str:
    page = reverse("import-columns", args=[upload.pk])
    return f"{page}?group={group}" if group else page


# --- the columns, the check, and the word to go on ---


@require_http_methods(["GET", "POST"])
@may("write")
def import_columns(request: MemberRequest, pk: int) -> HttpResponse:
    upload = _find(request, pk)
    if upload.status == Status.LOOKING:
        return _show_check(request, upload)
    if upload.status not in (Status.MAPPING, Status.CHECKED):
        return redirect("import", pk)
    if "first_line" in request.POST:
        return _first_line(request, upload)
    group = number_in(request.GET.get("group", ""))
    chosen = [*upload.groups.values_list("pk", flat=True)] or ([group] if group else [])
    initial = {"groups": chosen, "new_group": upload.new_group}
    form = ColumnsForm(upload, first_of(upload), request.POST or None, initial=initial)
    if form.is_bound and form.is_valid():
        try:
            form.have_checked(by=request.user)
        except NotPossible as refusal:
            form.add_error(None, str(refusal))
        else:
            return redirect("import", pk)
    context = {"upload": upload, "form": form, "same": domain.same_list(upload)}
    return render(request, "people/import_columns.html", context, status=422 if form.errors else 200)


def _first_line(request: MemberRequest, upload: Import) -> HttpResponse:
    try:
        domain.take_first_line(upload, as_titles=request.POST["first_line"] == "titles")
    except NotPossible:
        return redirect("import", upload.pk)
    return redirect(columns_page(upload, number_in(request.GET.get("group", ""))))


@require_POST
@may("write")
def import_start(request: MemberRequest, pk: int) -> HttpResponse:
    return _asked(request, pk, domain.start)


@require_http_methods(["GET", "POST"])
@may("write")
def import_cancel(request: MemberRequest, pk: int) -> HttpResponse:
    if request.method == "POST":
        return _asked(request, pk, domain.cancel)
    upload = _find(request, pk)
    return render(request, "people/import_cancel.html", {"upload": upload})


@require_http_methods(["GET", "POST"])
@may("write")
def import_undo(request: MemberRequest, pk: int) -> HttpResponse:
    if request.method == "POST":
        return _asked(request, pk, domain.undo)
    upload = _find(request, pk)
    return render(request, "people/import_undo.html", {"upload": upload, "foreseen": foreseen(upload)})


def _asked(request: MemberRequest, pk: int, operation) -> HttpResponse:
    upload = _find(request, pk)
    with suppress(NotPossible):  # somebody was faster; the page shows how things stand now
        operation(upload, by=request.user)
    return redirect("import", pk)


# --- how it stands, and what became of each row ---


@require_GET
@may("read")
def show_import(request: MemberRequest, pk: int) -> HttpResponse:
    upload = _find(request, pk)
    may_write = request.membership.may("write")
    if upload.status == Status.UPLOADING and may_write:
        return redirect("import-cancel", pk)
    if upload.is_asking or upload.status in (Status.LOOKING, Status.CHECKING):
        return _show_check(request, upload)
    context = {"upload": upload, "may_write": may_write, "groups": list(upload.groups.all())}
    return render(request, "people/import.html", context | _verdicts(request, upload))


def _show_check(request: MemberRequest, upload: Import) -> HttpResponse:
    context = {"upload": upload, "may_write": request.membership.may("write"), "groups": list(upload.groups.all())}
    context |= {"problems": groups_of(upload), "same": domain.same_list(upload)}
    return render(request, "people/import_check.html", context)


def _verdicts(request: HttpRequest, upload: Import) -> dict:
    verdict = request.GET.get("verdict", "")
    after = number_in(request.GET.get("after", "")) or 0
    found = rows_with(upload, verdict, after, PAGE + 1)
    return {
        "rows": found[:PAGE],
        "following": found[PAGE - 1].number if len(found) > PAGE else None,
        "after": after,
        "verdict": verdict,
        "counts": [(word, getattr(upload, word)) for word in ImportRow.Verdict.labels],
        "can_be_undone": upload.status in domain.CAN_BE_UNDONE and upload.created + upload.updated > 0,
    }


@require_GET
@may("read")
def progress(request: MemberRequest, pk: int) -> HttpResponse:
    """The ticking part of an import's page; once all is done the whole page draws itself anew."""
    upload = _find(request, pk)
    if not upload.is_open:
        return HttpResponseClientRefresh()
    return render(request, "people/_progress.html", {"upload": upload})


@require_GET
@may("read")
def import_rejected(request: MemberRequest, pk: int, *, partly: bool = False) -> StreamingHttpResponse:
    """Such rows as they came, with line and reason behind: to be mended and imported again."""
    upload, name = _find(request, pk), "partly" if partly else "rejected"
    answer = StreamingHttpResponse(rejected_as_csv(upload, partly=partly), content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="{name}-{upload.pk}.csv"'
    answer["Cache-Control"] = "private, no-store"
    return answer


def _find(request: MemberRequest, pk: int) -> Import:
    return get_object_or_404(request.workspace.imports.select_related("by", "key", "workspace"), pk=pk)
