"""Writing a campaign: its text, its channel and whom it is for, until it is launched."""

from collections.abc import Collection, Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Any
from unicodedata import normalize

from django.db import transaction
from django.db.models import Manager, Model
from django.utils import timezone

from accounts import allowance, audit_log
from accounts.models import Actor, User, Workspace
from campaigns.faults import InvalidContent, refuse_invalid
from campaigns.half_linked import refuse_half_linked
from campaigns.mail.compiling import write_out
from campaigns.models import Campaign, Format, StatusChange, WhatsAppTemplate, listed
from campaigns.templated import composed
from campaigns.when import Wall, columns_of, refuse_too_far, told
from people.channels import Channel
from wires import live

AUDIENCE = ("groups", "segments", "picked", "excluded_groups", "excluded_segments", "excluded")
CONTENT = ("channel", "name", "subject", "body")
LOOK = ("format", "preheader")
COMPILED = ("html", "plain")
TEMPLATE = ("whatsapp_template", "whatsapp_values")
GENERATED_WORDS = ("generated_words", "brief")
NAMED = 10  # numbers that are nobody's, in a refusal
COLUMNS = (*CONTENT, *TEMPLATE, *LOOK, *COMPILED, *GENERATED_WORDS, "everyone", "priority")


class NotEditable(Exception):
    """The campaign is launched or over, and what was said stays said."""

    def __init__(self, campaign: Campaign) -> None:
        self.campaign = campaign
        status = campaign.get_status_display()
        super().__init__(f"“{campaign}” is {status}; only drafts and scheduled campaigns can be changed.")


class Scheduled(Exception):
    """It goes out by itself as it stands: who may not send may not change or delete it."""

    def __init__(self, campaign: Campaign) -> None:
        self.campaign = campaign
        super().__init__(
            f"“{campaign}” is scheduled: only a marketer, admin or owner can change or delete it. "
            "Duplicate it, or ask one of them to unschedule it."
        )


class SavedMeanwhile(Exception):
    """Somebody saved another text since the page was opened; `campaign` is as it stands now."""

    def __init__(self, campaign: Campaign) -> None:
        self.campaign = campaign
        super().__init__(f"{campaign.written_by or 'Somebody'} saved another version.")


@transaction.atomic
def create_campaign(
    workspace: Workspace,
    *,
    by: Actor | None,
    name: str,
    body: str,
    channel: Channel = Channel.EMAIL,
    subject: str = "",
    format: Format = Format.TEXT,
    preheader: str = "",
    everyone: bool = False,
    groups: Collection[int] = (),
    picked: Collection[int] = (),
    segments: Collection[int] = (),
    excluded_groups: Collection[int] = (),
    excluded_segments: Collection[int] = (),
    excluded: Collection[int] = (),
    priority: Campaign.Priority = Campaign.Priority.NORMAL,
    whatsapp_template: WhatsAppTemplate | None = None,
    whatsapp_values: Mapping[str, str] = MappingProxyType({}),
    scheduled_at: datetime | Wall | None = None,
    generated_words: bool = False,
    brief: str = "",
    may_be_unfinished: bool = False,
) -> Campaign:
    """A new draft, or a scheduled campaign when the (aware) time lies ahead. The audience is given as ids.

    With a WhatsApp template the text is what the template says, with these values in place of its variables.

    A draft that may be unfinished needs nothing but a name.
    Raises InvalidContent, or UnknownPlaceholders, a kind of it, InvalidTime for what is too far ahead, or
    RateLimited for what starts at once.
    """
    if scheduled_at:
        refuse_too_far(scheduled_at, timezone.now())
    template = as_templated(channel, whatsapp_template, whatsapp_values, body)
    name, subject, body = tidied(channel, name, subject, template["body"])
    preheader = preheader.strip(" ") if channel == Channel.EMAIL else ""
    finished = not may_be_unfinished or scheduled_at is not None
    brief = brief.strip(" ")
    refuse_invalid(
        *(workspace, channel, name, subject, body),
        format=format,
        preheader=preheader,
        finished=finished,
        generated_words=generated_words,
        brief=brief,
    )
    campaign = Campaign(
        workspace=workspace,
        name=name,
        channel=channel,
        subject=subject,
        **(template | {"body": body}),
        format=format,
        preheader=preheader,
        generated_words=generated_words,
        brief=brief,
        everyone=everyone,
        priority=priority,
        **columns_of(scheduled_at),
        created_by=by if isinstance(by, User) else None,
        written_by=by if isinstance(by, User) else None,
        written_at=timezone.now(),
    )
    write_out(campaign)
    campaign.save()
    StatusChange.write(campaign, None, Campaign.Status.DRAFT, by=by)
    audience = {"groups": groups, "segments": segments, "picked": picked}
    audience |= {
        "excluded_groups": excluded_groups,
        "excluded_segments": excluded_segments,
        "excluded": excluded,
    }
    choose_audience(campaign, audience)
    counted = {}
    if scheduled_at and campaign.scheduled_at and campaign.scheduled_at > timezone.now():
        campaign.move_to(Campaign.Status.SCHEDULED, by=by, reason=f"for {told(scheduled_at)}")
        counted = allowance.count_if_soon(workspace, campaign.scheduled_at, by=by)
    after = written(campaign) | {"status": campaign.get_status_display(), "scheduled_at": campaign.scheduled_at}
    audit_log.record(workspace, "create", campaign, by=by, after=after | counted)
    live.changed(campaign.pk, workspace.pk)
    return campaign


