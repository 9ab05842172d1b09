"""The usual good Django design: one job takes batches of 500, sends them and saves them with bulk_update."""

import time
import uuid

from campaigns.models import Campaign
from campaigns.personalise import text
from dispatcher.models import Message
from simulator.models import Call

BATCH = 500
Status = Message.Status


def rate(campaign: Campaign, messages: int) -> float:
    """Messages a second over this many messages, in this process."""
    body = text(campaign.body)
    began = time.monotonic()
    for _ in range(messages // BATCH):
        batch = list(Message.objects.filter(campaign=campaign, status=Status.PENDING).order_by("number")[:BATCH])
        calls = [
            Call(
                key=message.key,
                honours_key=False,
                accepted=True,
                channel="email",
                address=message.address,
                text=body.filled_for(message.fields),
            )
            for message in batch
        ]
        Call.objects.bulk_create(calls)
        for message in batch:
            message.status, message.provider_id = Status.SENT, str(uuid.uuid4())
        Message.objects.bulk_update(batch, ["status", "provider_id"])
    return messages / (time.monotonic() - began)
