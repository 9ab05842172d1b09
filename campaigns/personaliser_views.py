"""The settings page of those who write words for each person."""

from dataclasses import dataclass

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_http_methods

from accounts.access import MemberRequest, may
from campaigns.generated import chosen_of
from campaigns.personalisers import PERSONALISERS
from campaigns.personalising import choose_personaliser


@dataclass(frozen=True)
class Card:
    """One personaliser on the page."""

    name: str
    title: str
    about: str
    gives: tuple[str, ...]
    asks: list[str]
    is_on: bool


@require_GET
@may("manage")
def personalisers(request: MemberRequest) -> HttpResponse:
    cards = [
        Card(
            name=name,
            title=kind.title,
            about=kind.about,
            gives=kind.gives,
            asks=[field.replace("_", " ") for field in kind.asks],
            is_on=chosen_of(request.workspace, name).is_on,
        )
        for name, kind in PERSONALISERS.items()
    ]
    return render(request, "campaigns/personalisers.html", {"cards": cards})


@require_http_methods(["GET", "POST"])
@may("manage")
def personaliser(request: MemberRequest, name: str) -> HttpResponse:
    if name not in PERSONALISERS:
        raise Http404
    kind, chosen = PERSONALISERS[name], chosen_of(request.workspace, name)
    data = request.POST if request.method == "POST" else None
    options = kind.options(data, prefix="option", initial=kind.defaults() | chosen.options)
    if data is not None and options.is_valid():
        is_on = "is_on" in data
        choose_personaliser(request.workspace, name, is_on=is_on, options=options.cleaned_data, by=request.user)
        messages.success(request, f"{kind.title}: saved; it holds for what is sent from now on.")
        return redirect("personalisers")
    context = {
        "title": kind.title,
        "about": kind.about,
        "is_on": "is_on" in data if data is not None else chosen.is_on,
        "options": options,
    }
    return render(request, "campaigns/personaliser.html", context, status=422 if options.errors else 200)
