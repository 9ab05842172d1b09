"""The pages of the suppression list: whom the workspace does not write to, whatever else anybody does."""

from django.contrib import messages
from django.http import HttpResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts import audit_log
from accounts.access import MemberRequest, may
from people import suppression, suppression_lists
from people.models import Suppression
from people.search import LONGEST, number_in
from people.suppression_forms import AddressForm, ListForm, ReleaseForm
from people.suppression_lists import digest_asked

PAGE = 50
REFUSED_SHOWN = 500


@require_GET
@may("manage")
def show_list(request: MemberRequest) -> HttpResponse:
    return draw(request, AddressForm(request.workspace))


@require_POST
@may("manage")
def suppress(request: MemberRequest) -> HttpResponse:
    form = AddressForm(request.workspace, request.POST)
    if not form.is_valid():
        return draw(request, form, status=422)
    address, note = form.cleaned_data["address"], form.cleaned_data["note"]
    if suppression.suppress(request.workspace, address, reason=Suppression.Reason.ADDED, by=request.user, note=note):
        messages.success(request, f"Nobody writes to {address} any more.")
    else:
        messages.warning(request, f"{address} was on the list before.")
    return redirect("suppression")


def draw(request: MemberRequest, form: AddressForm, status: int = 200) -> HttpResponse:
    words = request.GET.get("q", "").strip()[: LONGEST * 3]
    before = number_in(request.GET.get("before", ""))
    rows = request.workspace.suppressions.select_related("by").order_by("-pk")
    asked = digest_asked(words, request.workspace.region)
    if words:
        rows = rows.filter(digest=asked or b"")
    if before:
        rows = rows.filter(pk__lt=before)
    found = list(rows[: PAGE + 1])
    context = {
        "rows": found[:PAGE],
        "following": found[PAGE - 1].pk if len(found) > PAGE else None,
        "before": before,
        "words": words,
        "is_address": bool(asked),
        "form": form,
    }
    return render(request, "people/suppression.html", context, status=status)


@require_http_methods(["GET", "POST"])
@may("manage")
def release(request: MemberRequest, pk: int) -> HttpResponse:
    row = get_object_or_404(request.workspace.suppressions, pk=pk)
    form = ReleaseForm(row, request.POST if request.method == "POST" and not row.address else None)
    if request.method == "POST" and (row.address or form.is_valid()):
        address = row.address or form.cleaned_data["address"]
        suppression.release(request.workspace, address, by=request.user)
        messages.success(request, f"{address} is off the list and can be written to again.")
        return redirect("suppression")
    return render(
        request, "people/suppression_release.html", {"row": row, "form": form}, status=422 if form.errors else 200
    )


@require_http_methods(["GET", "POST"])
@may("manage")
def bring_in(request: MemberRequest) -> HttpResponse:
    form = ListForm(request.POST, request.FILES) if request.method == "POST" else ListForm()
    brought = None
    if form.is_bound and form.is_valid():
        try:
            brought = suppression_lists.bring_in(request.workspace, form.cleaned_data["source"], by=request.user)
        except suppression_lists.ListTooLong as refusal:
            form.add_error(None, str(refusal))
    context = {
        "form": ListForm() if brought else form,
        "brought": brought,
        "refused": brought.refused[:REFUSED_SHOWN] if brought else [],
        "most_lines": suppression_lists.MOST_LINES,
    }
    return render(request, "people/suppression_import.html", context, status=422 if form.errors else 200)


@require_GET
@may("manage")
def download(request: MemberRequest) -> StreamingHttpResponse:
    audit_log.record(request.workspace, "export_suppressions", request.workspace, by=request.user)
    name = f"suppression-list-{timezone.localtime():%Y-%m-%d}.csv"
    return StreamingHttpResponse(
        suppression_lists.written(request.workspace),
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )
