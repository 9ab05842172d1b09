"""The buttons with which a colleague notes what a person wishes."""

from collections.abc import Callable

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_POST

from accounts.access import MemberRequest, may
from people.channels import Channel
from people.consent import How
from people.plain import NotPlain, plain


@require_POST
@may("write")
def wish(request: MemberRequest, pk: int, operation: Callable, done: str, needs_reason: bool = False) -> HttpResponse:
    """One channel, or all of them. Whoever lets somebody in again says how that person agreed."""
    person = get_object_or_404(request.workspace.recipients, pk=pk)
    channel = channel_asked(request)
    try:
        reason = plain(request.POST.get("reason", ""), "The reason", at_most=300)
    except NotPlain as refusal:
        messages.error(request, f"Nothing was changed. {refusal}")
    else:
        if needs_reason and not reason:
            messages.error(request, "Nothing was changed. Say how they agreed to get messages again.")
        elif operation(person, how=How.COLLEAGUE, by=request.user, channel=channel, reason=reason):
            messages.success(request, f"{person} {done} {channel.label if channel else 'everything'}.")
    return redirect("person", pk)


def channel_asked(request: MemberRequest) -> Channel | None:
    asked = request.POST.get("channel", "")
    if asked and asked.upper() not in Channel.__members__:
        raise Http404
    return Channel[asked.upper()] if asked else None
