"""The pages of segments: listed, built row by row with a live count, copied and deleted."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts.access import MemberRequest, may
from accounts.keeping import keeps_what_was_typed
from people.models import Segment
from people.plain import NotPlain
from people.segment_builder import Builder
from people.segment_fields import Asking, fields_of
from people.segment_rules import Rules, rules_in
from people.segment_sample import sample_of
from people.segments import (
    DuplicateSegment,
    InvalidRules,
    SegmentInUse,
    add_segment,
    change_segment,
    delete_segment,
    duplicate_segment,
)

SHOWN = 200


@require_GET
@may("read")
def segments(request: MemberRequest) -> HttpResponse:
    asking, fields = Asking(request.workspace, timezone.now()), fields_of(request.workspace)
    kept = [(segment, rules_in(segment.rules)) for segment in request.workspace.segments.all()[:SHOWN]]
    listed = [(each, rules.sentence(asking, fields), rules.faults(asking, fields)) for each, rules in kept]
    context = {"segments": listed, "may_write": request.membership.may("write")}
    return render(request, "people/segments.html", context)


@require_http_methods(["GET", "POST"])
@keeps_what_was_typed
@may("write")
def segment(request: MemberRequest, pk: int | None = None) -> HttpResponse:
    known = get_object_or_404(request.workspace.segments, pk=pk) if pk else None
    builder, errors = built(request, known), {}
    name = request.POST.get("name", known.name if known else "")
    if button := request.POST.get("do", ""):
        builder.press(button)
    elif request.method == "POST":
        errors = save(request, known, name, builder.rules())
        if not errors:
            messages.success(request, f"The segment “{name.strip()}” is saved.")
            return redirect("segments")
    sample = sample_of(builder) if known and request.method == "GET" else None
    context = {"segment": known, "name": name, "errors": errors, "builder": builder, "sample": sample}
    return render(request, "people/segment.html", context, status=422 if errors else 200)


def save(request: MemberRequest, known: Segment | None, name: str, rules: Rules | None) -> dict[str, str]:
    """Add or change it; what is wrong with which part, in sentences, if it could not be saved."""
    if rules is None:
        return {"rules": "Please mend the rows that are marked."}
    try:
        if known:
            change_segment(known, by=request.user, name=name, rules=rules)
        else:
            add_segment(request.workspace, by=request.user, name=name, rules=rules)
    except (NotPlain, DuplicateSegment) as refusal:
        return {"name": str(refusal)}
    except (InvalidRules, SegmentInUse) as refusal:
        return {"rules": str(refusal)}
    return {}


def built(request: MemberRequest, known: Segment | None = None) -> Builder:
    asking, fields = Asking(request.workspace, timezone.now()), fields_of(request.workspace)
    if request.method == "POST":
        return Builder.typed(asking, fields, request.POST)
    return Builder.of(asking, fields, rules_in(known.rules) if known else Rules())


@require_POST
@may("write")
def draw(request: MemberRequest) -> HttpResponse:
    """The rows as typed, after a button or with what goes with another field. Keeps nothing."""
    builder = built(request)
    builder.press(request.POST.get("do", ""))
    answer = render(request, "people/_builder.html", {"builder": builder})
    answer["HX-Trigger-After-Settle"] = "rows-changed"
    return answer


@require_POST
@may("write")
def count(request: MemberRequest) -> HttpResponse:
    """Whom the rows describe as they are typed: a sentence, how many, and some of them. Keeps nothing."""
    return render(request, "people/_sample.html", {"sample": sample_of(built(request))})


@require_POST
@may("write")
def duplicate(request: MemberRequest, pk: int) -> HttpResponse:
    copy = duplicate_segment(get_object_or_404(request.workspace.segments, pk=pk), by=request.user)
    messages.success(request, f"“{copy}” is a copy with the same rows.")
    return redirect("segment-edit", copy.pk)


@require_http_methods(["GET", "POST"])
@may("write")
def delete(request: MemberRequest, pk: int) -> HttpResponse:
    segment = get_object_or_404(request.workspace.segments, pk=pk)
    sentence = ""
    if request.method == "POST":
        try:
            delete_segment(segment, by=request.user)
        except SegmentInUse as refusal:
            sentence = f"{refusal} Take the segment out of it first."
        else:
            messages.success(request, f"The segment “{segment}” is deleted; its people are still here.")
            return redirect("segments")
    context = {"segment": segment, "sentence": sentence}
    return render(request, "people/segment_delete.html", context, status=409 if sentence else 200)
