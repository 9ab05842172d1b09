"""Campaigns over the API: write them, list them, look at one, send it."""

from typing import Annotated, Any, Literal

from ninja import Field, Query, Router, Schema, Status

from accounts.access import KeyRequest, may, refuse_unless
from accounts.allowance import sends_of
from accounts.paging import Paging, page_of
from accounts.unknown import numbered
from campaigns.authoring import delete_campaign, update_campaign
from campaigns.copying import update_with_following
from campaigns.faults import InvalidContent, UnknownPlaceholders, check_placeholders
from campaigns.linking import create_with_addresses
from campaigns.models import Campaign
from campaigns.personalise import OLD_SPELLINGS
from campaigns.preview import filled_for
from dispatcher import shelf
from dispatcher.api import admission
from dispatcher.api.answers import CampaignOut, CampaignPage, ForecastOut, SentOut, all_shown
from dispatcher.api.shapes import CampaignChange, CampaignIn, ChannelWord, SendIn, StatusWord
from dispatcher.check import refusal_of
from dispatcher.cost import cost_of
from dispatcher.freeze import forecast
from dispatcher.models import SkipReason
from dispatcher.send import send
from people.api.shapes import Number
from people.channels import Channel

router = Router(tags=["campaigns"])
NOBODY = SendIn()


@router.post("campaigns", response={201: CampaignOut}, summary="Write a campaign")
@may("write")
def write_campaign(request: KeyRequest, campaign: CampaignIn) -> dict:
    """A draft, or a scheduled campaign when scheduled_at lies ahead, which takes a key that may send.

    Who has one of recipient_emails is linked to it in the background, and added to the workspace if nobody has it.
    """
    if campaign.starts_by_itself:
        refuse_unless(request, "send")
    content, addresses = templated(request, campaign.content), campaign.recipient_emails
    return draw(create_with_addresses(request.workspace, by=request.auth, addresses=addresses, **content))


class Asked(Paging):
    """Which campaigns, and which page of them; a page that cannot be read is the first."""

    channel: ChannelWord | Literal[""] = ""
    status: StatusWord | Literal[""] = ""
    q: str = ""
    archived: bool | None = None

    @property
    def filters(self) -> dict[str, object]:
        filters: dict[str, object] = {
            "channel": self.channel and Channel[self.channel.upper()],
            "status": self.status and Campaign.Status[self.status.upper()],
            "name__icontains": self.q[:200],
        }
        if self.archived is not None:
            filters["archived_at__isnull"] = not self.archived
        return {field: value for field, value in filters.items() if value not in ("", None)}


@router.get("campaigns", response=CampaignPage, summary="List campaigns, newest first")
@may("read")
def list_campaigns(request: KeyRequest, asked: Query[Asked]) -> dict:
    found, pagination = page_of(request.workspace.campaigns.filter(**asked.filters), asked)
    return {"data": all_shown(found), "pagination": pagination}


@router.get("campaigns/{campaign_id}", response=CampaignOut, summary="Look at a campaign")
@may("read")
def show_campaign(request: KeyRequest, campaign_id: int) -> dict:
    return draw(campaign_of(request, campaign_id))


@router.patch("campaigns/{campaign_id}", response=CampaignOut, summary="Change a draft or a scheduled campaign")
@may("write")
def change_campaign(request: KeyRequest, campaign_id: int, campaign: CampaignChange) -> dict:
    if campaign.and_following:  # they go out by themselves
        refuse_unless(request, "send")
    known, only_drafts = campaign_of(request, campaign_id), not request.auth.may("send")
    operation = update_with_following if campaign.and_following and known.series_id else update_campaign
    content = templated(request, campaign.content)
    return draw(operation(known, by=request.auth, only_drafts=only_drafts, **content))


@router.delete("campaigns/{campaign_id}", response={204: None}, summary="Delete a campaign")
@may("write")
def remove_campaign(request: KeyRequest, campaign_id: int) -> Status[None]:
    """One that was never launched; a cancelled one needs a marketer's key, one that was sent an admin's."""
    campaign = campaign_of(request, campaign_id)
    if campaign.is_editable:
        delete_campaign(campaign, by=request.auth, only_drafts=not request.auth.may("send"))
    else:
        is_cancelled = campaign.status == Campaign.Status.CANCELLED
        needed = ("send", "delete what was cancelled") if is_cancelled else ("manage", "delete what was sent")
        refuse_unless(request, *needed)
        shelf.delete(campaign, typed=campaign.name, by=request.auth)
    return Status(204, None)


