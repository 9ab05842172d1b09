"""WhatsApp templates over the API: what they say, and what the provider decided."""

from datetime import datetime
from typing import Any, Literal

from ninja import Field, Query, Router, Schema, Status
from pydantic import StrictBool

from accounts.access import KeyRequest, may
from accounts.paging import Pagination, Paging, page_of
from accounts.unknown import numbered
from campaigns import whatsapp
from campaigns.api.history import change_row
from campaigns.models import WhatsAppTemplate
from people.api.shapes import Change

router = Router(tags=["WhatsApp templates"])
CategoryOf = Literal["marketing", "utility", "authentication"]
TemplateStatusWord = Literal["draft", "submitted", "approved", "rejected", "paused"]


class WhatsAppIn(Schema, extra="forbid"):
    """As the provider has it; what changes is written as {{1}} or {{name}}."""

    name: str
    language: str = "en"
    category: CategoryOf = "marketing"
    header: str = ""
    base_template: str
    footer: str = ""
    provider_id: str = ""


class WhatsAppChange(Change):
    """Only what is given is changed; another text has to be approved anew."""

    name: str | None = None
    language: str | None = None
    category: CategoryOf | None = None
    header: str | None = None
    base_template: str | None = None
    footer: str | None = None
    provider_id: str | None = None
    archived: StrictBool | None = None


class DecisionIn(Schema, extra="forbid"):
    """What the provider decided; why is needed for rejected and paused."""

    status: TemplateStatusWord
    reason: str = Field("", max_length=300)


class WhatsAppOut(Schema):
    id: int
    name: str
    language: str
    category: CategoryOf
    header: str
    base_template: str
    footer: str
    provider_id: str
    status: TemplateStatusWord
    variables: list[str] = Field(description="In the order in which they appear.")
    archived: bool
    created_at: datetime
    updated_at: datetime


class WhatsAppPage(Schema):
    data: list[WhatsAppOut]
    pagination: Pagination


class DecisionOut(Schema):
    from_status: TemplateStatusWord | None
    to_status: TemplateStatusWord
    by: str
    reason: str
    at: datetime


class DecisionPage(Schema):
    data: list[DecisionOut]
    pagination: Pagination


class AskedWhatsApp(Paging):
    archived: bool = False


@router.post("whatsapp-templates", response={201: WhatsAppOut}, summary="Write a WhatsApp template")
@may("write")
def write_whatsapp_template(request: KeyRequest, template: WhatsAppIn) -> Status[dict[str, Any]]:
    """A draft."""
    added = whatsapp.add_template(request.workspace, by=request.auth, **typed(template.model_dump()))
    return Status(201, shown(template_of(request, added.pk)))


@router.get("whatsapp-templates", response=WhatsAppPage, summary="List WhatsApp templates, newest first")
@may("read")
def list_whatsapp_templates(request: KeyRequest, asked: Query[AskedWhatsApp]) -> dict[str, Any]:
    rows = request.workspace.whatsapp_templates.filter(archived_at__isnull=not asked.archived)
    found, pagination = page_of(rows, asked)
    return {"data": [shown(template) for template in found], "pagination": pagination}


@router.get("whatsapp-templates/{whatsapp_template_id}", response=WhatsAppOut, summary="Look at a WhatsApp template")
@may("read")
def show_whatsapp_template(request: KeyRequest, whatsapp_template_id: int) -> dict[str, Any]:
    return shown(template_of(request, whatsapp_template_id))


@router.patch("whatsapp-templates/{whatsapp_template_id}", response=WhatsAppOut, summary="Change a WhatsApp template")
@may("write")
def change_whatsapp_template(request: KeyRequest, whatsapp_template_id: int, change: WhatsAppChange) -> dict[str, Any]:
    """Another text for one the provider has seen makes it a draft again; that takes a marketer's key."""
    template = template_of(request, whatsapp_template_id)
    given = change.model_dump(exclude_none=True)
    archived = given.pop("archived", None)
    if given:
        fields = {field: getattr(template, field) for field in whatsapp.FIELDS} | typed(given)
        whatsapp.change_template(template, by=request.auth, only_drafts=not request.auth.may("send"), **fields)
    if archived is not None:
        (whatsapp.archive_template if archived else whatsapp.unarchive_template)(template, by=request.auth)
    return shown(template_of(request, whatsapp_template_id))


@router.post(
    "whatsapp-templates/{whatsapp_template_id}/status",
    response=WhatsAppOut,
    summary="Write down what the provider decided",
)
@may("send")
def change_whatsapp_status(request: KeyRequest, whatsapp_template_id: int, decision: DecisionIn) -> dict[str, Any]:
    to = WhatsAppTemplate.Status[decision.status.upper()]
    template = template_of(request, whatsapp_template_id)
    whatsapp.change_status(template, to=to, by=request.auth, reason=decision.reason)
    return shown(template_of(request, whatsapp_template_id))


@router.post(
    "whatsapp-templates/{whatsapp_template_id}/duplicate",
    response={201: WhatsAppOut},
    summary="Copy a WhatsApp template",
)
@may("write")
def duplicate_whatsapp_template(request: KeyRequest, whatsapp_template_id: int) -> Status[dict[str, Any]]:
    """A draft that says the same."""
    copy = whatsapp.duplicate_template(template_of(request, whatsapp_template_id), by=request.auth)
    return Status(201, shown(template_of(request, copy.pk)))


@router.get(
    "whatsapp-templates/{whatsapp_template_id}/history",
    response=DecisionPage,
    summary="Every decision about it, newest first",
)
@may("read")
def list_decisions(request: KeyRequest, whatsapp_template_id: int, asked: Query[Paging]) -> dict[str, Any]:
    history = template_of(request, whatsapp_template_id).history.select_related("by", "key")
    found, pagination = page_of(history, asked)
    return {"data": [change_row(each) for each in found], "pagination": pagination}


def template_of(request: KeyRequest, number: int) -> WhatsAppTemplate:
    return numbered(request.workspace.whatsapp_templates.select_related("workspace"), "WhatsApp template", number)


def typed(given: dict[str, Any]) -> dict[str, Any]:
    """As the operations name it."""
    fields = {"body" if name == "base_template" else name: value for name, value in given.items()}
    if "category" in fields:
        fields["category"] = WhatsAppTemplate.Category[fields["category"].upper()]
    return fields


def shown(template: WhatsAppTemplate) -> dict[str, Any]:
    as_it_is = ("name", "language", "header", "footer", "provider_id", "variables", "created_at", "updated_at")
    return {field: getattr(template, field) for field in as_it_is} | {
        "id": template.pk,
        "category": template.get_category_display(),
        "base_template": template.body,
        "status": template.get_status_display(),
        "archived": template.archived_at is not None,
    }
