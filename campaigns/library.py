"""The template library: texts kept to be used again. A change is a new version, so nothing that was written is lost."""

from collections.abc import Iterable
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import F, Q, QuerySet
from django.db.models.functions import Now

from accounts import audit_log
from accounts.models import Actor, User, Workspace
from campaigns.authoring import create_campaign, tidied
from campaigns.faults import InvalidContent, UnknownPlaceholders, check_content, check_placeholders
from campaigns.mail.compiling import write_out
from campaigns.models import Campaign, Format, Template, TemplateVersion
from people.channels import Channel
from people.plain import NotPlain, plain

LONGEST_NAME = 100
WORDS = ("format", "subject", "preheader", "body")


class DuplicateTemplate(InvalidContent):
    """The workspace has a template of this name already."""

    def __init__(self, name: str) -> None:
        self.name = name
        super().__init__({"name": [f"There is a template called “{name}” already."]})


class ChangedMeanwhile(Exception):
    """Somebody saved another version since the page was opened; `template` is as it stands now."""

    def __init__(self, template: Template) -> None:
        self.template = template
        writer = template.current.written_by or "Somebody"
        super().__init__(f"{writer} saved version {template.version} meanwhile.")


def found(
    workspace: Workspace, words: str = "", channel: Channel | None = None, *, archived: bool, most: int
) -> list[tuple[Template, TemplateVersion]]:
    """Those so called or saying this in their current version, by name; each with that version."""
    rows = workspace.templates.filter(archived_at__isnull=not archived)
    if channel is not None:
        rows = rows.filter(channel=channel)
    if words:
        saying = TemplateVersion.objects.filter(
            Q(subject__icontains=words) | Q(body__icontains=words), template__workspace=workspace
        )
        rows = rows.filter(Q(name__icontains=words) | Q(pk__in=current(saying).values("template")))
    return with_words(rows[:most])


def current(versions: QuerySet[TemplateVersion]) -> QuerySet[TemplateVersion]:
    return versions.filter(number=F("template__version"))


def with_words(templates: Iterable[Template]) -> list[tuple[Template, TemplateVersion]]:
    """Each with its current version, in two queries however many they are."""
    rows = list(templates)
    versions = current(TemplateVersion.objects.filter(template__in=[each.pk for each in rows]))
    said = {version.template_id: version for version in versions.defer("html", "plain")}
    return [(template, said[template.pk]) for template in rows]


@transaction.atomic
def add_template(workspace: Workspace, *, by: Actor | None, name: str, channel: Channel, **words: Any) -> Template:
    """A new template, which says this in its version 1. Raises InvalidContent, or DuplicateTemplate, a kind of it."""
    template = Template(workspace=workspace, channel=channel, created_by=by if isinstance(by, User) else None)
    words = _checked(template, name, words)
    _save(template, force_insert=True)
    _write_version(template, words, by=by)
    audit_log.record(workspace, "create", template, by=by, after=_told(template, words))
    return template


@transaction.atomic
def change_template(
    template: Template, *, by: Actor | None, over: int = 0, name: str | None = None, **words: Any
) -> Template:
    """Rename it, and write a new version if it is to say something else; what is not given stays as it is now.

    `over` is the version its author saw.
    Raises InvalidContent, or ChangedMeanwhile where another text would be replaced unseen.
    """
    template = _held(template)
    was = words_of(template.current)
    before = _told(template, was)
    words = _checked(template, template.name if name is None else name, was | words)
    if over not in (0, template.version) and words != was:
        raise ChangedMeanwhile(template)
    if words != was:
        template.version += 1
        _write_version(template, words, by=by)
    _save(template, update_fields=["name", "version"])
    audit_log.record(template.workspace, "update", template, by=by, before=before, after=_told(template, words))
    return template


@transaction.atomic
def restore_version(template: Template, number: int, *, by: Actor | None) -> Template:
    """Say again what an older version said, as a new version. Raises TemplateVersion.DoesNotExist."""
    template = _held(template)
    older, was = template.versions.get(number=number), template.version
    if words_of(older) == words_of(template.current):
        return template
    template.version += 1
    _write_version(template, words_of(older), by=by)
    template.save(update_fields=["version"])
    change = {"before": {"version": was}, "after": {"version": template.version, "as version": number}}
    audit_log.record(template.workspace, "restore_version", template, by=by, **change)
    return template


@transaction.atomic
def duplicate_template(template: Template, *, by: Actor | None) -> Template:
    """Another one that says the same in its version 1."""
    copy = Template(workspace=template.workspace, channel=template.channel)
    copy.created_by = by if isinstance(by, User) else None
    copy.name = free_name(template.workspace, f"Copy of {template.name}")
    _save(copy, force_insert=True)
    _write_version(copy, words_of(template.current), by=by)
    after = {"copy of": template.pk, "name": copy.name}
    audit_log.record(template.workspace, "duplicate", copy, by=by, after=after)
    return copy


