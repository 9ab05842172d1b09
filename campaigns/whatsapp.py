"""WhatsApp templates: what they may say, and who writes down what the provider decided."""

import re
from collections.abc import Mapping
from typing import Any

from django.db import transaction
from django.utils import timezone

from accounts import audit_log
from accounts.models import Actor, Workspace
from campaigns.authoring import with_plain_breaks
from campaigns.faults import NOT_IN_A_LINE, NOT_IN_A_TEXT, InvalidContent, described
from campaigns.models import TemplateStatus, WhatsAppSettings, WhatsAppTemplate
from campaigns.models.whatsapp import VARIABLE

Status = WhatsAppTemplate.Status
FIELDS = ("name", "language", "category", "header", "body", "footer", "provider_id")
AT_THE_PROVIDER = ("name", "language", "category", "header", "body", "footer")
NAME = re.compile(r"[a-z0-9_]{1,512}")
LANGUAGE = re.compile(r"[a-z]{2,3}(_[A-Z]{2})?")
BRACES = re.compile(r"[{}]")
STARTS_OR_ENDS = re.compile(rf"\A\s*{VARIABLE.pattern}|{VARIABLE.pattern}\s*\Z")
SPACES = re.compile(" {5,}")
BREAKS = re.compile(r"\n{4,}")
LONGEST_BODY, LONGEST_LINE = 1024, 60  # characters of a body, of a header and of a footer
NEEDS_REASON = (Status.REJECTED, Status.PAUSED)


class DuplicateWhatsApp(InvalidContent):
    """The workspace has a template of this name in this language already."""

    def __init__(self, name: str, language: str) -> None:
        self.name = name
        super().__init__({"name": [f"There is a template “{name}” in {language} already."]})


class MaySendOnly(Exception):
    """Another text would take the approval from what others send."""

    def __init__(self, template: WhatsAppTemplate) -> None:
        super().__init__(
            f"“{template}” is {template.get_status_display()}: another text has to be approved anew, "
            "so only a marketer, admin or owner can change it. Duplicate it instead."
        )


@transaction.atomic
def add_template(workspace: Workspace, *, by: Actor | None, **typed: Any) -> WhatsAppTemplate:
    """A draft, from all of FIELDS. Raises InvalidContent."""
    typed = tidied(typed)
    refuse_faulty(workspace, typed)
    template = WhatsAppTemplate.objects.create(workspace=workspace, **typed)
    TemplateStatus.write(template, None, Status.DRAFT, by=by, reason="")
    audit_log.record(workspace, "create", template, by=by, after=told(template))
    return template


@transaction.atomic
def change_template(
    template: WhatsAppTemplate, *, by: Actor | None, only_drafts: bool = False, **typed: Any
) -> WhatsAppTemplate:
    """Let it say something else; what the provider has seen becomes a draft again. Raises InvalidContent.

    Raises MaySendOnly where `only_drafts` may be changed.
    """
    template = held(template)
    typed = tidied(typed)
    refuse_faulty(template.workspace, typed, template)
    before = told(template)
    differs = any(getattr(template, field) != typed[field] for field in AT_THE_PROVIDER)
    if differs and template.is_at_the_provider:
        if only_drafts:
            raise MaySendOnly(template)
        template.move_to(Status.DRAFT, by=by, reason="another text, which has to be approved anew")
    for field in FIELDS:
        setattr(template, field, typed[field])
    template.save(update_fields=[*FIELDS, "updated_at"])
    audit_log.record(template.workspace, "update", template, by=by, before=before, after=told(template))
    return template


@transaction.atomic
def change_status(
    template: WhatsAppTemplate, *, to: WhatsAppTemplate.Status, by: Actor | None, reason: str = ""
) -> WhatsAppTemplate:
    """Write down what the provider decided. Raises IllegalStatus, or InvalidContent where a reason is missing."""
    template, reason = held(template), " ".join(reason.split())
    if to in NEEDS_REASON and not reason:
        raise InvalidContent({"reason": [f"Say why it is {to.label}: your colleagues will ask."]})
    if found := NOT_IN_A_LINE.search(reason):
        raise InvalidContent({"reason": [f"The reason is one line of text; remove {described(found)}."]})
    before = told(template)
    template.move_to(to, by=by, reason=reason)
    after = told(template) | ({"reason": reason} if reason else {})
    audit_log.record(template.workspace, "change_status", template, by=by, before=before, after=after)
    return template


@transaction.atomic
def duplicate_template(template: WhatsAppTemplate, *, by: Actor | None) -> WhatsAppTemplate:
    """A draft that says the same under a name of its own."""
    taken = set(template.workspace.whatsapp_templates.filter(language=template.language).values_list("name", flat=True))
    names = (f"{template.name[:500]}_{number}" for number in range(2, len(taken) + 3))
    fields = audit_log.fields_of(template, FIELDS) | {"name": next(n for n in names if n not in taken)}
    copy = WhatsAppTemplate.objects.create(workspace=template.workspace, **(fields | {"provider_id": ""}))
    TemplateStatus.write(copy, None, Status.DRAFT, by=by, reason=f"copy of {template}")
    audit_log.record(template.workspace, "duplicate", copy, by=by, after=told(copy))
    return copy


@transaction.atomic
def archive_template(template: WhatsAppTemplate, *, by: Actor | None) -> WhatsAppTemplate:
    """Offer it to nobody any more; what uses it goes on."""
    return _put_away(template, True, by=by)


@transaction.atomic
def unarchive_template(template: WhatsAppTemplate, *, by: Actor | None) -> WhatsAppTemplate:
    return _put_away(template, False, by=by)


