"""The pages of API keys: which there are, a new one whose secret is shown once, and revoking one."""

from datetime import datetime, time, timedelta

from django.conf import settings
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from accounts import api_keys, rates
from accounts.access import MemberRequest, may
from accounts.allowance import sends_of
from accounts.forms import KeyForm
from accounts.models import ApiKey, Workspace
from wires.meter import Standing

KEPT_AN_EYE_ON = 50  # keys of which it is told how often they were used just now


@never_cache
@require_http_methods(["GET", "POST"])
@may("manage")
def show_keys(request: MemberRequest) -> HttpResponse:
    form = KeyForm(request.membership.role, request.POST or None)
    if form.is_bound and form.is_valid():
        key, secret = make(request, form)
        return render(request, "accounts/api_key.html", {"key": key, "secret": secret})
    context = {
        "keys": keys_of(request.workspace),
        "sends": sends_of(request.workspace),
        "requests": settings.API_REQUESTS_PER_MINUTE,
        "form": form,
        "now": timezone.now(),
    }
    return render(request, "accounts/api_keys.html", context, status=422 if form.errors else 200)


def keys_of(workspace: Workspace) -> list[tuple[ApiKey, Standing | None]]:
    """Those in use first, each with how its requests stand."""
    keys = [*workspace.api_keys.select_related("made_by").order_by("-revoked_at", "-pk")]
    watched = {key.pk for key in keys[:KEPT_AN_EYE_ON] if key.is_usable}
    return [(key, rates.requests_of(key) if key.pk in watched else None) for key in keys]


def make(request: MemberRequest, form: KeyForm) -> tuple[ApiKey, str]:
    typed = form.cleaned_data
    until = None
    if last := typed["last_day"]:
        until = datetime.combine(last + timedelta(days=1), time(), request.workspace.zone)
    return api_keys.make_key(
        request.workspace, name=typed["name"], role=typed["role"], by=request.user, expires_at=until
    )


@require_http_methods(["GET", "POST"])
@may("manage")
def revoke_key(request: MemberRequest, pk: int) -> HttpResponse:
    key = get_object_or_404(request.workspace.api_keys, pk=pk)
    if request.method == "GET":
        return render(request, "accounts/api_key_revoke.html", {"key": key})
    if api_keys.revoke_key(key, by=request.user):
        messages.success(request, f"{key} is revoked: whoever asks with it is refused.")
    else:
        messages.warning(request, f"{key} was revoked before.")
    return redirect("api-keys")
