"""The pages of a workspace: its settings, a new one, and from one to another."""

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from accounts import workspaces
from accounts.access import MemberRequest, is_inside, may
from accounts.forms import SettingsForm, WorkspaceForm
from accounts.members import NotPossible
from accounts.workspaces import SETTINGS
from accounts.zones import ZONES


@require_http_methods(["GET", "POST"])
@may("manage")
def workspace_settings(request: MemberRequest) -> HttpResponse:
    initial = {field: getattr(request.workspace, field) for field in SETTINGS}
    form = SettingsForm(request.POST or None, initial=initial)
    if form.is_bound and form.is_valid():
        try:
            workspaces.change_settings(request.workspace, by=request.user, **form.cleaned_data)
        except NotPossible as refusal:
            form.add_error("requires_two_factor", str(refusal))
        else:
            messages.success(request, "The settings are saved.")
            return redirect("settings")
    context = {"form": form, "zones": ZONES}
    return render(request, "accounts/settings.html", context, status=422 if form.errors else 200)


@require_http_methods(["GET", "POST"])
def new_workspace(request: MemberRequest) -> HttpResponse:
    workspaces.demand_trust(request.user, request.memberships)
    form = WorkspaceForm(request.POST or None, initial={"time_zone": "UTC"})
    if form.is_bound and form.is_valid():
        workspace = workspaces.make_workspace(**form.cleaned_data, by=request.user)
        request.session["workspace"] = workspace.pk
        messages.success(request, f"{workspace} is made, and you are its owner.")
        return redirect("campaigns")
    context = {"form": form, "zones": ZONES, "plain": not is_inside(request)}
    return render(request, "accounts/new_workspace.html", context, status=422 if form.errors else 200)


@require_POST
def switch_workspace(request: MemberRequest) -> HttpResponse:
    """Work in another of one's own workspaces from now on."""
    asked = request.POST.get("workspace", "")
    chosen = next((each for each in request.memberships if str(each.workspace_id) == asked), None)
    if chosen is None:
        raise PermissionDenied("You are not a member of that workspace.")
    request.session["workspace"] = chosen.workspace_id
    return redirect("campaigns")
