"""The dry run of a campaign over the API: begin one, and read what came of it."""

from datetime import datetime
from typing import Any, Literal

from ninja import Router, Schema, Status
from pydantic import Field

from accounts.access import KeyRequest, may
from accounts.unknown import Unknown
from campaigns.generated import uncounted
from campaigns.models import Campaign
from dispatcher import dry_runs
from dispatcher.api.campaigns import campaign_of
from dispatcher.compared import Line, compared
from dispatcher.models import DryRun, SkipReason

router = Router(tags=["before sending"])


class LineOut(Schema):
    what: str
    predicted: str
    really: str
    why: str = Field(description="What may make the two differ; empty where they are the same.")


class DryRunOut(Schema):
    """Everybody is looked at and every text made as a launch would, and nothing is handed over."""

    campaign_id: int
    state: Literal["running", "done", "overtaken", "failed"] = Field(
        description="overtaken: the campaign was changed or launched meanwhile."
    )
    looked_at: int
    expected: int | None = Field(description="People to look at; null before they are counted.")
    would_get_it: int
    skipped: dict[str, int] = Field(description="People left out, by reason.")
    too_long: int = Field(description="People whose own words make the text too long to be sent to them.")
    empty: int = Field(description="People who would get an empty text.")
    longest: int = Field(description="Characters of the longest text.")
    would_be_refused: int = Field(description="Messages that WhatsApp would refuse, as the template cannot take them.")
    parts: int | None = Field(description="null where they cannot be counted before words are generated.")
    price: float | None = Field(description="null where it is not known.")
    currency: str | None
    seconds: float | None = Field(description="About how long it would take; null where that is not known.")
    changed: str = Field(description="Why its numbers hold no longer, in a sentence; empty while they do.")
    compared: list[LineOut] = Field(description="What was predicted beside what was, once the campaign is launched.")
    begun_at: datetime
    ended_at: datetime | None


@router.post("campaigns/{campaign_id}/dry-run", response={202: DryRunOut}, summary="Begin a dry run")
@may("write")
def begin_dry_run(request: KeyRequest, campaign_id: int) -> Status[dict[str, Any]]:
    """A worker goes over everybody; of one that is under way no second one is begun."""
    campaign = campaign_of(request, campaign_id)
    return Status(202, shown(campaign, dry_runs.dry_run(campaign, by=request.auth)))


@router.get("campaigns/{campaign_id}/dry-run", response=DryRunOut, summary="Read the last dry run")
@may("read")
def show_dry_run(request: KeyRequest, campaign_id: int) -> dict[str, Any]:
    campaign = campaign_of(request, campaign_id)
    run = campaign.dry_runs.order_by("-pk").first()
    if run is None:
        raise Unknown("Dry run", campaign_id, f"“{campaign}” has no dry run yet; begin one by POST.")
    return shown(campaign, run)


def shown(campaign: Campaign, run: DryRun) -> dict[str, Any]:
    weights, is_done = run.weights, run.state == DryRun.State.DONE
    changed = dry_runs.what_changed(campaign, run) if is_done and campaign.is_editable else ""
    lines = compared(campaign, run) if is_done and campaign.launched_at else []
    return {
        "campaign_id": campaign.pk,
        "state": run.get_state_display(),
        "looked_at": run.looked_at,
        "expected": run.expected,
        "would_get_it": run.reached,
        "skipped": {reason.label: run.skips[reason] for reason in SkipReason},
        "too_long": weights.too_long,
        "empty": weights.empty,
        "longest": weights.longest,
        "would_be_refused": run.misfits.refused,
        "parts": None if uncounted(campaign) else weights.parts,
        "price": None if run.amount is None else float(run.amount),
        "currency": run.currency or None,
        "seconds": run.seconds,
        "changed": changed,
        "compared": [line_shown(line) for line in lines],
        "begun_at": run.begun_at,
        "ended_at": run.ended_at,
    }


def line_shown(line: Line) -> dict[str, str]:
    return {"what": line.what, "predicted": line.predicted, "really": line.really, "why": line.why}
