"""The pages on which a campaign is scheduled, and those of a series."""

from http import HTTPStatus
from typing import Any

from django.contrib import messages
from django.db.models import F, OuterRef, Prefetch, Subquery
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods

from accounts.access import MemberRequest, may
from accounts.rates import RateLimited
from campaigns.copying import SeriesEnded
from campaigns.half_linked import StillLinking
from campaigns.models import Campaign, IllegalMove, Recurrence, StatusChange
from campaigns.schedule_forms import ScheduleForm, as_repeated, as_scheduled
from campaigns.when import InvalidTime
from dispatcher import operations, recurring
from dispatcher.check import DraftChanged, schedule_as_checked
from dispatcher.readiness import LaunchRefused
from dispatcher.typed import WrongNumber
from dispatcher.views import draw_check, found, page, see
from people.search import number_in

Status = Campaign.Status
OCCURRENCES = 20  # shown at once
SERIES = 50  # on a page of the list


@require_http_methods(["GET", "POST"])
@may("send")
def schedule(request: MemberRequest, pk: int) -> HttpResponse:
    """From the check page: schedule what was checked. By itself: the page on which the time is changed."""
    campaign = found(request, pk)
    if "checked" in request.POST:
        return schedule_checked(request, campaign)
    if campaign.status == Status.DRAFT:
        return redirect(f"{reverse('check', args=[pk])}#schedule")
    if campaign.status != Status.SCHEDULED:
        messages.warning(request, f"“{campaign}” is {campaign.get_status_display()}; its time cannot be changed.")
        return see(pk)
    if request.method == "GET":
        return draw_time(request, campaign, ScheduleForm(request.workspace, initial=as_scheduled(campaign)))
    return change_time(request, campaign)


def schedule_checked(request: MemberRequest, campaign: Campaign) -> HttpResponse:
    form = ScheduleForm(request.workspace, request.POST)
    if not form.is_valid():
        return draw_check(request, campaign, status=HTTPStatus.UNPROCESSABLE_ENTITY, form=form)
    seal, number = request.POST["checked"], request.POST.get("number", "")
    try:
        schedule_as_checked(campaign, seal, form.first, by=request.user, number=number, **repeated(form))
    except DraftChanged as fact:
        return draw_check(request, found(request, campaign.pk), status=HTTPStatus.CONFLICT, changed=fact, form=form)
    except WrongNumber as fact:
        campaign = found(request, campaign.pk)
        return draw_check(request, campaign, status=HTTPStatus.UNPROCESSABLE_ENTITY, wrong=fact, form=form)
    except (RateLimited, StillLinking) as fact:
        form.add_error("time", str(fact))
        return draw_check(request, found(request, campaign.pk), status=status_of(fact), form=form)
    except LaunchRefused:  # the page says why
        return draw_check(request, found(request, campaign.pk), status=HTTPStatus.UNPROCESSABLE_ENTITY, form=form)
    except IllegalMove:
        campaign = found(request, campaign.pk)
        when = f" for {campaign.start_words}" if campaign.status == Status.SCHEDULED else ""
        messages.warning(
            request, f"Nothing was changed by this: “{campaign}” is already {campaign.get_status_display()}{when}."
        )
    else:
        messages.success(request, f"Scheduled. {form.sentence}")
    return see(campaign.pk)


def status_of(fact: RateLimited | StillLinking) -> int:
    return HTTPStatus.TOO_MANY_REQUESTS if isinstance(fact, RateLimited) else HTTPStatus.CONFLICT


def repeated(form: ScheduleForm) -> dict:
    return {"rule": form.rule, "until": form.last_day, "count": form.times}


def change_time(request: MemberRequest, campaign: Campaign) -> HttpResponse:
    form = ScheduleForm(request.workspace, request.POST)
    if not form.is_valid():
        return draw_time(request, campaign, form, status=HTTPStatus.UNPROCESSABLE_ENTITY)
    seen = campaign.scheduled_at
    if seen is None or request.POST.get("seen") != seen.isoformat():
        return draw_time(request, campaign, form, status=HTTPStatus.CONFLICT, changed=operations.TimeChanged(campaign))
    try:
        operations.change_time(campaign, at=form.first, by=request.user, over=seen)
    except operations.TimeChanged as fact:
        return draw_time(request, found(request, campaign.pk), form, status=HTTPStatus.CONFLICT, changed=fact)
    except RateLimited as fact:
        form.add_error("time", str(fact))
        return draw_time(request, campaign, form, status=HTTPStatus.TOO_MANY_REQUESTS)
    except IllegalMove:
        messages.warning(request, f"The time was not changed: “{campaign}” is not scheduled any more.")
    else:
        messages.success(request, f"The time is changed. {form.sentence}")
    return see(campaign.pk)


def draw_time(
    request: MemberRequest,
    campaign: Campaign,
    form: ScheduleForm,
    *,
    status: int = 200,
    changed: operations.TimeChanged | None = None,
) -> HttpResponse:
    seen = campaign.scheduled_at.isoformat() if campaign.scheduled_at else ""
    about = {"campaign": campaign, "form": form, "changed": changed, "seen": seen}
    return page(request, "schedule", about, status=status)


@require_GET
@may("send")
def when(request: MemberRequest) -> HttpResponse:
    """The sentence that says when that is, for what is chosen so far. Changes nothing."""
    # In the form of a rule the times are counted after those of its series that passed.
    series = request.workspace.series.filter(pk=number_in(request.GET.get("series", "")) or 0).first()
    form = ScheduleForm(request.workspace, request.GET, passed=recurring.passed(series) if series else 0)
    return render(request, "dispatcher/_instant.html", {"form": form, "is_valid": form.is_valid()})


