"""The pages of the list, of a campaign and of a message, and every button on them."""

from collections.abc import Callable
from http import HTTPStatus
from urllib.parse import urlencode

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from accounts.access import MemberRequest, may
from accounts.models import Role
from accounts.rates import RateLimited
from campaigns.footer import has_link, said_by
from campaigns.frames import framed
from campaigns.models import Campaign, IllegalMove
from campaigns.schedule_forms import ScheduleForm
from dispatcher import operations
from dispatcher.books import books_of
from dispatcher.check import DraftChanged, check_of, send_as_checked
from dispatcher.drawings import CampaignPage, Drawing, ListPage, zone_of
from dispatcher.finding import found_in
from dispatcher.ledger import Filter, History, Page, Row, page_of
from dispatcher.link_hits import link_hits
from dispatcher.models import Category
from dispatcher.picture import picture_of
from dispatcher.place import CHANNELS, STATUSES, Place
from dispatcher.proof import is_proved, preheader_of, words_of
from dispatcher.readiness import LaunchRefused
from dispatcher.typed import WrongNumber
from people.search import number_in


@require_GET
def campaigns(request: MemberRequest) -> HttpResponse:
    place = Place.asked(request.GET)
    drawing = draw_list(request, place)
    about = {"drawing": drawing, "place": place, "statuses": STATUSES, "channels": CHANNELS}
    if request.htmx:  # another filter: the list and what watches it, under an address that can be kept
        answer = HttpResponse(drawing.frame + render_to_string("dispatcher/_watch.html", {"place": place}))
        answer["HX-Push-Url"] = f"{request.path}?{place.address}" if place.address else request.path
        return answer
    return page(request, "campaigns", about | {"may_write": request.membership.may("write")})


@require_GET
def cards(request: MemberRequest) -> HttpResponse:
    """The list alone, for a page without a socket."""
    return HttpResponse(draw_list(request, Place.asked(request.GET)).frame)


@require_GET
def campaign(request: MemberRequest, pk: int) -> HttpResponse:
    campaign = found(request, pk)
    about = {
        "campaign": campaign,
        "drawing": draw(request, campaign),
        "page": people_of(request, campaign),
        "said": said_by(campaign),
        "link_hits": link_hits(campaign),
        "has_dry_run": bool(campaign.launched_at and campaign.dry_runs.exists()),
        "may_write": request.membership.may("write"),
    }
    return page(request, "campaign", about)


@require_GET
def fragments(request: MemberRequest, pk: int) -> HttpResponse:
    """What ticks on the page of a campaign, for a page without a socket."""
    return HttpResponse(str(draw(request, found(request, pk))))


@require_GET
def people(request: MemberRequest, pk: int) -> HttpResponse:
    """The visible page of people alone, as it is now."""
    answer = page(request, "_people", {"page": people_of(request, found(request, pk))})
    if request.htmx.trigger == "people-search":  # what was searched for can be kept as an address
        words = request.GET.get("q", "").strip()
        answer["HX-Replace-Url"] = reverse("campaign", args=[pk]) + (f"?{urlencode({'q': words})}" if words else "")
    return answer


@require_GET
@never_cache
def message(request: MemberRequest, pk: int, number: int) -> HttpResponse:
    campaign = found(request, pk)
    if campaign.stored_at:
        return page(request, "stored", {"campaign": campaign, "now": timezone.now()}, status=HTTPStatus.GONE)
    message = get_object_or_404(campaign.messages.select_related("recipient"), number=number)
    words = words_of(campaign, message)
    about = {
        "campaign": campaign,
        "message": message,
        "row": Row(message),
        "history": History(message),
        "words": words,
        "preheader": preheader_of(campaign, message) if words.html else "",
        "is_proved": is_proved(campaign, message),
        "has_link": has_link(campaign),
        "now": timezone.now(),
        "may_send": request.membership.may("send"),
        "may_write": request.membership.may("write"),
    }
    return page(request, "message", about)


@require_GET
@never_cache
def message_mail(request: MemberRequest, pk: int, number: int) -> HttpResponse:
    """The HTML of one message as it was handed over, but for the person's own link, for a frame."""
    campaign = found(request, pk)
    if campaign.stored_at:
        raise Http404
    return framed(words_of(campaign, get_object_or_404(campaign.messages, number=number)).html)


@require_GET
def check(request: MemberRequest, pk: int) -> HttpResponse:
    return draw_check(request, found(request, pk))


@require_POST
@may("send")
def send(request: MemberRequest, pk: int) -> HttpResponse:
    campaign = found(request, pk)
    try:
        seal, number = request.POST.get("checked", ""), request.POST.get("number", "")
        launched = send_as_checked(campaign, seal, number=number, by=request.user)
    except DraftChanged as fact:
        return draw_check(request, found(request, pk), status=HTTPStatus.CONFLICT, changed=fact)
    except WrongNumber as fact:
        return draw_check(request, found(request, pk), status=HTTPStatus.UNPROCESSABLE_ENTITY, wrong=fact)
    except LaunchRefused:  # the page says why
        return draw_check(request, found(request, pk), status=HTTPStatus.UNPROCESSABLE_ENTITY)
    except RateLimited as fact:
        answer = draw_check(request, found(request, pk), status=HTTPStatus.TOO_MANY_REQUESTS, limited=fact)
        answer["Retry-After"] = str(fact.standing.seconds)
        return answer
    except IllegalMove as fact:
        messages.warning(request, f"Nothing was sent by this. {fact}")
    else:
        messages.success(request, started(launched))
    return see(pk)


