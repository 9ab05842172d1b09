"""The page of what is set for the moment before a campaign goes out."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from accounts.access import MemberRequest, may
from campaigns.before_sending import change_before_sending
from campaigns.before_sending_forms import BeforeSendingForm


@require_http_methods(["GET", "POST"])
@may("manage")
def before_sending(request: MemberRequest) -> HttpResponse:
    form = BeforeSendingForm(request.workspace, request.POST if request.method == "POST" else None)
    if form.is_bound and form.is_valid():
        change_before_sending(request.workspace, by=request.user, **form.settings)
        messages.success(request, "The settings are saved.")
        return redirect("before-sending")
    return render(request, "campaigns/before_sending.html", {"form": form}, status=422 if form.errors else 200)
