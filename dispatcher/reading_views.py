"""The part of a page that shows a campaign's text as one person after another gets it."""

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_GET

from accounts.access import MemberRequest, may
from dispatcher.reading import reading_of


@require_GET
@may("read")
def reading(request: MemberRequest, pk: int) -> HttpResponse:
    campaign = get_object_or_404(request.workspace.campaigns.select_related("workspace"), pk=pk)
    about = {
        "campaign": campaign,
        "reading": reading_of(campaign, request.GET),
        "may_write": request.membership.may("write"),
    }
    return render(request, "dispatcher/_reading.html", about)
