"""The people of a group, marked and changed together: on its own page, or on a board of several groups."""

from contextlib import suppress
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.views.decorators.http import require_GET, require_POST

from accounts.access import MemberRequest, may
from people import membership
from people.board import Board
from people.listing import Page
from people.membership import Regrouped
from people.models import MEMBERSHIP, Group
from people.patience import TookTooLong, counted_in_time, patience
from people.search import counted, number_in
from people.selecting import Marked, Members, NoSuchSegment

SURE_ABOVE = 1_000  # more people than this are changed only after a question
LISTED = 500


@require_GET
@may("read")
def members(request: MemberRequest, pk: int) -> HttpResponse:
    group = get_object_or_404(request.workspace.groups, pk=pk)
    asked = members_around(group, request.GET)
    page = page_of(asked, request)
    context = {
        "group": group,
        "asked": asked,
        "page": page,
        "count": page and asked.count(request.workspace, page),
        "size": size_of(group),
        "segments": request.workspace.segments.all()[:LISTED],
        "groups": request.workspace.groups.exclude(pk=group.pk)[:LISTED],
        "undo": request.session.pop("undo", None),
        "may_write": request.membership.may("write"),
    }
    return render(request, "people/members.html", context)


def members_around(group: Group, query: Any, *, outside: bool | None = None) -> Members:
    try:
        return Members.around(group, query, outside=outside)
    except NoSuchSegment:
        raise Http404 from None


def page_of(asked: Members, request: MemberRequest) -> Page | None:
    """None where looking takes longer than anybody waits."""
    before, after = (number_in(request.GET.get(word, "")) for word in ("before", "after"))
    with suppress(TookTooLong), patience():
        return asked.page(request.workspace, before=before, after=after)
    return None


@require_GET
@may("read")
def board(request: MemberRequest) -> HttpResponse:
    context = {
        "board": Board.of(request.workspace, request.GET),
        "undo": request.session.pop("undo", None),
        "may_write": request.membership.may("write"),
    }
    return render(request, "people/board.html", context)


@require_POST
@may("write")
def change(request: MemberRequest, pk: int, verb: str) -> HttpResponse:
    """Do with the marked people what the button says; with many of them only after a question."""
    group = get_object_or_404(request.workspace.groups, pk=pk)
    to = request.POST.get("to", "")
    target = get_object_or_404(request.workspace.groups, pk=number_in(to)) if to else None
    marked = Marked.of(members_around(group, request.POST, outside=verb == "put-in"), request.POST)
    if sentence := missing(verb, group, target, marked):
        return back(request, group, error=sentence)
    if "sure" not in request.POST and marked.everybody and is_large(marked):
        return ask(request, group, target, verb, marked)
    about = target or group
    before = size_of(about)
    done = carry_out(request, verb, group, target, marked)
    after = f" “{about}” had {before}, and has {size_of(about)} now."
    return back(request, group, said=done.words + (after if done.is_something else ""), done=done)


def missing(verb: str, group: Group, target: Group | None, marked: Marked) -> str:
    """What is still to be said before anything can be done, in a sentence."""
    if not marked.everybody and not marked.ids:
        return "Nobody is marked: tick the people first."
    if verb in ("move", "copy") and target is None:
        return f"Choose the group to {verb} them to."
    return f"They are in “{group}” already: choose another group." if target == group else ""


def carry_out(request: MemberRequest, verb: str, group: Group, target: Group | None, marked: Marked) -> Regrouped:
    if verb == "take-out":
        return membership.take_out(marked.people, group, by=request.user)
    if verb == "move" and target:
        return membership.move(marked.people, group, target, by=request.user)
    return membership.put_in(marked.people, target or group, by=request.user)


def is_large(marked: Marked) -> bool:
    """Also where it takes too long to say."""
    with suppress(TookTooLong), patience():
        return marked.people.order_by()[: SURE_ABOVE + 1].count() > SURE_ABOVE
    return True


def ask(request: MemberRequest, group: Group, target: Group | None, verb: str, marked: Marked) -> HttpResponse:
    context = {
        "group": group,
        "target": target,
        "verb": verb,
        "asked": marked.members,
        "count": counted_in_time(marked.people),
        "size": size_of(target or group),
        "action": reverse(f"group-{verb}", args=[group.pk]),
    }
    return render(request, "people/members_sure.html", context)


def back(
    request: MemberRequest, group: Group, *, said: str = "", error: str = "", done: Regrouped | None = None
) -> HttpResponse:
    """To the page it was asked on, with what happened and, while it can be, the way to take it back."""
    undo = undo_of(done) | {"said": said} if done and done.can_be_undone else None
    if request.htmx:
        board = Board.of(request.workspace, request.POST)
        context = {"board": board, "undo": undo, "said": said, "error": error, "may_write": True}
        return render(request, "people/_board.html", context, status=422 if error else 200)
    request.session["undo"] = undo
    if undo is None:
        (messages.error if error else messages.success)(request, error or said)
    if "board" in request.POST:
        shown = urlencode({"show": request.POST.getlist("show")}, doseq=True)
        return redirect(f"{reverse('group-board')}?{shown}")
    query = members_around(group, request.POST).query
    return redirect(f"{reverse('group-people', args=[group.pk])}{'?' if query else ''}{query}")


def undo_of(done: Regrouped) -> dict:
    """What the Undo button sends back."""
    return {
        "into": done.into and done.into.pk,
        "out_of": done.out_of and done.out_of.pk,
        "joined": done.joined_ids,
        "left": done.left_ids,
    }


@require_POST
@may("write")
def undo(request: MemberRequest) -> HttpResponse:
    """Take the last change back, as the page that told of it names it."""
    into, out_of = (named(request, word) for word in ("into", "out_of"))
    joined, left = (
        [number for typed in request.POST.getlist(word)[: membership.MOST_UNDONE] if (number := number_in(typed))]
        for word in ("joined", "left")
    )
    membership.undo(request.workspace, by=request.user, into=into, out_of=out_of, joined=joined, left=left)
    here = named(request, "here") or into or out_of
    if here is None:
        return redirect("groups")
    return back(request, here, said="That is undone.")


def named(request: MemberRequest, word: str) -> Group | None:
    number = request.POST.get(word, "")
    return get_object_or_404(request.workspace.groups, pk=number_in(number)) if number else None


def size_of(group: Group) -> str:
    return counted(MEMBERSHIP.objects.filter(group=group))
