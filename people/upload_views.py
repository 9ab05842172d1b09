"""A large file comes in parts, which static/upload.js sends."""

from django.http import HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.views.decorators.http import require_POST

from accounts.access import MemberRequest, may
from people import imports as domain
from people.import_views import columns_page
from people.imports import NotPossible
from people.models import Import
from people.parts import OutOfOrder, keep_part
from people.search import number_in
from people.sheet import UnreadableSheet


@require_POST
@may("write")
def import_begin(request: MemberRequest) -> HttpResponse:
    name, size = request.POST.get("name", ""), number_in(request.POST.get("size", ""))
    if size is None:
        return HttpResponse("Say how large the list is.", status=422, content_type="text/plain")
    try:
        upload = domain.begin(request.workspace, name=name, size=size, by=request.user)
    except (UnreadableSheet, NotPossible) as refusal:
        return HttpResponse(str(refusal), status=422, content_type="text/plain; charset=utf-8")
    places = {name: reverse(f"import-{name}", args=[upload.pk]) for name in ("part", "complete", "cancel")}
    return JsonResponse(places, status=201)


@require_POST
@may("write")
def import_part(request: MemberRequest, pk: int) -> HttpResponse:
    upload, given = _find(request, pk), request.GET.get("number", "")
    if request.content_type != "application/octet-stream":
        return HttpResponse("A part of a list is sent as it is, in no form.", status=415, content_type="text/plain")
    try:
        number = int(given) if given.isdecimal() and len(given) < 6 else -2
        keep_part(upload, number, request.body, by=request.user)
    except UnreadableSheet as refusal:
        return HttpResponse(str(refusal), status=413, content_type="text/plain; charset=utf-8")
    except OutOfOrder:
        return HttpResponse(
            "This is not the next part of a list you are sending.", status=409, content_type="text/plain"
        )
    return HttpResponse(status=204)


@require_POST
@may("write")
def import_complete(request: MemberRequest, pk: int) -> HttpResponse:
    upload = _find(request, pk)
    try:
        domain.complete(upload, by=request.user)
    except (UnreadableSheet, NotPossible) as refusal:
        return HttpResponse(str(refusal), status=422, content_type="text/plain; charset=utf-8")
    return JsonResponse({"next": columns_page(upload, number_in(request.GET.get("group", "")))})


def _find(request: MemberRequest, pk: int) -> Import:
    return get_object_or_404(request.workspace.imports.select_related("by", "key", "workspace"), pk=pk)