@transaction.atomic
def archive_template(template: Template, *, by: Actor | None) -> None:
    """Hide it from the list and from whoever writes a campaign; it stays under "Archived"."""
    if Template.objects.filter(pk=template.pk, archived_at=None).update(archived_at=Now()):
        audit_log.record(template.workspace, "archive", template, by=by)


@transaction.atomic
def unarchive_template(template: Template, *, by: Actor | None) -> None:
    """Show it in the list again."""
    if Template.objects.filter(pk=template.pk, archived_at__isnull=False).update(archived_at=None):
        audit_log.record(template.workspace, "unarchive", template, by=by)


@transaction.atomic
def delete_template(template: Template, *, by: Actor | None) -> None:
    """Delete it with all its versions; campaigns that began as it keep their texts."""
    template = _held(template)
    before = _told(template, words_of(template.current)) | {"versions": template.version}
    audit_log.record(template.workspace, "delete", template, by=by, before=before)
    template.delete()


# --- between campaigns and the library ---


def save_as_template(campaign: Campaign, *, by: Actor | None, name: str) -> Template:
    """What the campaign says, in its main words, as a new template. Raises InvalidContent."""
    channel = Channel(campaign.channel)
    return add_template(campaign.workspace, by=by, name=name, channel=channel, **words_of(campaign))


@transaction.atomic
def create_from(version: TemplateVersion | None, workspace: Workspace, *, by: Actor | None, **content: Any) -> Campaign:
    """A new campaign that remembers which version of a template it began as. Raises InvalidContent."""
    campaign = create_campaign(workspace, by=by, **content)
    if version:
        campaign.template, campaign.template_version = version.template, version.number
        campaign.save(update_fields=["template", "template_version"])
    return campaign


# --- parts ---


def _held(template: Template) -> Template:
    rows = Template.objects.select_for_update(of=("self",)).select_related("workspace")
    return rows.get(pk=template.pk)


def words_of(words: Any) -> dict[str, Any]:
    return {name: getattr(words, name) for name in WORDS}


def _told(template: Template, words: dict[str, Any]) -> dict[str, Any]:
    """What the audit log keeps."""
    channel, format = Channel(template.channel).word, Format(words["format"]).label
    return {"name": template.name, "version": template.version, "channel": channel, **words, "format": format}


def _checked(template: Template, name: str, given: dict[str, Any]) -> dict[str, Any]:
    """The words as they are stored, and the name written into the template. Raises InvalidContent."""
    words: dict[str, Any] = {"format": Format.TEXT, "subject": "", "preheader": "", "body": ""} | given
    channel = Channel(template.channel)
    _, words["subject"], words["body"] = tidied(channel, "", words["subject"], words["body"])
    if channel != Channel.EMAIL:
        words |= {"format": Format.TEXT, "preheader": ""}
    words["preheader"] = words["preheader"].strip(" ")
    errors = _name_errors(template, name)
    texts = {name: words[name] for name in ("subject", "preheader", "body")}
    errors |= check_content(template.workspace, channel, "its name", **texts, format=words["format"], finished=False)
    if not words["body"].strip():
        errors["body"] = ["Write the message."]
    if errors:
        only_unknown = errors == check_placeholders(template.workspace, **texts)
        raise UnknownPlaceholders(errors) if only_unknown else InvalidContent(errors)
    return words


def _name_errors(template: Template, name: str) -> dict[str, list[str]]:
    try:
        template.name = plain(name, "The name", at_most=LONGEST_NAME)
    except NotPlain as fault:
        return {"name": [str(fault)]}
    return {} if template.name else {"name": ["Give the template a name."]}


def _save(template: Template, **how: Any) -> None:
    try:
        with transaction.atomic():
            template.save(**how)
    except IntegrityError as error:
        if "template_name_once" not in str(error):
            raise
        raise DuplicateTemplate(template.name) from None


def _write_version(template: Template, words: dict[str, Any], *, by: Actor | None) -> None:
    author = by if isinstance(by, User) else None
    version = TemplateVersion(template=template, number=template.version, written_by=author, **words)
    write_out(version)
    version.save(force_insert=True)


def free_name(workspace: Workspace, wanted: str) -> str:
    """The name, or the first of “name 2”, “name 3” and so on that no template has."""
    taken = {name.lower() for name in workspace.templates.values_list("name", flat=True)}
    names = (wanted if n == 1 else f"{wanted[: LONGEST_NAME - 6]} {n}" for n in range(1, len(taken) + 2))
    return next(name for name in (each[:LONGEST_NAME] for each in names) if name.lower() not in taken)
