"""The pages of those who keep the work going: what needs a person, dead letters, and the queue."""

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts.access import MemberRequest, may
from campaigns.models import IllegalMove
from dispatcher import dismissals
from dispatcher.attention import attention_of, troubles_of
from dispatcher.dead_letters import Letters, all_of, one_of, page_of
from dispatcher.letters_at_once import dismiss_dead
from dispatcher.letters_at_once import retry_dead as retry_dead_letters
from dispatcher.models import CATEGORY_WORDS, Category
from dispatcher.queue_page import queue_of
from dispatcher.views import go_to, page
from people.search import number_in

SIZE = 20  # campaigns on a page of dead letters


# --- what needs a person ---


@require_GET
@may("read")
def attention(request: MemberRequest) -> HttpResponse:
    return draw_attention(request, "attention")


@require_GET
@may("read")
def attention_live(request: MemberRequest) -> HttpResponse:
    """What ticks on the page: the list, and the number in the navigation."""
    return draw_attention(request, "_attention_live")


@require_GET
@may("read")
def attention_count(request: MemberRequest) -> HttpResponse:
    """The number in the navigation of every page."""
    return page(request, "_attention_count", {"attention_count": troubles_of(request.workspace).number})


@require_POST
@may("send")
def dismiss_launch(request: MemberRequest, pk: int) -> HttpResponse:
    campaign = get_object_or_404(request.workspace.campaigns, pk=pk)
    try:
        dismissals.dismiss_launch(campaign, by=request.user)
    except IllegalMove:
        messages.warning(request, "Nothing was dismissed: somebody was faster.")
    return go_to("attention")


def draw_attention(request: MemberRequest, template: str) -> HttpResponse:
    found = attention_of(request.workspace)
    role = request.membership
    acts = {item.id: [act for act in item.acts if role.may(act.needs)] for item in found.shown}
    items = [(item, acts[item.id]) for item in found.shown]
    about = {"items": items, "more": found.more, "attention_count": found.count, "now": found.now}
    return page(request, template, about)


# --- dead letters ---


@require_GET
@may("read")
def dead_letters(request: MemberRequest) -> HttpResponse:
    before = number_in(request.GET.get("before", ""))
    every = all_of(request.workspace)
    found = [letters for letters in every if before is None or letters.campaign.pk < before]
    causes = sum(len(letters.causes) for letters in every)
    about = {
        "letters": found[:SIZE],
        "older": found[SIZE - 1].id if len(found) > SIZE else "",
        "before": before,
        "count": sum(letters.count for letters in every),
        "worth_a_try": sum(letters.worth_a_try for letters in every),
        "passing": [category.label for category in Category if CATEGORY_WORDS[category][2]],
        "causes": causes,
        "may_send": request.membership.may("send"),
        "now": timezone.now(),
    }
    return page(request, "dead_letters", about)


@require_GET
@may("read")
def dead_letters_of(request: MemberRequest, pk: int) -> HttpResponse:
    """The single dead letters of one campaign, page by page."""
    letters = found_letters(request, pk)
    category = category_in(request.GET)
    after = number_in(request.GET.get("after", "")) or 0
    about = {
        "letters": letters,
        "campaign": letters.campaign,
        "category": category,
        "after": after,
        "page": page_of(letters, category, min(after, 2**31 - 2)),
        "may_send": request.membership.may("send"),
        "may_write": request.membership.may("write"),
        "now": timezone.now(),
    }
    return page(request, "dead_letters_of", about)


@require_POST
@may("send")
def retry_dead(request: MemberRequest) -> HttpResponse:
    """Try again what is on the list: one message, some causes or all of a campaign, or all there is."""
    chosen = chosen_letters(request, request.POST)
    numbers = numbers_in(request.POST)
    if numbers and len(chosen) != 1:
        raise Http404
    categories: list[Category | None] = [*categories_in(request.POST)] or [None]
    result = retry_dead_letters(chosen, categories, by=request.user, numbers=numbers)
    say(request, result, "Trying {} again.", "Nothing was left to try again: somebody was faster.")
    if result.left:
        messages.warning(request, f"{result.left:,} campaigns are left; press again for them.")
    return see_list(request)


