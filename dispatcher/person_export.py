"""All that is held of one person, as JSON: what they may ask for."""

import json
from collections.abc import AsyncIterator, Iterable, Iterator
from typing import Any

from asgiref.sync import sync_to_async
from django.core.serializers.json import DjangoJSONEncoder
from django.db import transaction

from accounts import audit_log
from accounts.models import Actor
from campaigns.models import Campaign
from dispatcher.filed import filed_for
from dispatcher.ledger import Row
from dispatcher.message_files import Damaged
from dispatcher.models import Attempt, Category, LinkHit, Message
from dispatcher.proof import words_of
from dispatcher.received import messages_of, stored_since
from people.channels import Channel
from people.models import STANDARD_FIELDS, ImportRow, Recipient
from people.wishes import suppressions_of

AT_ONCE = 200  # messages


@transaction.atomic
def export_person(person: Recipient, *, by: Actor | None) -> AsyncIterator[str]:
    """The pieces of one JSON object; the audit log keeps who took it."""
    audit_log.record(person.workspace, "export", person, by=by)
    return pieces(person)


async def pieces(person: Recipient) -> AsyncIterator[str]:
    """First what is short, then the messages, some at a time: nothing is held while the reader is slow."""
    head = await sync_to_async(held_of)(person)
    yield f'{written(head)[:-2]},\n "messages": ['
    comma, unread = "", []
    async for found in messages(person):
        if "could_not_be_read" in found:
            unread.append(found)
            continue
        yield f"{comma}\n{written(found)}"
        comma = ","
    yield f'\n ],\n "campaigns_that_could_not_be_read": {written(unread)}\n}}\n'


async def messages(person: Recipient) -> AsyncIterator[dict[str, Any]]:
    """Those in the tables, then those in the files of campaigns that were over long ago."""
    last = 0
    while found := await sync_to_async(_next)(person, last):
        for message in found:
            yield message
        last = found[-1]["campaign"]["id"]
    for campaign in await sync_to_async(_stored)(person):
        if filed := await sync_to_async(_filed)(person, campaign):
            yield filed


def written(value: Any) -> str:
    return json.dumps(value, cls=DjangoJSONEncoder, ensure_ascii=False, indent=1)


def held_of(person: Recipient) -> dict[str, Any]:
    """Everything but the messages."""
    return {
        "id": person.pk,
        "workspace": str(person.workspace),
        "added": person.created_at,
        "changed": person.updated_at,
        **{name: getattr(person, name) for name in STANDARD_FIELDS},
        "attributes": person.attributes,
        "groups": list(person.groups.values_list("name", flat=True)),
        "groups_left": list(person.left_groups.values("group__name", "at")),
        "opted_out": person.opted_out,
        "refused_channels": [Channel(channel).word for channel in person.refused_channels],
        "suppressed": [_suppressed(address, row) for address, row in suppressions_of(person).items()],
        "consent": [
            _event(event) for event in person.consent_events.select_related("by", "key", "group").order_by("pk")
        ],
        "replies": list(person.replies.order_by("pk").values("channel", "number", "text", "at")),
        "links_to_unsubscribe": [_hit(hit) for hit in LinkHit.objects.filter(recipient=person).order_by("pk")],
        "imports": [_named(row) for row in rows_of_imports(person)],
    }


def _suppressed(address: str, row: Any) -> dict[str, Any]:
    return {"address": address, "reason": row.get_reason_display(), "note": row.note, "since": row.created_at}


def _event(event: Any) -> dict[str, Any]:
    return {
        "at": event.at,
        "wish": event.get_wish_display(),
        "channel": _about(event),
        "group": _group(event),
        "how": event.get_how_display(),
        "reason": event.reason,
        "evidence": event.evidence,
        "by": f"API key {event.key}" if event.key else str(event.by or "") or None,
    }


def _about(event: Any) -> str | None:
    if event.is_about_a_group:
        return None
    return Channel(event.channel).word if event.channel else "all"


def _group(event: Any) -> str | None:
    return str(event.group or "a group that is deleted") if event.is_about_a_group else None


def _hit(hit: LinkHit) -> dict[str, Any]:
    return {"campaign": hit.campaign_id, "what": hit.get_kind_display(), "times": hit.times, "first_at": hit.first_at}


def rows_of_imports(person: Recipient) -> Iterator[ImportRow]:
    """What became of the rows of lists that were about the person."""
    rows = ImportRow.objects.filter(recipient=person, upload__workspace=person.workspace)
    yield from rows.select_related("upload").order_by("pk")


def _named(row: ImportRow) -> dict[str, Any]:
    return {
        "list": str(row.upload),
        "at": row.upload.created_at,
        "line": row.line,
        "address": row.address,
        "verdict": row.get_verdict_display(),
        "reason": row.reason,
        "changed": row.before,
    }


def _next(person: Recipient, last: int) -> list[dict[str, Any]]:
    found = messages_of(person).filter(campaign__gt=last).prefetch_related("attempts").order_by("campaign")
    return [_message(message, message.attempts.all()) for message in found[:AT_ONCE]]


def _stored(person: Recipient) -> list[Campaign]:
    return list(stored_since(person))


def _filed(person: Recipient, campaign: Campaign) -> dict[str, Any] | None:
    try:
        found = filed_for(person, campaign)
    except (Damaged, OSError) as trouble:
        return _of(campaign) | {"could_not_be_read": str(trouble)}
    return found and _message(*found)


def _of(campaign: Campaign) -> dict[str, Any]:
    return {"campaign": {"id": campaign.pk, "name": campaign.name, "channel": campaign.channel_word}}


def _message(message: Message, attempts: Iterable[Attempt]) -> dict[str, Any]:
    row = Row(message)
    words = words_of(message.campaign, message)
    return _of(message.campaign) | {
        "number": message.number,
        "key": message.key,
        "address": message.address,
        "variant": row.variant,
        "outcome": row.status,
        "detail": row.detail,
        "at": row.at,
        "subject": words.subject,
        "text": words.text,
        "fields": message.fields,
        "last_error": message.last_error,
        "providers_number": message.provider_id,
        "attempts": [_attempt(attempt) for attempt in attempts],
    }


def _attempt(attempt: Attempt) -> dict[str, Any]:
    return {
        "at": attempt.at,
        "outcome": attempt.get_outcome_display(),
        "cause": Category(attempt.category).label,
        "error": attempt.error,
    }
