"""The usual good Django design: one job takes batches of 500, sends them and saves them with bulk_update."""

import uuid

from campaigns.footer import links_of
from campaigns.models import Campaign
from campaigns.rendering import renderer_of
from dispatcher.models import Message
from people.channels import Channel
from people.links import Purpose
from people.models import UNSUBSCRIBE_LINK
from simulator.models import Call
from tests.bench import costs

BATCH = 500
Status = Message.Status


def send(campaign: Campaign, messages: int) -> costs.Cost:
    """Send so many messages or a few more, in this process."""
    batches = -(-messages // BATCH)
    with costs.measured(min(batches * BATCH, campaign.messages.count())) as cost:
        for _ in range(batches):
            send_batch(campaign)
    return cost


def send_batch(campaign: Campaign) -> None:
    renderer, links = renderer_of(campaign), links_of(campaign, Channel.EMAIL)
    batch = list(Message.objects.filter(campaign=campaign, status=Status.PENDING).order_by("number")[:BATCH])
    calls = [
        Call(
            key=message.key,
            honours_key=False,
            accepted=True,
            channel="email",
            address=message.address,
            text=renderer.rendered(
                message.fields | {UNSUBSCRIBE_LINK: links.to(Purpose.PAGE, message.recipient_id)}
            ).text,
        )
        for message in batch
    ]
    Call.objects.bulk_create(calls)
    for message in batch:
        message.status, message.provider_id = Status.SENT, str(uuid.uuid4())
    Message.objects.bulk_update(batch, ["status", "provider_id"])
