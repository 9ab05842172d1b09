"""The ceiling: the same rows settled by bare statements of the engine's size, with nothing leased, noted or sent."""

import uuid

from django.conf import settings
from django.db import connection, transaction

from campaigns.models import Campaign
from tests.bench import costs

SETTLE = """
    UPDATE dispatcher_message AS m
    SET status = 2, tries = m.tries + 1, provider_id = v.provider_id, last_error = '', digest = v.digest,
        sent_at = clock_timestamp(), updated_at = clock_timestamp()
    FROM unnest(%s::bigint[], %s::text[], %s::bigint[]) AS v(id, provider_id, digest) WHERE m.id = v.id AND m.status = 1
"""


def send(campaign: Campaign) -> costs.Cost:
    """Settle all of a campaign, in this process."""
    ids = list(campaign.messages.order_by("number").values_list("pk", flat=True))
    slices = [ids[at : at + settings.BATCH_SIZE] for at in range(0, len(ids), settings.BATCH_SIZE)]
    answers = [[f"sim-{uuid.uuid4()}" for _ in part] for part in slices]
    with costs.measured(len(ids)) as cost:
        for part, answered in zip(slices, answers, strict=True):
            with transaction.atomic(), connection.cursor() as cursor:
                cursor.execute(SETTLE, [part, answered, part])
    return cost
