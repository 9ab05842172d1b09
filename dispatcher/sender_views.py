"""The settings page of senders: by which one a workspace writes, a test of it, and a rehearsed outage."""

from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts.access import MemberRequest, may
from accounts.models import Workspace
from dispatcher import choose
from dispatcher.chosen import Chosen, chosen_sender
from dispatcher.models import ChosenSender
from dispatcher.sender_forms import SenderForm, TestForm
from dispatcher.senders import SENDERS, senders_of
from dispatcher.senders.parcel import Options
from dispatcher.tryout import send_test
from dispatcher.words import capital
from people.channels import Channel


@dataclass(frozen=True)
class Card:
    """One channel on the page: by whom it goes out now, and what is wrong with that."""

    channel: Channel
    chosen: Chosen
    limit: float | None
    trouble: str
    test: TestForm

    @property
    def word(self) -> str:
        return self.channel.word

    @property
    def heading(self) -> str:
        return capital(self.channel.label)

    @property
    def title(self) -> str:
        return self.chosen.kind.title if self.chosen.is_known else f"“{self.chosen.sender}”, which does not exist"


@require_GET
@may("manage")
def senders(request: MemberRequest) -> HttpResponse:
    return _page(request)


def _page(request: MemberRequest, refused: TestForm | None = None) -> HttpResponse:
    cards = [_card(request, channel, refused) for channel in Channel]
    context = {
        "cards": cards,
        "can_rehearse": any(card.chosen.sender == "simulated" for card in cards),
        **_outage(request.workspace),
        "seconds": choose.OUTAGE_SECONDS,
    }
    return render(request, "dispatcher/senders.html", context, status=422 if refused else 200)


def _card(request: MemberRequest, channel: Channel, refused: TestForm | None) -> Card:
    workspace = request.workspace
    chosen = chosen_sender(workspace.pk, channel)
    own = {"to": request.user.email if channel == Channel.EMAIL else ""}
    test = refused if refused and refused.channel == channel else TestForm(channel, initial=own)
    limit = choose.limit_of(workspace, channel, chosen.sender)
    return Card(channel, chosen, limit, choose.trouble_of(chosen.lane), test)


@require_http_methods(["GET", "POST"])
@may("manage")
def sender(request: MemberRequest, word: str) -> HttpResponse:
    """By whom one channel goes out: choose a sender by link, then fill in what it wants to know."""
    channel, possible = _channel(word), senders_of(_channel(word))
    chosen = chosen_sender(request.workspace.pk, channel)
    name = request.GET.get("sender", chosen.sender)
    if name not in possible:
        name = next(iter(possible))
    form, options = _forms(request, channel, name)
    if request.method == "POST" and form.is_valid() & options.is_valid():
        typed = {"from_name": ""} | form.cleaned_data
        choose.choose(request.workspace, channel, sender=name, **typed, options=options.cleaned_data, by=request.user)
        messages.success(request, f"{capital(channel.label)} goes out by {SENDERS[name].title} from now on.")
        return redirect(f"{reverse('senders')}#{word}")
    context = {
        "channel": channel,
        "heading": capital(channel.label),
        # Not the classes themselves: a template would call them.
        "possible": [(each, kind.title) for each, kind in possible.items()],
        "name": name,
        "title": possible[name].title,
        "about": possible[name].about,
        "chosen": chosen,
        "form": form,
        "options": options,
        "errors": bool(form.errors or options.errors),
    }
    return render(request, "dispatcher/senders_edit.html", context, status=422 if context["errors"] else 200)


def _forms(request: MemberRequest, channel: Channel, name: str) -> tuple[SenderForm, Options]:
    row = ChosenSender.objects.filter(workspace=request.workspace, channel=channel).first()
    kind = SENDERS[name]
    stored = row.options if row and row.sender == name else {}
    # The installation's own account, where a sender needs one, is not for everybody's eyes.
    shown = stored if stored or kind.options.secrets else kind.defaults()
    shown = {key: value for key, value in shown.items() if key not in kind.options.secrets}
    limit = choose.limit_of(request.workspace, channel, name)
    initial = {
        "from_name": row.from_name if row else "",
        "from_address": row.from_address if row else "",
        "limit": f"{limit:g}" if limit else None,
    }
    data = request.POST if request.method == "POST" else None
    return SenderForm(channel, data, initial), kind.options(data, prefix="option", initial=shown, stored=stored)


@require_POST
@may("manage")
def test_sender(request: MemberRequest, word: str) -> HttpResponse:
    channel = _channel(word)
    form = TestForm(channel, request.POST)
    if not form.is_valid():
        return _page(request, form)
    answer = send_test(request.workspace, channel, form.cleaned_data["to"], by=request.user)
    (messages.success if answer.accepted else messages.error)(request, answer.sentence)
    return redirect(f"{reverse('senders')}#{word}")


@require_POST
@may("manage")
def begin_outage(request: MemberRequest) -> HttpResponse:
    choose.begin_outage(request.workspace, by=request.user)
    return redirect(f"{reverse('senders')}#outage")


@require_POST
@may("manage")
def end_outage(request: MemberRequest) -> HttpResponse:
    ended = choose.end_outage(request.workspace, by=request.user)
    messages.success(request, "The outage is over." if ended else "The outage was over already.")
    return redirect(f"{reverse('senders')}#outage")


@require_GET
@may("manage")
def outage(request: MemberRequest) -> HttpResponse:
    """The part of the page that counts down."""
    return render(request, "dispatcher/_outage.html", _outage(request.workspace))


def _outage(workspace: Workspace) -> dict[str, Any]:
    until = choose.outage_until(workspace)
    left = (until - timezone.now()).total_seconds() if until else 0
    return {"until": until, "left": max(1, round(left))}


def _channel(word: str) -> Channel:
    try:
        return next(channel for channel in Channel if channel.word == word)
    except StopIteration:
        raise Http404 from None
