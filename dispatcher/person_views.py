"""The page of one person, with every message they got, and what an admin may do with all that is held of them."""

from django.contrib import messages
from django.http import HttpResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods

from accounts.access import MemberRequest, may
from dispatcher.erase import erase as erase_for_good
from dispatcher.named import places_naming
from dispatcher.person_export import export_person
from dispatcher.received import Received, received
from people.back import came_from
from people.erased import StillImported
from people.models import Recipient
from people.search import number_in
from people.wishes import standings_of, told_of

ERASURES_SHOWN = 100
REPLIES_SHOWN = 20


@require_GET
@may("read")
@never_cache
def person(request: MemberRequest, pk: int) -> HttpResponse:
    person = found(request, pk)
    context = {
        "person": person,
        "standings": standings_of(person),
        "told": list(told_of(person)),
        "replies": person.replies.order_by("-pk")[:REPLIES_SHOWN],
        "groups": person.groups.all(),
        "left": person.left_groups.select_related("group").order_by("-pk"),
        "page": received_by(request, person),
        "back": came_from(request, reverse("people")),
        "here": request.get_full_path(),
        "may_write": request.membership.may("write"),
        "may_send": request.membership.may("send"),
        "may_manage": request.membership.may("manage"),
    }
    return render(request, "dispatcher/person.html", context)


@require_GET
@may("read")
def person_messages(request: MemberRequest, pk: int) -> HttpResponse:
    """Another page of the messages alone."""
    return render(request, "dispatcher/_received.html", {"page": received_by(request, found(request, pk))})


@require_GET
@may("send")
def export(request: MemberRequest, pk: int) -> StreamingHttpResponse:
    person = found(request, pk)
    name = f"person-{person.pk}-{timezone.localtime():%Y-%m-%d}.json"
    return StreamingHttpResponse(
        export_person(person, by=request.user),
        content_type="application/json; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


@require_http_methods(["GET", "POST"])
@may("manage", to="erase people")
def erase(request: MemberRequest, pk: int) -> HttpResponse:
    """Asks for an address of the person to be typed: what is done cannot be undone."""
    person = found(request, pk)
    refusal, status = "", 200
    if request.method == "POST":
        if not is_address_of(person, request.POST.get("address", "")):
            refusal, status = "That is no address of this person; type one as it stands above.", 422
        else:
            try:
                erase_for_good(person, by=request.user)
            except StillImported as fact:
                refusal, status = str(fact), 409
            except Recipient.DoesNotExist:  # somebody was faster
                return redirect("erasures")
            else:
                messages.success(request, "The person is erased. What stood in files follows within minutes.")
                return redirect("erasures")
    context = {"person": person, "refusal": refusal, "places": places_naming(person)}
    return render(request, "dispatcher/erase.html", context, status=status)


def is_address_of(person: Recipient, typed: str) -> bool:
    typed = "".join(typed.split()).lower()
    return bool(typed) and typed in (person.email.lower(), person.phone)


@require_GET
@may("manage")
def erasures(request: MemberRequest) -> HttpResponse:
    rows = request.workspace.erasures.select_related("by").order_by("-pk")[:ERASURES_SHOWN]
    return render(request, "dispatcher/erasures.html", {"erasures": rows, "now": timezone.now()})


def found(request: MemberRequest, pk: int) -> Recipient:
    return get_object_or_404(request.workspace.recipients.select_related("workspace"), pk=pk)


def received_by(request: MemberRequest, person: Recipient) -> Received:
    before, after = (number_in(request.GET.get(name, "")) for name in ("before", "after"))
    return received(person, before=before, after=after)
