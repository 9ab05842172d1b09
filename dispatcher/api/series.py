"""Series over the API: campaigns that come again, read, begun, given another rule, skipped once and ended."""

from datetime import datetime
from typing import Any

from django.db.models import F, Prefetch
from ninja import Query, Router

from accounts.access import KeyRequest, may
from accounts.paging import Paging, page_of
from accounts.unknown import numbered
from campaigns.models import Campaign, Recurrence
from campaigns.rules import Unit
from dispatcher import recurring
from dispatcher.api.campaigns import campaign_of
from dispatcher.api.rules import (
    DAYS,
    OccurrencePage,
    SeriesChange,
    SeriesIn,
    SeriesOut,
    SeriesPage,
    SkipIn,
    as_typed,
    kept,
    read,
)
from dispatcher.check import refuse_unless_schedulable
from people.channels import Channel

router = Router(tags=["series"])
NEXT = SkipIn()


@router.post("campaigns/{campaign_id}/repeat", response=SeriesOut, summary="Schedule a draft as the first of a series")
@may("send")
def repeat_campaign(request: KeyRequest, campaign_id: int, series: SeriesIn) -> dict[str, Any]:
    """Each that follows is a campaign of its own, made when the one before has started."""
    campaign = campaign_of(request, campaign_id)
    said = read(request.workspace, as_typed(series.model_dump()))
    refuse_unless_schedulable(campaign)
    begun = recurring.repeat(campaign, said.rule, said.first, by=request.auth, until=said.until, count=said.times)
    return shown(series_of(request, begun.series_id))


@router.get("series", response=SeriesPage, summary="List series, newest first")
@may("read")
def list_series(request: KeyRequest, asked: Query[Paging]) -> dict[str, Any]:
    found, pagination = page_of(with_next(request), asked)
    return {"data": [shown(series) for series in found], "pagination": pagination}


@router.get("series/{series_id}", response=SeriesOut, summary="Look at a series")
@may("read")
def show_series(request: KeyRequest, series_id: int) -> dict[str, Any]:
    return shown(series_of(request, series_id))


@router.get("series/{series_id}/campaigns", response=OccurrencePage, summary="List the campaigns of a series")
@may("read")
def list_occurrences(request: KeyRequest, series_id: int, asked: Query[Paging]) -> dict[str, Any]:
    """The newest first."""
    occurrences = series_of(request, series_id).occurrences.defer("body", "html", "plain")
    found, pagination = page_of(occurrences, asked)
    return {"data": [occurrence_row(campaign) for campaign in found], "pagination": pagination}


@router.patch("series/{series_id}", response=SeriesOut, summary="Give a series another rule")
@may("send")
def change_rule(request: KeyRequest, series_id: int, series: SeriesChange) -> dict[str, Any]:
    """From now on; the one that waits moves to the first of the new days."""
    known = series_of(request, series_id)
    seen, passed = recurring.standing(known), recurring.passed(known)
    start = max(known.made_on, datetime.now(request.workspace.zone).date())
    rule, first, until, times = read(request.workspace, kept(known, start, passed, series), passed)
    recurring.change_rule(known, rule, first, by=request.auth, until=until, times=times, over=seen)
    return shown(series_of(request, series_id))


@router.post("series/{series_id}/skip", response=SeriesOut, summary="Leave out the one that comes next")
@may("send")
def skip_next(request: KeyRequest, series_id: int, which: SkipIn = NEXT) -> dict[str, Any]:
    """What was written for this one alone does not come again."""
    recurring.skip_next(series_of(request, series_id), by=request.auth, nth=which.nth)
    return shown(series_of(request, series_id))


@router.post("series/{series_id}/end", response=SeriesOut, summary="End a series")
@may("send")
def end_series(request: KeyRequest, series_id: int) -> dict[str, Any]:
    """The one that waits is cancelled; what was sent of it stays as it is."""
    recurring.end_series(series_of(request, series_id), by=request.auth)
    return shown(series_of(request, series_id))


def series_of(request: KeyRequest, number: int | None) -> Recurrence:
    """Raises Unknown."""
    return numbered(with_next(request), "Series", number or 0)


def with_next(request: KeyRequest) -> Any:
    """The series of the workspace, each with the one that waits; in as many queries for many as for one."""
    waiting = Campaign.objects.filter(status=Campaign.Status.SCHEDULED, nth=F("series__made")).defer("body")
    series = request.workspace.series.select_related("workspace", "created_by")
    return series.prefetch_related(Prefetch("occurrences", waiting, to_attr="waiting"))


def shown(series: Recurrence) -> dict[str, Any]:
    unit, following = Unit(series.unit), next(iter(series.waiting), None)  # type: ignore[attr-defined]
    return {
        "id": series.pk,
        "name": series.name,
        "channel": Channel(series.channel).word,
        "priority": series.get_priority_display(),
        "rule": series.words,
        "repeat": unit.name.lower(),
        "starts": series.starts,
        "time": f"{series.time:%H:%M}",
        "timezone": series.zone,
        "weekdays": [DAYS[number] for number in series.weekdays],
        "day": series.number if unit == Unit.MONTHLY else None,
        "every": series.number if unit == Unit.DAILY else None,
        "until": series.until,
        "count": series.count,
        "made": series.made,
        "next": next_row(following) if following and not series.ended_at else None,
        "ended_at": series.ended_at,
        "created_at": series.created_at,
    }


def next_row(campaign: Campaign) -> dict[str, Any]:
    return {"campaign_id": campaign.pk, "nth": campaign.nth, "scheduled_at": campaign.scheduled_at}


def occurrence_row(campaign: Campaign) -> dict[str, Any]:
    about = {"name": campaign.name, "status": campaign.get_status_display()}
    return next_row(campaign) | about
