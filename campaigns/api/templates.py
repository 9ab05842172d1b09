"""The template library over the API: list, write, change, archive and delete templates, and read their versions."""

from datetime import datetime
from typing import Any, Literal

from ninja import Field, Query, Router, Schema, Status
from pydantic import StrictBool

from accounts.access import KeyRequest, may
from accounts.paging import Pagination, Paging, page_of
from accounts.unknown import Unknown, numbered
from campaigns import library
from campaigns.models import Format, Template, TemplateVersion
from people.api.shapes import Change, ChannelWord, Number
from people.channels import Channel

router = Router(tags=["templates"])
FormatWord = Literal["text", "markdown", "html", "mjml"]


class Words(Schema, extra="forbid"):
    """What a template says; only an email has a subject and a preheader, and may be other than text."""

    format: FormatWord = "text"
    subject: str = ""
    preheader: str = ""
    base_template: str


class TemplateIn(Words):
    name: str
    channel: ChannelWord = "email"


class TemplateChange(Change):
    """Only what is given is changed. Another text is a new version; the older ones stay."""

    name: str | None = None
    format: FormatWord | None = None
    subject: str | None = None
    preheader: str | None = None
    base_template: str | None = None
    version: Number | None = Field(None, description="The version that was read; 409 if another was written since.")
    archived: StrictBool | None = None


class VersionOut(Schema):
    version: int
    format: FormatWord
    subject: str
    preheader: str
    base_template: str
    written_at: datetime


class TemplateOut(VersionOut):
    id: int
    name: str
    channel: ChannelWord
    archived: bool
    created_at: datetime


class TemplatePage(Schema):
    data: list[TemplateOut]
    pagination: Pagination


class Asked(Paging):
    channel: ChannelWord | Literal[""] = ""
    archived: bool = False


@router.post("templates", response={201: TemplateOut}, summary="Write a template")
@may("write")
def write_template(request: KeyRequest, template: TemplateIn) -> Status[dict[str, Any]]:
    channel = Channel[template.channel.upper()]
    fields = words_of(template.model_dump(exclude={"name", "channel"}))
    added = library.add_template(request.workspace, by=request.auth, name=template.name, channel=channel, **fields)
    return Status(201, shown(added))


@router.get("templates", response=TemplatePage, summary="List templates, newest first")
@may("read")
def list_templates(request: KeyRequest, asked: Query[Asked]) -> dict[str, Any]:
    templates = request.workspace.templates.filter(archived_at__isnull=not asked.archived)
    if asked.channel:
        templates = templates.filter(channel=Channel[asked.channel.upper()])
    found, pagination = page_of(templates, asked)
    return {"data": [shown(each, words) for each, words in library.with_words(found)], "pagination": pagination}


@router.get("templates/{template_id}", response=TemplateOut, summary="Look at a template")
@may("read")
def show_template(request: KeyRequest, template_id: int) -> dict[str, Any]:
    return shown(template_of(request, template_id))


@router.get("templates/{template_id}/versions", response=list[VersionOut], summary="Read all it has ever said")
@may("read")
def list_versions(request: KeyRequest, template_id: int) -> list[dict[str, Any]]:
    return [version_shown(version) for version in template_of(request, template_id).versions.all()]


@router.patch("templates/{template_id}", response=TemplateOut, summary="Change a template")
@may("write")
def change_template(request: KeyRequest, template_id: int, change: TemplateChange) -> dict[str, Any]:
    template = template_of(request, template_id)
    given = change.model_dump(exclude_none=True)
    archived, over = given.pop("archived", None), given.pop("version", 0)
    if given:
        template = library.change_template(template, by=request.auth, over=over, **words_of(given))
    if archived is not None:
        (library.archive_template if archived else library.unarchive_template)(template, by=request.auth)
    return shown(template_of(request, template_id))


@router.post("templates/{template_id}/duplicate", response={201: TemplateOut}, summary="Copy a template")
@may("write")
def duplicate_template(request: KeyRequest, template_id: int) -> Status[dict[str, Any]]:
    """What it says now, as version 1."""
    copy = library.duplicate_template(template_of(request, template_id), by=request.auth)
    return Status(201, shown(template_of(request, copy.pk)))


class VersionIn(Schema, extra="forbid"):
    version: Number


@router.post("templates/{template_id}/restore", response=TemplateOut, summary="Bring an older version back")
@may("write")
def restore_version(request: KeyRequest, template_id: int, older: VersionIn) -> dict[str, Any]:
    """As a new version; none is lost."""
    template = template_of(request, template_id)
    try:
        library.restore_version(template, older.version, by=request.auth)
    except TemplateVersion.DoesNotExist:
        raise Unknown("Version", older.version) from None
    return shown(template_of(request, template_id))


@router.delete("templates/{template_id}", response={204: None}, summary="Delete a template with all its versions")
@may("write")
def delete_template(request: KeyRequest, template_id: int) -> Status[None]:
    library.delete_template(template_of(request, template_id), by=request.auth)
    return Status(204, None)


def template_of(request: KeyRequest, number: int) -> Template:
    return numbered(request.workspace.templates.select_related("workspace"), "Template", number)


def words_of(given: dict[str, Any]) -> dict[str, Any]:
    """As the library names them."""
    names = {"base_template": "body"}
    fields = {names.get(name, name): value for name, value in given.items()}
    return fields | ({"format": Format[fields["format"].upper()]} if "format" in fields else {})


def shown(template: Template, words: TemplateVersion | None = None) -> dict[str, Any]:
    about = {"id": template.pk, "name": template.name, "channel": template.channel_word}
    about |= {"archived": template.archived_at is not None, "created_at": template.created_at}
    return about | version_shown(words or template.current)


def version_shown(version: TemplateVersion) -> dict[str, Any]:
    return {
        "version": version.number,
        "format": Format(version.format).word,
        "subject": version.subject,
        "preheader": version.preheader,
        "base_template": version.body,
        "written_at": version.written_at,
    }
