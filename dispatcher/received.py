"""What one person got: every message with its outcome, newest campaign first."""

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q, QuerySet
from django.utils import timezone

from campaigns.models import Campaign
from dispatcher.ledger import Row
from dispatcher.models import Message
from people.models import Recipient

SIZE = 20
STORED_COUNTED = 1_000


@dataclass(frozen=True)
class Received:
    """Some of a person's messages; `newer` and `older` are the campaigns above and below which the others are."""

    person: int
    rows: list[Row]
    newer: int | None
    older: int | None
    stored: int  # campaigns since the person is here whose messages are in files, where nobody looks for one person
    now: datetime


def messages_of(person: Recipient) -> QuerySet[Message]:
    return Message.objects.filter(recipient=person, campaign__stored_at=None).select_related("recipient", "campaign")


def received(person: Recipient, *, before: int | None = None, after: int | None = None) -> Received:
    """The messages of campaigns below one id, or above another."""
    theirs = messages_of(person)
    if after is not None:
        found = list(theirs.filter(campaign__gt=after).order_by("campaign")[: SIZE + 1])
        if len(found) > SIZE:
            shown = found[:SIZE][::-1]
            return _page(person, shown, shown[0].campaign_id, shown[-1].campaign_id)
        before = None  # the first page is a whole one
    found = list((theirs.filter(campaign__lt=before) if before else theirs).order_by("-campaign")[: SIZE + 1])
    newer = found[0].campaign_id if before and found else None
    return _page(person, found[:SIZE], newer, found[SIZE - 1].campaign_id if len(found) > SIZE else None)


def _page(person: Recipient, messages: list[Message], newer: int | None, older: int | None) -> Received:
    stored = stored_since(person)[: STORED_COUNTED + 1].count()
    return Received(person.pk, [Row(message) for message in messages], newer, older, stored, timezone.now())


def stored_since(person: Recipient) -> QuerySet[Campaign]:
    """Campaigns that may have gone to the person and whose messages were moved to files."""
    since = Q(launched_at__gte=person.created_at)
    return person.workspace.campaigns.filter(since, stored_at__isnull=False).order_by("pk")