class PreviewIn(Schema, extra="forbid"):
    customer_id: Number
    override_template: Annotated[str | None, Field(description="Shown in place of the campaign's own text.")] = None


class Previewed(Schema):
    id: int
    first_name: str
    last_name: str
    phone: str
    location: str
    preferred_product: str
    prefered_product: str = Field(description="The same, as old clients spell it.")


class PreviewOut(Schema):
    rendered_message: str
    used_template: str
    customer: Previewed


@router.post(
    "campaigns/{campaign_id}/personalized-preview",
    response=PreviewOut,
    summary="The text as one customer reads it",
    operation_id="preview_for_customer",
)
@may("read")
def preview_for(request: KeyRequest, campaign_id: int, whom: PreviewIn) -> dict:
    """Without the line below it. Writes nothing."""
    campaign = campaign_of(request, campaign_id)
    person = numbered(request.workspace.recipients, "Customer", whom.customer_id)
    template = whom.override_template or ""
    if faults := check_placeholders(request.workspace, generated_words=campaign.generated_words, body=template):
        raise UnknownPlaceholders(faults)
    message, used = filled_for(campaign, person, template)
    return {
        "rendered_message": message,
        "used_template": used,
        "customer": {name: getattr(person, OLD_SPELLINGS.get(name, name)) for name in Previewed.model_fields},
    }


@router.get(
    "campaigns/{campaign_id}/preview", response=ForecastOut, summary="See whom it would reach and what it costs"
)
@may("read")
def preview_campaign(request: KeyRequest, campaign_id: int) -> dict:
    """As the page that checks before sending shows it; changes nothing."""
    campaign = campaign_of(request, campaign_id)
    people = forecast(campaign)
    price = cost_of(campaign, people.reached).price
    return {
        "recipientCount": people.reached,
        "estimatedCost": None if price is None else float(price.amount),
        "currency": price.currency if price else None,
        "canSend": campaign.can_become(Campaign.Status.PREPARING) and refusal_of(campaign) is None,
        "skipped": {reason.label: people.skipped.get(reason, 0) for reason in SkipReason},
    }


@router.post("campaigns/{campaign_id}/send", response={200: SentOut, 202: SentOut}, summary="Send a campaign")
@may("send")
def send_campaign(request: KeyRequest, campaign_id: int, whom: SendIn = NOBODY) -> Status[dict]:
    """A draft is launched to these people. A campaign scheduled ahead stays scheduled and they are added to it.

    Answers 202 while an audience above 20,000 is being prepared.
    """
    sent = send(campaign_of(request, campaign_id), whom.choice, by=request.auth, now=whom.send_now)
    admission.note(request, sends_of(request.workspace))
    answer = {
        "campaign_id": sent.campaign.pk,
        "messages_queued": sent.queued,
        "status": sent.campaign.get_status_display(),
        "skipped": {reason.label: n for reason, n in sent.skipped.items()},
    }
    return Status(202 if sent.queued is None else 200, answer)


def campaign_of(request: KeyRequest, number: int) -> Campaign:
    """The campaign of the key's workspace with this number. Raises Unknown."""
    return numbered(request.workspace.campaigns, "Campaign", number)


def draw(campaign: Campaign) -> dict:
    return all_shown([campaign])[0]


def templated(request: KeyRequest, content: dict[str, Any]) -> dict[str, Any]:
    """With the WhatsApp template in place of its number. Raises InvalidContent."""
    if "whatsapp_template_id" not in content:
        return content
    number, content = content["whatsapp_template_id"], {**content}
    del content["whatsapp_template_id"]
    template = request.workspace.whatsapp_templates.filter(pk=number).first() if number else None
    if number and template is None:
        raise InvalidContent({"whatsapp_template_id": ["There is no such WhatsApp template."]})
    return content | {"whatsapp_template": template}