@require_http_methods(["GET", "POST"])
@may("send")
def dismiss(request: MemberRequest) -> HttpResponse:
    """Asks first, then takes what is on the list off it: a cause or all of a campaign, or all there is."""
    asked = request.POST if request.method == "POST" else request.GET
    chosen = [letters for letters in chosen_letters(request, asked) if letters.count]
    category = category_in(asked)
    if request.method == "GET":
        count = sum(c.count for letters in chosen for c in letters.causes if category in (None, c.category))
        about = {"letters": chosen, "count": count, "campaign": asked.get("campaign"), "category": category}
        return page(request, "dead_letters_dismiss", about)
    result = dismiss_dead(chosen, [category], by=request.user)
    say(request, result, "Dismissed {}. They stay in the books; put them back below.", "Nothing was left to dismiss.")
    return see_list(request)


@require_POST
@may("send")
def undismiss(request: MemberRequest, pk: int) -> HttpResponse:
    letters = found_letters(request, pk)
    count = dismissals.undismiss(letters.campaign, by=request.user, category=category_in(request.POST))
    if count:
        messages.success(request, f"Put {counted(count)} back on the list.")
    return see_list(request)


def found_letters(request: MemberRequest, pk: int) -> Letters:
    """Raises Http404 when the campaign is not in the workspace or nothing of it failed."""
    campaign = get_object_or_404(request.workspace.campaigns, pk=pk)
    found = one_of(campaign)
    if found is None:
        raise Http404
    return found


def chosen_letters(request: MemberRequest, asked: QueryDict) -> list[Letters]:
    """Those of the campaign that is named, else all. Raises Http404."""
    if "campaign" not in asked:
        return all_of(request.workspace)
    return [found_letters(request, number_in(asked.get("campaign") or "") or 0)]


def categories_in(asked: QueryDict) -> list[Category]:
    """The causes that are named. Raises Http404 for one that does not exist."""
    words = [word.upper() for word in asked.getlist("category") + asked.getlist("cause") if word]
    if any(word not in Category.__members__ for word in words):
        raise Http404
    return [Category[word] for word in words]


def category_in(asked: QueryDict) -> Category | None:
    return next(iter(categories_in(asked)), None)


def numbers_in(asked: QueryDict) -> list[int] | None:
    """The one message that is named. Raises Http404."""
    word = asked.get("numbers")
    if not word:
        return None
    number = number_in(word)
    if number is None or number >= 2**31:
        raise Http404
    return [number]


def say(request: MemberRequest, result: dismissals.Result, done: str, nothing: str) -> None:
    if result.messages:
        where = f" of {len(result.campaigns):,} campaigns" if len(result.campaigns) > 1 else ""
        messages.success(request, done.format(counted(result.messages) + where))
    elif not (result.refused or result.why_full):
        messages.warning(request, nothing)
    if result.why_full:
        messages.warning(request, f"Not all was tried again. {result.why_full}")
    if result.refused:
        refused = [f"“{campaign}” is {campaign.get_status_display()}" for campaign in result.refused]
        shown = ", ".join(refused[:5])
        more = f" and {len(refused) - 5:,} more" if len(refused) > 5 else ""
        messages.warning(request, f"Not tried again: {shown}{more}.")


def counted(count: int) -> str:
    return "1 message" if count == 1 else f"{count:,} messages"


def see_list(request: MemberRequest) -> HttpResponse:
    """Back to where the button was pressed."""
    back = request.POST.get("back", "")
    if back == "attention":
        return go_to("attention")
    if back == "dead_letters_of" and (pk := number_in(request.POST.get("campaign", ""))):
        return go_to("dead-letters-of", pk)
    return go_to("dead-letters")


# --- the queue ---


@require_GET
@may("read")
def queue(request: MemberRequest) -> HttpResponse:
    return draw_queue(request, "queue")


@require_GET
@may("read")
def queue_live(request: MemberRequest) -> HttpResponse:
    return draw_queue(request, "_queue")


def draw_queue(request: MemberRequest, template: str) -> HttpResponse:
    of_all = "all" in request.GET
    if of_all and not request.user.is_staff:
        raise PermissionDenied("Only the staff of this installation may look at the queue of all workspaces.")
    queue = queue_of(request.workspace, of_all=of_all, for_staff=request.user.is_staff)
    return page(request, template, {"queue": queue})