@transaction.atomic
def update_campaign(
    campaign: Campaign, *, by: Actor | None, over: str = "", only_drafts: bool = False, **changes: Any
) -> Campaign:
    """Change some of what `create_campaign` takes, but for the time; what is not named stays.

    `over` is the version its author saw: another text saved since is not written over unseen.
    Raises NotEditable once it is launched, Scheduled where only drafts may be changed, SavedMeanwhile, or
    InvalidContent, of which StillLinking is a kind. A draft may stay unfinished.
    """
    if strangers := set(changes) - {*COLUMNS, *AUDIENCE} | set(changes) & set(COMPILED):
        raise TypeError(f"a campaign has no {', '.join(sorted(strangers))} to change")
    # The row is held until the end: a launch waits and sees all of the change, or wins and refuses it.
    campaign = editable(campaign, only_drafts=only_drafts)
    if "picked" in changes:
        refuse_half_linked(campaign)
    before = {column: getattr(campaign, column) for column in COLUMNS}
    was = written(campaign)
    meant = before | changes
    changes |= as_templated(meant["channel"], *(meant[column] for column in (*TEMPLATE, "body")))
    content = [changes.get(column, before[column]) for column in CONTENT]
    changes |= dict(zip(CONTENT[1:], tidied(*content), strict=True))
    if over not in ("", campaign.version) and differs(campaign, changes):
        raise SavedMeanwhile(campaign)
    for column in COLUMNS:
        setattr(campaign, column, changes.get(column, before[column]))
    campaign.preheader = campaign.preheader.strip(" ") if campaign.channel == Channel.EMAIL else ""
    finished = campaign.status != Campaign.Status.DRAFT
    more = {column: getattr(campaign, column) for column in (*LOOK, *GENERATED_WORDS)}
    refuse_invalid(campaign.workspace, *(getattr(campaign, column) for column in CONTENT), **more, finished=finished)
    write_out(campaign)
    campaign.written_by, campaign.written_at = by if isinstance(by, User) else None, timezone.now()
    campaign.save(update_fields=[*COLUMNS, "written_by", "written_at", "updated_at"])
    choose_audience(campaign, {field: changes[field] for field in AUDIENCE if field in changes})
    now = written(campaign)
    if campaign.status == Campaign.Status.SCHEDULED:
        # It goes out by itself: who changed what of it since somebody scheduled it is told on its page.
        StatusChange.write(campaign, campaign.status, campaign.status, by=by, reason=changed(was, now))
    audit_log.record(campaign.workspace, "update", campaign, by=by, before=was, after=now)
    live.changed(campaign.pk, campaign.workspace_id)
    return campaign


def as_templated(
    channel: int, template: WhatsAppTemplate | None, values: Mapping[str, str], body: str
) -> dict[str, Any]:
    """The text and by which template it is written: of WhatsApp alone, and of the variables that the template has."""
    if channel != Channel.WHATSAPP or template is None:
        return {"whatsapp_template": None, "whatsapp_values": {}, "body": body}
    kept = {name: values.get(name, "").strip() for name in template.variables}
    return {"whatsapp_template": template, "whatsapp_values": kept, "body": composed(template, kept)}


