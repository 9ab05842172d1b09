"""What the messages of one campaign have in common, and the sender that carries them, opened or found closed."""

import json
import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from django.db import connection, transaction

from campaigns.footer import links_of
from campaigns.models import Campaign
from campaigns.rendering import Renderer, renderer_of
from dispatcher import pace
from dispatcher.chosen import Chosen, chosen_sender, close_lane
from dispatcher.handover import Handover, StillOpening
from dispatcher.senders.parcel import Parcel, Sender, Unreachable
from dispatcher.verdicts import Standing, Terms
from people.channels import Channel
from people.in_use import groups_asked_by
from people.links import Links, Purpose
from people.models import UNSUBSCRIBE_LINK
from wires import live

logger = logging.getLogger(__name__)
NO_HEADERS: Mapping[str, str] = MappingProxyType({})
DECODER = json.JSONDecoder()  # without looking for the blanks around it, of which PostgreSQL writes none

PUT_OFF = """
    UPDATE dispatcher_batch SET due_at = clock_timestamp() + %s * interval '1 second'
    WHERE id IN (SELECT id FROM dispatcher_batch
                 WHERE campaign_id = %s AND owner = '' AND due_at <= clock_timestamp()
                 ORDER BY id FOR UPDATE SKIP LOCKED)
"""
OTHERS_GET_THROUGH = """
    SELECT EXISTS (
        SELECT FROM campaigns_campaign c JOIN dispatcher_batch b ON b.campaign_id = c.id
        WHERE c.workspace_id = %s AND c.channel = %s AND c.launched_at IS NOT NULL AND c.finished_at IS NULL
          AND b.due_at > clock_timestamp() AND b.owner <> '' AND b.in_flight > 0 AND b.account = %s)
"""


@dataclass(frozen=True, slots=True)
class Content:
    """What one campaign says and by whom it goes out; frozen, so read once a shift."""

    campaign: int
    workspace: int
    channel: Channel
    chosen: Chosen
    account: str
    sender: Sender | None  # None while nothing may be handed over
    terms: Terms
    key_seconds: float
    written_by: str
    renderer: Renderer
    links: Links
    groups: list[int]  # by which it chose its people, where it is not for everyone

    @property
    def lane(self) -> pace.Lane:
        return self.chosen.lane

    def parcel(self, standing: Standing, address: str, fields: str, recipient: int, variant: int) -> Parcel:
        """The message to one address; `fields` is the JSON of what the text may name of its recipient."""
        values, _ = DECODER.raw_decode(fields)
        if self.renderer.has_link:
            values[UNSUBSCRIBE_LINK] = self.links.to(Purpose.PAGE, recipient)
        subject, text, html = self.renderer.rendered(values, variant)
        return Parcel(
            key=standing.key,
            channel=self.channel.word,
            to=address,
            sender=self.written_by,
            subject=subject,
            text=text,
            html=html,
            tries=standing.tries,
            headers=self._headers(recipient),
        )

    def _headers(self, recipient: int) -> Mapping[str, str]:
        if self.channel != Channel.EMAIL or not self.links.base:
            return NO_HEADERS
        return OneClick(self.links, recipient)


class OneClick(Mapping[str, str]):
    """What a mail program needs for a button of its own (RFC 2369, RFC 8058).

    The link is sealed when a sender asks for it: those that send no mails of their own never do.
    """

    __slots__ = ("_links", "_recipient")

    def __init__(self, links: Links, recipient: int) -> None:
        self._links, self._recipient = links, recipient

    def __getitem__(self, name: str) -> str:
        if name == "List-Unsubscribe":
            return f"<{self._links.to(Purpose.ONE_CLICK, self._recipient)}>"
        if name == "List-Unsubscribe-Post":
            return "List-Unsubscribe=One-Click"
        raise KeyError(name)

    def __iter__(self) -> Iterator[str]:
        return iter(("List-Unsubscribe", "List-Unsubscribe-Post"))

    def __len__(self) -> int:
        return 2


def content_of(campaign_id: int, hands: Handover) -> Content:
    """What the campaign says, and the terms of its sender. Raises StillOpening or Unreachable."""
    campaign = Campaign.objects.select_related("workspace").get(pk=campaign_id)
    chosen = chosen_sender(campaign.workspace_id, campaign.channel)
    # A cancelled campaign is only closed: that must not depend on a sender that may be gone.
    is_over = campaign.status == Campaign.Status.CANCELLED
    sender = open_sender(chosen, campaign, hands) if campaign.status == Campaign.Status.SENDING else None
    promises = sender or (None if is_over else chosen.make())
    honours = promises.honours_keys if promises else None
    return Content(
        campaign=campaign.pk,
        workspace=campaign.workspace_id,
        channel=Channel(campaign.channel),
        chosen=chosen,
        account="" if is_over else chosen.account,
        sender=sender,
        terms=Terms(
            honours_keys=honours is not None,
            refusals_are_conclusive=bool(promises and honours and promises.remembers_refusals),
            policy=campaign.workspace.retry_policy,
        ),
        key_seconds=honours.total_seconds() if honours else 0,
        written_by=chosen.mailbox,
        renderer=renderer_of(campaign),
        links=links_of(campaign, Channel(campaign.channel)),
        groups=[] if campaign.everyone else groups_of(campaign),
    )


def groups_of(campaign: Campaign) -> list[int]:
    """The groups by which it chose its people, also by way of a segment."""
    return [*campaign.groups.values_list("pk", flat=True), *groups_asked_by(campaign.segments.all())]


def open_sender(chosen: Chosen, campaign: Campaign, hands: Handover) -> Sender:
    """The open sender; where it cannot be reached that is written down, and no worker tries for a while.

    Raises StillOpening or Unreachable.
    """
    with connection.cursor() as cursor:
        seconds = pace.closed_for(cursor, chosen.lane)
        if seconds <= 0:
            try:
                return hands.sender(chosen)
            except Unreachable as error:
                facts = {"campaign": campaign.pk, "workspace": campaign.workspace_id}
                logger.warning(
                    "campaign %s waits: the sender %s cannot be reached", campaign.pk, chosen.sender, extra=facts
                )
                if _others_get_through(cursor, chosen):
                    raise
                seconds = error.retry_after or 0
                with transaction.atomic():
                    if not close_lane(cursor, chosen, seconds=seconds, trouble=str(error)):
                        raise StillOpening from None  # another was chosen meanwhile: it is looked at next
                live.changed(campaign.pk, campaign.workspace_id)
        # The clock rings again when they are due: until then no worker need be awake for them.
        cursor.execute(PUT_OFF, [seconds, campaign.pk])
    raise Unreachable("The sender cannot be reached.", retry_after=seconds)


def _others_get_through(cursor, chosen: Chosen) -> bool:
    """Whether another worker hands over to this account now: then there are just no more connections for us."""
    if not chosen.is_known:
        return False
    cursor.execute(OTHERS_GET_THROUGH, [chosen.workspace, chosen.channel, chosen.account])
    return cursor.fetchone()[0]