def started(campaign: Campaign) -> str:
    if not campaign.held_until:
        return "Campaign dispatch started! Watch the progress below."
    seconds = campaign.workspace.undo_seconds
    return f"It goes out in {seconds} {'second' if seconds == 1 else 'seconds'}. Until then you can undo it."


@require_POST
@may("send")
def undo(request: MemberRequest, pk: int) -> HttpResponse:
    try:
        operations.undo(found(request, pk), by=request.user)
    except IllegalMove as fact:
        messages.warning(request, str(fact))
    else:
        messages.success(request, "Undone: nobody got anything. It is a draft again.")
    return see(pk)


@require_POST
@may("send")
def operate(request: MemberRequest, pk: int, operation: Callable, takes: str = "") -> HttpResponse:
    campaign = found(request, pk)
    try:
        operation(campaign, by=request.user, **taken(request, takes))
    except (operations.NotApproved, LaunchRefused) as fact:
        messages.warning(request, str(fact))
        if request.htmx:
            return HttpResponse(headers={"HX-Refresh": "true"})
    except IllegalMove:
        pass  # somebody was faster; the answer shows how things stand now
    if request.POST.get("back") == "attention":
        return go_to("attention")
    if request.htmx:
        return HttpResponse(str(draw(request, campaign)))
    return see(pk)


@require_GET
@may("send")
def confirm(request: MemberRequest, pk: int, verb: str) -> HttpResponse:
    """The question before a verb that cannot be taken back, for those who get no dialog."""
    campaign = found(request, pk)
    picture = picture_of(campaign, Role(request.membership.role))
    question = next((question for question in picture.questions if question.verb == verb), None)
    if question is None:
        raise Http404
    about = {"campaign": campaign, "question": question}
    return page(request, "confirm", about | {"from_attention": request.GET.get("back") == "attention"})


def found(request: MemberRequest, pk: int) -> Campaign:
    return get_object_or_404(request.workspace.campaigns.select_related("workspace", "created_by"), pk=pk)


def page(request: MemberRequest, template: str, about: dict, *, status: int = 200) -> HttpResponse:
    """The page with its times in the time zone of the workspace, as the live fragments have them."""
    zone = zone_of(request.workspace)
    with timezone.override(zone):
        return render(request, f"dispatcher/{template}.html", about | {"zone": zone}, status=status)


def see(pk: int) -> HttpResponse:
    """303: see the campaign's page, by GET."""
    return go_to("campaign", pk)


def go_to(name: str, *arguments: int) -> HttpResponse:
    """303: see this page, by GET."""
    response = redirect(name, *arguments)
    response.status_code = HTTPStatus.SEE_OTHER
    return response


def draw(request: MemberRequest, campaign: Campaign) -> Drawing:
    """Raises Http404 when it was deleted meanwhile."""
    drawing = CampaignPage.seen_by(campaign.pk, request.membership.role).draw()
    if drawing is None:
        raise Http404
    return drawing


def draw_list(request: MemberRequest, place: Place) -> Drawing:
    drawing = ListPage(request.workspace.pk, place).draw()
    if drawing is None:
        raise Http404
    return drawing


def people_of(request: MemberRequest, campaign: Campaign) -> Page:
    books = books_of(campaign)
    if campaign.stored_at:
        return page_of(campaign, books, Filter())
    if words := request.GET.get("q", "").strip():
        after = number_in(request.GET.get("after", "")) or 0
        return found_in(campaign, books, words, min(after, 2**31 - 1))
    return page_of(campaign, books, Filter.asked(request.GET), request.GET.get("page", "1"))


def draw_check(
    request: MemberRequest,
    campaign: Campaign,
    *,
    status: int = 200,
    changed: DraftChanged | None = None,
    wrong: WrongNumber | None = None,
    limited: RateLimited | None = None,
    form: ScheduleForm | None = None,
) -> HttpResponse:
    """`form` is what was typed to schedule it, when that could not be done."""
    check = check_of(campaign, request.GET)
    about = {"campaign": campaign, "check": check, "changed": changed, "limited": limited}
    # Whoever has to look again at another draft types the number again, too.
    asked, typed = "schedule" if form else "send", "" if changed else request.POST.get("number", "").strip()[:40]
    about |= {"wrong_to_send": None, "wrong_to_schedule": None, f"wrong_to_{asked}": wrong}
    about |= {"typed_to_send": "", "typed_to_schedule": "", f"typed_to_{asked}": typed}
    about |= {"form": form or ScheduleForm(request.workspace), "may_send": request.membership.may("send")}
    about |= {"may_write": request.membership.may("write")}
    about |= {"may_manage": request.membership.may("manage"), "role": request.membership.get_role_display()}
    return page(request, "check", about, status=status)


def taken(request: MemberRequest, takes: str) -> dict:
    """What the button says beside its verb: one cause, or one message; without it, all. Raises Http404."""
    takes, asked = next(((name, word) for name in takes.split() if (word := request.POST.get(name))), ("", ""))
    if not asked:
        return {}
    if takes == "spare_dismissed":
        return {takes: True}
    if takes == "numbers":
        if not asked.isdecimal() or len(asked) > 9:
            raise Http404
        return {takes: [int(asked)]}
    if asked.upper() not in Category.__members__:
        raise Http404
    return {takes: Category[asked.upper()]}