def changed(was: dict[str, Any], now: dict[str, Any]) -> str:
    """Which parts differ, in words: text and people changed."""
    text = ("channel", "subject", "body", *LOOK, *GENERATED_WORDS)
    parts = {"name": ("name",), "text": text, "people": ("everyone", *AUDIENCE)}
    parts |= {"priority": ("priority",)}
    different = [part for part, fields in parts.items() if any(was[field] != now[field] for field in fields)]
    return f"{listed(different)} changed"


def written(campaign: Campaign) -> dict[str, Any]:
    """What the audit log keeps of it: the text, and whom it is for; groups by name, people by their ids."""
    shown = audit_log.fields_of(campaign, ("name", "subject", "body", "preheader", *GENERATED_WORDS, "everyone"))
    shown |= {
        "format": Format(campaign.format).label,
        "channel": campaign.channel_word,
        "priority": Campaign.Priority(campaign.priority).label,
    }
    if campaign.whatsapp_template:
        shown["WhatsApp template"] = str(campaign.whatsapp_template)
    for field in ("groups", "segments", "excluded_groups", "excluded_segments"):
        shown[field] = sorted(getattr(campaign, field).values_list("name", flat=True))
    for field in ("picked", "excluded"):
        shown[field] = ", ".join(map(str, sorted(getattr(campaign, field).values_list("pk", flat=True))))
    return shown


def differs(campaign: Campaign, changes: dict[str, Any]) -> bool:
    """Whether these changes would change anything: a button pressed twice saves the same text twice."""
    if any(getattr(campaign, column) != changes[column] for column in COLUMNS if column in changes):
        return True
    chosen = {
        field: set(getattr(campaign, field).values_list("pk", flat=True)) for field in AUDIENCE if field in changes
    }
    return any(ids != set(changes[field]) for field, ids in chosen.items())


@transaction.atomic
def delete_campaign(campaign: Campaign, *, by: Actor | None, only_drafts: bool = False) -> None:
    """Forget a campaign that was never launched. Raises NotEditable, or Scheduled where only drafts may go."""
    campaign = editable(campaign, only_drafts=only_drafts)
    live.changed(campaign.pk, campaign.workspace_id)
    before = {"status": campaign.get_status_display(), "audience": campaign.audience_words}
    audit_log.record(campaign.workspace, "delete", campaign, by=by, before=before)
    campaign.delete()


def editable(campaign: Campaign, *, only_drafts: bool = False) -> Campaign:
    """The campaign as it is now, its row held until the end of the transaction.

    Raises NotEditable, or Scheduled where only drafts may be touched.
    """
    rows = Campaign.objects.select_for_update(of=("self",)).select_related("workspace")
    campaign = rows.get(pk=campaign.pk)
    if not campaign.is_editable:
        raise NotEditable(campaign)
    if only_drafts and campaign.status != Campaign.Status.DRAFT:
        raise Scheduled(campaign)
    return campaign


def tidied(channel: int, name: str, subject: str, body: str) -> tuple[str, str, str]:
    """Name and subject without spaces around them, the text with plain line breaks; only an email has a subject."""
    # The same letters are stored in one way only, so that what looks alike is alike.
    subject = normalize("NFC", subject.strip(" ")) if channel == Channel.EMAIL else ""
    return name.strip(" "), subject, with_plain_breaks(body)


def with_plain_breaks(body: str) -> str:
    """Browsers send CRLF for what they show as one line break."""
    return body.replace("\r\n", "\n").replace("\r", "\n")


def choose_audience(campaign: Campaign, chosen: dict[str, Collection[int]]) -> None:
    """Link what has these ids. Raises InvalidContent if one is not of this workspace."""
    workspace = campaign.workspace
    sets: dict[str, Any] = {"groups": workspace.groups, "segments": workspace.segments}
    for field, ids in chosen.items():
        what = field.removeprefix("excluded_")
        rows, words = (sets[what], what) if what in sets else (workspace.recipients, "people")
        getattr(campaign, field).set(known_ids(rows, ids, field, words))


def known_ids(rows: Manager[Model], ids: Collection[int], field: str, what: str) -> list[int]:
    wanted = {number for number in ids if 0 < number < 2**63}
    found = list(rows.filter(pk__in=wanted).values_list("pk", flat=True)) if wanted else []
    if len(found) < len(set(ids)):
        missing = sorted({*ids} - {*found})
        named = ", ".join(str(number)[:20] for number in missing[:NAMED]) + (", …" if missing[NAMED:] else "")
        raise InvalidContent(
            {field: [f"{len(missing):,} of the {what} chosen cannot be found ({named}); choose again."]}
        )
    return found
