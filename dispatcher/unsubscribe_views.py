"""Where the links to unsubscribe lead: a page that changes nothing until a button is pressed, and RFC 8058's endpoint.

Neither knows cookies: the link alone says who somebody is.
"""

from collections.abc import Callable
from functools import wraps

from django.contrib.auth.decorators import login_not_required
from django.db import IntegrityError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from campaigns.footer import links_of
from dispatcher import unsubscribe
from dispatcher.models import LinkHit
from dispatcher.scanners import is_machine
from dispatcher.unsubscribe import Visitor, visitor_of
from people.links import Links, Purpose, keys
from people.models import Recipient
from people.plain import shown
from people.preferences import Wanted, channels_of, groups_shown_to, veiled, wanted_by

METHODS = ["GET", "HEAD", "OPTIONS", "POST"]
HEADERS = {"Cache-Control": "no-store", "Referrer-Policy": "no-referrer", "X-Robots-Tag": "noindex, nofollow"}
LONGEST_REASON = 300


def followed(purpose: Purpose) -> Callable:
    """A view that is given its visitor; whatever is no link of ours gets one and the same answer."""

    def decorate(view: Callable[[HttpRequest, Visitor], HttpResponse]) -> Callable:
        @wraps(view)
        def guarded(request: HttpRequest, token: str) -> HttpResponse:
            visitor = visitor_of(purpose, token)
            try:
                answer = view(request, visitor) if visitor else unknown(request)
            except (Recipient.DoesNotExist, IntegrityError):  # erased this very moment
                answer = unknown(request)
            for name, value in HEADERS.items():
                answer[name] = value
            return answer

        return login_not_required(csrf_exempt(require_http_methods(METHODS)(guarded)))

    return decorate


def unknown(request: HttpRequest) -> HttpResponse:
    return render(request, "dispatcher/link_unknown.html", status=404)


@followed(Purpose.PAGE)
def preferences(request: HttpRequest, visitor: Visitor) -> HttpResponse:
    if request.method != "POST":
        return look(request, visitor)
    wish, before = request.POST.get("wish", ""), wanted_by(visitor.person)
    reason = shown(request.POST.get("reason", ""), at_most=LONGEST_REASON)
    told = {"reason": reason, "agent": agent_of(request)}
    if wish in ("stop", "nothing"):
        unsubscribe.stop(visitor, everything=wish == "nothing", **told)
    elif wish == "choose":
        unsubscribe.choose_anew(visitor, typed(request), **told)
    elif wish == "undo":
        unsubscribe.undo(visitor, typed(request), agent=told["agent"])
    else:
        return draw(request, visitor, status=400)
    return draw(request, visitor, done=wish, before=before)


def typed(request: HttpRequest) -> Wanted:
    nothing = "nothing" in request.POST
    return Wanted.typed(request.POST.getlist("channels"), request.POST.getlist("groups"), nothing=nothing)


@followed(Purpose.ONE_CLICK)
def one_click(request: HttpRequest, visitor: Visitor) -> HttpResponse:
    """A program posts one field and nobody looks at the answer; somebody who opens the address gets the page."""
    if request.method != "POST":
        return look(request, visitor)
    if request.POST.get("List-Unsubscribe") != "One-Click":
        return draw(request, visitor, status=400)
    unsubscribe.one_click(visitor, agent=agent_of(request))
    return HttpResponse("Unsubscribed.\n", content_type="text/plain; charset=utf-8")


def look(request: HttpRequest, visitor: Visitor) -> HttpResponse:
    """Counts the visit and changes nothing else."""
    machine = is_machine(request, visitor.person.pk, visitor.campaign.pk if visitor.campaign else 0)
    visitor.note(LinkHit.Kind.MACHINE if machine else LinkHit.Kind.OPENED)
    return draw(request, visitor)


def draw(
    request: HttpRequest, visitor: Visitor, *, status: int = 200, done: str = "", before: Wanted | None = None
) -> HttpResponse:
    """What the person gets now, and the buttons; `before` is what held until now, for whoever pressed the wrong one."""
    person, now = visitor.person, wanted_by(visitor.person)
    address = getattr(person, visitor.channel.address_field)
    about = {
        "workspace": person.workspace,
        "channel": visitor.channel,
        "address": veiled(address) if address else "",
        "is_suppressed": getattr(person, visitor.channel.suppressed_field),
        "gets_it": not person.refuses(visitor.channel),
        "channels": [
            (each, veiled(getattr(person, each.address_field)), each in now.channels) for each in channels_of(person)
        ],
        "groups": [(group, group.pk in now.groups) for group in groups_shown_to(person)],
        "done": done,
        "before": before if before != now and done != "undo" else None,
        "action": page_of(visitor),
    }
    return render(request, "dispatcher/unsubscribe.html", about, status=status)


def page_of(visitor: Visitor) -> str:
    """The path of the page, also for whoever came by the other address."""
    campaign = visitor.campaign
    links = links_of(campaign, visitor.channel) if campaign else Links("", keys()[0], visitor.channel, 0)
    return links.to(Purpose.PAGE, visitor.person.pk).removeprefix(links.base)


def agent_of(request: HttpRequest) -> str:
    return shown(request.headers.get("User-Agent", ""), at_most=200)
