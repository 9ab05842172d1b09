"""The pages of imports: bringing a list in, and what became of each of its rows."""

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET, require_http_methods
from django_htmx.http import HttpResponseClientRefresh

from accounts.access import MemberRequest, may
from accounts.keeping import keeps_what_was_typed
from people.forms import ImportForm
from people.imports import MOST_ROWS
from people.models import Import, ImportRow
from people.search import PAGE, number_in
from people.sheet import UnreadableSheet

LATELY = 50


@require_http_methods(["GET", "POST"])
@keeps_what_was_typed
@may("write")
def import_new(request: MemberRequest) -> HttpResponse:
    posted = (request.POST, request.FILES) if request.method == "POST" else ()
    form = ImportForm(request.workspace, *posted, initial={"group": number_in(request.GET.get("group", ""))})
    if form.is_bound and form.is_valid():
        try:
            upload = form.start(by=request.user)
        except UnreadableSheet as refusal:
            form.add_error("file" if form.cleaned_data["file"] else "text", str(refusal))
        else:
            return redirect("import", upload.pk)
    context = {"form": form, "most_rows": MOST_ROWS}
    return render(request, "people/import_new.html", context, status=422 if form.errors else 200)


@require_GET
@may("read")
def imports(request: MemberRequest) -> HttpResponse:
    uploads = request.workspace.imports.defer("source").select_related("by", "group").order_by("-pk")[:LATELY]
    context = {"uploads": uploads, "may_write": request.membership.may("write")}
    return render(request, "people/imports.html", context)


@require_GET
@may("read")
def show_import(request: MemberRequest, pk: int) -> HttpResponse:
    upload = _find(request, pk)
    verdict = request.GET.get("verdict", "")
    after = number_in(request.GET.get("after", "")) or 0
    rows = upload.verdicts.filter(number__gt=after).order_by("number")
    if verdict in ImportRow.Verdict.labels:
        rows = rows.filter(verdict=ImportRow.Verdict[verdict.upper()])
    found = list(rows[: PAGE + 1])
    context = {
        "upload": upload,
        "rows": found[:PAGE],
        "following": found[PAGE - 1].number if len(found) > PAGE else None,
        "after": after,
        "verdict": verdict,
        "counts": [(word, getattr(upload, word)) for word in ImportRow.Verdict.labels],
        "may_write": request.membership.may("write"),
    }
    return render(request, "people/import.html", context)


@require_GET
@may("read")
def progress(request: MemberRequest, pk: int) -> HttpResponse:
    """The ticking part of an import's page; once all is done the whole page draws itself anew."""
    upload = _find(request, pk)
    if not upload.is_open:
        return HttpResponseClientRefresh()
    return render(request, "people/_progress.html", {"upload": upload})


def _find(request: MemberRequest, pk: int) -> Import:
    uploads = request.workspace.imports.defer("source").select_related("by", "group")
    return get_object_or_404(uploads, pk=pk)
