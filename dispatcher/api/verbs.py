"""What may be asked of a campaign over the API: the verbs of its pages."""

from collections.abc import Callable
from typing import Annotated, Any

from ninja import Router, Schema, Status
from pydantic import Field

from accounts.access import KeyRequest, may
from accounts.allowance import sends_of
from accounts.unknown import numbered
from campaigns.api import templates
from campaigns.api.templates import TemplateOut
from campaigns.copying import duplicate
from campaigns.library import free_name, save_as_template
from campaigns.models import Campaign
from dispatcher import operations, shelf
from dispatcher.api import admission
from dispatcher.api.answers import CampaignOut
from dispatcher.api.campaigns import campaign_of, draw
from dispatcher.api.shapes import PriorityWord, TimeIn
from dispatcher.books import books_of
from dispatcher.check import refuse_unless_schedulable
from people.api.shapes import Number

router = Router(tags=["verbs"])


class EnqueuedOut(Schema):
    ok: bool
    created: int | None = Field(description="Messages of the campaign; null while they are being prepared.")
    campaignId: int


class NamedIn(Schema, extra="forbid"):
    id: Number


class QueuedOut(Schema):
    status: str
    campaign_id: int


class PriorityIn(Schema, extra="forbid"):
    priority: PriorityWord


class TemplateNameIn(Schema, extra="forbid"):
    name: Annotated[str | None, Field(description="Of the template; else that of the campaign, if it is free.")] = None


ITS_NAME = TemplateNameIn()


@router.post(
    "campaigns/send",
    response={200: QueuedOut, 202: QueuedOut},
    summary="Send a campaign to its saved people",
    operation_id="send_saved_campaign",
)
@may("send")
def send_saved(request: KeyRequest, campaign: NamedIn) -> Status[dict]:
    known = numbered(request.workspace.campaigns, "Campaign", campaign.id)
    launched = operations.launch(known, by=request.auth)
    admission.note(request, sends_of(request.workspace))
    return Status(status_of(launched), {"status": "queued", "campaign_id": launched.pk})


@router.post(
    "campaigns/{campaign_id}/enqueue",
    response={200: EnqueuedOut, 202: EnqueuedOut},
    summary="Send a campaign to its saved people, and say how many",
    operation_id="enqueue_campaign",
)
@may("send")
def enqueue(request: KeyRequest, campaign_id: int) -> Status[dict]:
    launched = operations.launch(campaign_of(request, campaign_id), by=request.auth)
    admission.note(request, sends_of(request.workspace))
    created = None if launched.status == Campaign.Status.PREPARING else books_of(launched).pending
    return Status(status_of(launched), {"ok": True, "created": created, "campaignId": launched.pk})


def status_of(launched: Campaign) -> int:
    return 202 if launched.status == Campaign.Status.PREPARING else 200


def offer(
    verb: str, operation: Callable[..., Campaign], summary: str, ability: str = "send", status: int = 200
) -> None:
    """A route for a verb that needs nothing but its campaign; it answers with the campaign as it is then."""

    @router.post(
        f"campaigns/{{campaign_id}}/{verb}",
        response={status: CampaignOut},
        summary=summary,
        operation_id=f"{verb}_campaign",
    )
    @may(ability)
    def route(request: KeyRequest, campaign_id: int) -> Status[dict]:
        return Status(status, draw(operation(campaign_of(request, campaign_id), by=request.auth)))


offer("pause", operations.pause, "Stop handing over")
offer("resume", operations.resume, "Go on where it was paused")
offer("cancel", operations.cancel, "Send nothing more, for good")
offer("unschedule", operations.unschedule, "Back to a draft")
offer("duplicate", duplicate, "A new draft like it", "write", 201)
offer("undo", operations.undo, "Take back a send of which nobody got anything yet")
offer("archive", shelf.archive, "Hide what is over from the list")
offer("unarchive", shelf.unarchive, "Show it in the list again")


@router.post(
    "campaigns/{campaign_id}/schedule",
    response=CampaignOut,
    summary="Let a draft start by itself",
    operation_id="schedule_campaign",
)
@may("send")
def schedule(request: KeyRequest, campaign_id: int, when: TimeIn) -> dict[str, Any]:
    """Of one that is scheduled already, the time is changed."""
    campaign = campaign_of(request, campaign_id)
    if campaign.status == Campaign.Status.DRAFT:
        refuse_unless_schedulable(campaign)
    is_scheduled = campaign.status == Campaign.Status.SCHEDULED
    operation = operations.change_time if is_scheduled else operations.schedule
    return draw(operation(campaign, at=when.meant, by=request.auth))


@router.post("campaigns/{campaign_id}/change-priority", response=CampaignOut, summary="Send it before or after others")
@may("send")
def change_priority(request: KeyRequest, campaign_id: int, change: PriorityIn) -> dict[str, Any]:
    """From the next batches on; also while it is being sent."""
    priority = Campaign.Priority[change.priority.upper()]
    return draw(operations.change_priority(campaign_of(request, campaign_id), to=priority, by=request.auth))


@router.post(
    "campaigns/{campaign_id}/save-as-template", response={201: TemplateOut}, summary="Keep its text as a template"
)
@may("write")
def save_text(request: KeyRequest, campaign_id: int, template: TemplateNameIn = ITS_NAME) -> Status[dict[str, Any]]:
    """In its main words: those of A in no language of its own."""
    campaign = campaign_of(request, campaign_id)
    name = free_name(request.workspace, campaign.name) if template.name is None else template.name
    return Status(201, templates.shown(save_as_template(campaign, by=request.auth, name=name)))