# --- series ---


@require_GET
def all_series(request: MemberRequest) -> HttpResponse:
    """Those that go on, then those that have ended, the newest of each first."""
    number = number_in(request.GET.get("page", "")) or 1
    start = (min(number, 1_000_000) - 1) * SERIES
    found = request.workspace.series.order_by("-ended_at", "-pk").defer("body")
    waiting = Campaign.objects.filter(status=Status.SCHEDULED, nth=F("series__made")).select_related("workspace")
    found = found.prefetch_related(Prefetch("occurrences", waiting.defer("body"), to_attr="waiting"))
    shown = list(found[start : start + SERIES + 1])
    about = {
        "all_series": shown[:SERIES],
        "number": number,
        "following": number + 1 if len(shown) > SERIES else None,
        "may_send": request.membership.may("send"),
    }
    return page(request, "all_series", about)


@require_GET
def series(request: MemberRequest, pk: int) -> HttpResponse:
    series = found_series(request, pk)
    before = number_in(request.GET.get("before", ""))
    last_reason = StatusChange.objects.filter(campaign=OuterRef("pk")).values("reason")[:1]
    occurrences = series.occurrences.select_related("workspace").defer("body").order_by("-nth")
    occurrences = occurrences.annotate(last_reason=Subquery(last_reason))
    if before:
        occurrences = occurrences.filter(nth__lt=min(before, 2**31 - 1))
    shown = list(occurrences[: OCCURRENCES + 1])
    about = {
        "series": series,
        "next": series.next_one(),
        "occurrences": shown[:OCCURRENCES],
        "older": shown[OCCURRENCES - 1].nth if len(shown) > OCCURRENCES else None,
        "before": before,
        "may_send": request.membership.may("send"),
    }
    return page(request, "series", about)


@require_http_methods(["GET", "POST"])
@may("send")
def skip(request: MemberRequest, pk: int) -> HttpResponse:
    """Asks first: what was written for this one alone does not come again."""
    series = found_series(request, pk)
    if request.method == "GET":
        if following := series.next_one():
            is_changed = recurring.is_changed(following, series)
            return page(request, "series_skip", {"series": series, "next": following, "is_changed": is_changed})
        messages.warning(request, "There is none to skip just now.")
        return see_series(pk)
    nth = number_in(request.POST.get("nth", ""))
    if not nth:
        raise Http404
    try:
        following = recurring.skip_next(series, by=request.user, nth=nth)
    except (SeriesEnded, recurring.NextChanged) as fact:
        messages.warning(request, str(fact))
    else:
        goes_on = f"The next one is on {following.start_words}." if following else "It was the last of the series."
        messages.success(request, f"Skipped. {goes_on}")
    return see_series(pk)


@require_http_methods(["GET", "POST"])
@may("send")
def end(request: MemberRequest, pk: int) -> HttpResponse:
    series = found_series(request, pk)
    if request.method == "GET" and not series.ended_at:
        return page(request, "series_end", {"series": series, "next": series.next_one()})
    try:
        recurring.end_series(series, by=request.user)
    except SeriesEnded as fact:
        messages.warning(request, str(fact))
    else:
        messages.success(request, "The series has ended. What was sent of it stays as it is.")
    return see_series(pk)


@require_http_methods(["GET", "POST"])
@may("send")
def rule(request: MemberRequest, pk: int) -> HttpResponse:
    series = found_series(request, pk)
    passed = recurring.passed(series)
    if request.method == "GET":
        start = max(series.made_on, timezone.localdate(timezone=request.workspace.zone))
        shown = as_repeated(series, start, passed)
        return draw_rule(request, series, ScheduleForm(request.workspace, initial=shown, passed=passed))
    form = ScheduleForm(request.workspace, request.POST, passed=passed)
    if form.is_valid() and form.rule is None:
        form.add_error("repeat", "Choose how it repeats, or end the series.")
    if not form.is_valid() or form.rule is None:
        return draw_rule(request, series, form, status=HTTPStatus.UNPROCESSABLE_ENTITY)
    seen = request.POST.get("seen") or "nothing"
    ends: dict[str, Any] = {"until": form.last_day, "times": form.times}
    try:
        recurring.change_rule(series, form.rule, form.first, by=request.user, over=seen, **ends)
    except recurring.SeriesChanged as fact:
        return draw_rule(request, found_series(request, pk), form, status=HTTPStatus.CONFLICT, changed=fact)
    except RateLimited as fact:
        form.add_error("time", str(fact))
        return draw_rule(request, series, form, status=HTTPStatus.TOO_MANY_REQUESTS)
    except InvalidTime as refusal:
        for field, sentence in refusal.errors.items():
            form.add_error(field, sentence)
        return draw_rule(request, series, form, status=HTTPStatus.UNPROCESSABLE_ENTITY)
    except (SeriesEnded, IllegalMove) as fact:
        messages.warning(request, str(fact))
    else:
        messages.success(request, f"The rule is changed. {form.sentence}")
    return see_series(pk)


def draw_rule(
    request: MemberRequest,
    series: Recurrence,
    form: ScheduleForm,
    *,
    status: int = 200,
    changed: recurring.SeriesChanged | None = None,
) -> HttpResponse:
    about = {"series": series, "form": form, "changed": changed, "seen": recurring.standing(series)}
    return page(request, "series_rule", about, status=status)


def found_series(request: MemberRequest, pk: int) -> Recurrence:
    return get_object_or_404(request.workspace.series.select_related("workspace", "created_by"), pk=pk)


def see_series(pk: int) -> HttpResponse:
    response = redirect("series", pk)
    response.status_code = HTTPStatus.SEE_OTHER
    return response
