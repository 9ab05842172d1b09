"""The page of a dry run: begin one, watch it, and hold it beside what really happened."""

from http import HTTPStatus
from typing import Any

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods

from accounts.access import MemberRequest, may
from campaigns.authoring import NotEditable
from campaigns.generated import uncounted
from campaigns.models import Campaign
from dispatcher import dry_runs
from dispatcher.compared import compared
from dispatcher.fitting import by_name
from dispatcher.models import SKIP_WORDS, DryRun
from dispatcher.readiness import LaunchRefused, refuse_unwritten
from dispatcher.words import duration
from people.models import Recipient

NAMED = 20  # people named of each kind


@require_http_methods(["GET", "POST"])
@may("read")
def dry_run(request: MemberRequest, pk: int) -> HttpResponse:
    campaign = found(request, pk)
    return begin(request, campaign) if request.method == "POST" else draw(request, campaign)


@may("write")
def begin(request: MemberRequest, campaign: Campaign) -> HttpResponse:
    try:
        dry_runs.dry_run(campaign, by=request.user)
    except (NotEditable, LaunchRefused) as refusal:
        return draw(request, campaign, refusal)
    answer = redirect(reverse("dry_run", args=[campaign.pk]))
    answer.status_code = HTTPStatus.SEE_OTHER
    return answer


@require_GET
@may("read")
def dry_run_live(request: MemberRequest, pk: int) -> HttpResponse:
    """How far it is, or what came of it."""
    campaign = found(request, pk)
    context = about(campaign)
    answer = render(request, "dispatcher/_dry_run.html", context)
    if not (context["run"] and context["run"].is_running):
        answer["HX-Refresh"] = "true"  # the buttons below it are others now
    return answer


def found(request: MemberRequest, pk: int) -> Campaign:
    return get_object_or_404(request.workspace.campaigns.select_related("workspace"), pk=pk)


def draw(request: MemberRequest, campaign: Campaign, refusal: Exception | None = None) -> HttpResponse:
    context = about(campaign) | {"may_write": request.membership.may("write"), "refusal": refusal or why_not(campaign)}
    status = HTTPStatus.UNPROCESSABLE_ENTITY if refusal else HTTPStatus.OK
    return render(request, "dispatcher/dry_run.html", context, status=status)


def why_not(campaign: Campaign) -> Exception | None:
    if not campaign.is_editable:
        return None
    try:
        refuse_unwritten(campaign)
    except LaunchRefused as refusal:
        return refusal
    return None


def about(campaign: Campaign) -> dict[str, Any]:
    run = campaign.dry_runs.select_related("by").order_by("-pk").first()
    context: dict[str, Any] = {"campaign": campaign, "run": run}
    if run is None or run.state != DryRun.State.DONE:
        return context
    weights = run.weights
    return context | {
        "weights": weights,
        "takes": "" if run.seconds is None else duration(run.seconds),
        "skips": [(reason.label, SKIP_WORDS[reason], count) for reason, count in run.skips.items() if count],
        "uncounted": uncounted(campaign),
        "parts": sorted(weights.by_parts.items()),
        "too_long": named(campaign, weights.too_long_of),
        "refused": run.misfits.refused,
        "misfits": by_name(campaign, run.misfits),
        "empty": named(campaign, weights.empty_of),
        "longest": named(campaign, [weights.longest_of] if weights.longest_of else []),
        "changed": dry_runs.what_changed(campaign, run) if campaign.is_editable else "",
        "lines": compared(campaign, run) if campaign.launched_at else [],
    }


def named(campaign: Campaign, ids: list[int]) -> list[Recipient]:
    """Those of them who are still here."""
    return list(campaign.workspace.recipients.filter(pk__in=ids[:NAMED]).order_by("pk"))