def _put_away(template: WhatsAppTemplate, away: bool, *, by: Actor | None) -> WhatsAppTemplate:
    template = held(template)
    if away != (template.archived_at is not None):
        template.archived_at = timezone.now() if away else None
        template.save(update_fields=["archived_at", "updated_at"])
        verb = "archive" if away else "unarchive"
        change = {"before": {"archived": not away}, "after": {"archived": away}}
        audit_log.record(template.workspace, verb, template, by=by, **change)
    return template


@transaction.atomic
def change_whatsapp_settings(workspace: Workspace, *, needs_template: bool, by: Actor | None) -> None:
    settings, _ = WhatsAppSettings.objects.select_for_update().get_or_create(workspace=workspace)
    before = audit_log.fields_of(settings, ["needs_template"])
    settings.needs_template = needs_template
    settings.save(update_fields=["needs_template"])
    after = audit_log.fields_of(settings, ["needs_template"])
    audit_log.record(workspace, "change_whatsapp_settings", workspace, by=by, before=before, after=after)


def held(template: WhatsAppTemplate) -> WhatsAppTemplate:
    """The template as it is now, its row held until the end of the transaction."""
    rows = WhatsAppTemplate.objects.select_for_update(of=("self",)).select_related("workspace")
    return rows.get(pk=template.pk)


def told(template: WhatsAppTemplate) -> dict[str, Any]:
    """What the audit log keeps of it."""
    shown = audit_log.fields_of(template, FIELDS) | {"category": template.get_category_display()}
    return shown | {"status": template.get_status_display()}


def tidied(typed: Mapping[str, Any]) -> dict[str, Any]:
    lines = {field: str(typed[field]).strip() for field in FIELDS if field not in ("body", "category")}
    return lines | {"body": with_plain_breaks(typed["body"]).strip(), "category": typed["category"]}


def refuse_faulty(workspace: Workspace, typed: Mapping[str, Any], template: WhatsAppTemplate | None = None) -> None:
    """Raises InvalidContent with sentences by field, or DuplicateWhatsApp, a kind of it."""
    errors = {
        "name": faults_of_name(typed),
        "language": faults_of_language(typed["language"]),
        "header": faults_of_line("header", typed["header"]),
        "body": faults_of_body(typed["body"]),
        "footer": faults_of_line("footer", typed["footer"]),
        "provider_id": faults_of_number(typed["provider_id"]),
    }
    if errors := {field: sentences for field, sentences in errors.items() if sentences}:
        raise InvalidContent(errors)
    refuse_taken(workspace, typed, template)


def faults_of_name(typed: Mapping[str, Any]) -> list[str]:
    name = typed["name"]
    if not name:
        return ["Give it the name it has at the provider."]
    if not NAME.fullmatch(name):
        return ["The name has small letters, digits and _ only, such as spring_offer; 512 at most."]
    return []


def refuse_taken(workspace: Workspace, typed: Mapping[str, Any], template: WhatsAppTemplate | None) -> None:
    """Raises DuplicateWhatsApp."""
    same = workspace.whatsapp_templates.filter(name=typed["name"], language=typed["language"])
    if (same.exclude(pk=template.pk) if template else same).exists():
        raise DuplicateWhatsApp(typed["name"], typed["language"])


def faults_of_language(language: str) -> list[str]:
    return [] if LANGUAGE.fullmatch(language) else ["Write the language as the provider does, such as en, sw or pt_BR."]


def faults_of_number(number: str) -> list[str]:
    return [] if len(number) <= 100 and not NOT_IN_A_LINE.search(number) else ["That is no number of a template."]


def faults_of_line(what: str, line: str) -> list[str]:
    errors = []
    if found := NOT_IN_A_LINE.search(line):
        errors.append(f"The {what} is one line of text; remove {described(found)}.")
    if len(line) > LONGEST_LINE:
        errors.append(f"The {what} has {len(line)} characters; {LONGEST_LINE} is the most.")
    if BRACES.search(line):
        errors.append(f"The {what} is the same for everybody: {{ and }} stand in the text only.")
    return errors


def faults_of_body(body: str) -> list[str]:
    """The rules by which the provider would reject it."""
    if not body:
        return ["Write the text of the template."]
    errors = []
    if found := NOT_IN_A_TEXT.search(body.replace("\t", "\0")):
        errors.append(f"The text cannot hold {described(found)}; remove it." if found[0] != "\0" else "Remove the tab.")
    if len(body) > LONGEST_BODY:
        errors.append(f"The text has {len(body):,} characters; {LONGEST_BODY:,} is the most.")
    if SPACES.search(body):
        errors.append("More than four spaces in a row are not allowed.")
    if BREAKS.search(body):
        errors.append("More than two empty lines in a row are not allowed.")
    return errors + faults_of_variables(body)


def faults_of_variables(body: str) -> list[str]:
    names = list(dict.fromkeys(VARIABLE.findall(body)))
    numbers = [name for name in names if name.isdecimal()]
    errors = []
    if BRACES.search(VARIABLE.sub("", body)):
        errors.append("Write what changes as {{1}} or {{name}}, in small letters; no other { or } may stand there.")
    if numbers and len(numbers) < len(names):
        errors.append("Number all variables or name all of them, not some of each.")
    elif sorted(map(int, numbers)) != list(range(1, len(numbers) + 1)):
        errors.append("Number the variables {{1}}, {{2}} and so on, and leave none out.")
    if STARTS_OR_ENDS.search(body):
        errors.append("The text may not begin or end with a variable.")
    return errors
