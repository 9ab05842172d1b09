"""Freezing: turns the people chosen now into the messages of a campaign, one row each, set by set."""

import secrets
from dataclasses import dataclass

from django.conf import settings
from django.db import connection
from django.db.models import Case, Count, F, IntegerField, Q, QuerySet, Value, When
from django.db.models.functions import JSONObject

from campaigns.generated import names_in
from campaigns.models import Campaign, Split
from campaigns.rendering import renderer_of
from campaigns.splitting import HELD_OUT, Lot
from dispatcher.models import Message, SkipReason
from people.channels import Channel
from people.consent import refuses
from people.models import STANDARD_FIELDS

CHUNK = 20_000  # candidates frozen in one transaction
E164 = r"^\+[1-9]\d{6,14}$"
EMAIL = r"^[^@\s]+@[^@\s]+$"


def candidates(campaign: Campaign) -> QuerySet:
    """The audience, each person with the reason why he or she is left out, or None."""
    channel, split = Channel(campaign.channel), Split.of(campaign)
    field = channel.address_field
    held_out = [When(lot=HELD_OUT, then=Value(SkipReason.HELD_OUT))] if split and split.hold_out else []
    reason = Case(
        When(refuses(channel), then=Value(SkipReason.OPTED_OUT)),
        When(**{field: ""}, then=Value(SkipReason.NO_ADDRESS)),
        When(**{channel.suppressed_field: True}, then=Value(SkipReason.SUPPRESSED)),
        When(~Q(**{f"{field}__regex": looks_right(campaign.channel)}), then=Value(SkipReason.INVALID_ADDRESS)),
        *held_out,
        default=None,
        output_field=IntegerField(),
    )
    people = campaign.audience()
    if split:
        people = people.alias(lot=Lot(split.shares, campaign.pk))
    return people.annotate(skip=reason)


def looks_right(channel: int) -> str:
    """What an address of this channel looks like, as a regular expression."""
    return EMAIL if Channel(channel).address_field == "email" else E164


@dataclass(frozen=True)
class Forecast:
    """What a launch now would do: `chosen` people, of whom `reached` get a message and the others do not."""

    chosen: int
    skipped: dict[SkipReason, int]

    @property
    def reached(self) -> int:
        return self.chosen - sum(self.skipped.values())


def forecast(campaign: Campaign) -> Forecast:
    """Counts the audience by reason, in one query."""
    rows = candidates(campaign).order_by().values_list("skip").annotate(n=Count("pk"))
    counts = dict(rows)
    skipped = {SkipReason(reason): n for reason, n in counts.items() if reason is not None}
    return Forecast(chosen=sum(counts.values()), skipped=skipped)


def names_used(campaign: Campaign) -> list[str]:
    """The fields the content asks for: what each message keeps a copy of."""
    generated = names_in(campaign.workspace) if campaign.generated_words else ()  # these are written in afterwards
    return [name for name in renderer_of(campaign).kept if name not in generated]


# Keys rise with the numbers, behind a secret of their chunk: a provider that looks them up finds neighbours together.
# So they are no secrets: who knows one may guess the next, and knowing one must never allow anything.
# Whoever erases one of these people waits until their message can be seen; whom somebody erased first is no candidate.
FREEZE_CHUNK = """
    WITH chunk AS MATERIALIZED ({chunk} FOR KEY SHARE OF people_recipient),
    reached AS (
        INSERT INTO dispatcher_message
            (campaign_id, recipient_id, number, key, address, fields, variant, status, tries, retry_count,
             doubt_of_old_key, last_error, provider_id, assumed, delivery)
        SELECT %s, id, %s + row_number() OVER (ORDER BY {order}),
               (%s || lpad(to_hex(row_number() OVER (ORDER BY {order})), 8, '0'))::uuid, address, fields, {variant},
               1, 0, 0, false, '', '', false, 0
        FROM chunk WHERE skip IS NULL
        ON CONFLICT (campaign_id, address) DO NOTHING
        RETURNING recipient_id),
    left_out AS (
        INSERT INTO dispatcher_message
            (campaign_id, recipient_id, number, key, address, fields, status, tries, retry_count,
             skip_reason, doubt_of_old_key, last_error, provider_id, assumed, delivery)
        SELECT %s, id, %s + (SELECT count(*) FROM chunk WHERE skip IS NULL) + row_number() OVER (ORDER BY id),
               gen_random_uuid(), NULL, fields, 4, 0, 0, coalesce(skip, %s), false, '', '', false, 0
        FROM chunk WHERE id NOT IN (SELECT recipient_id FROM reached))
    SELECT max(id), count(*) FROM chunk
"""


def freeze_chunk(campaign: Campaign) -> bool:
    """Freeze the next candidates; False once there are none. The caller holds the campaign's row lock."""
    columns = {name: name if name in STANDARD_FIELDS else f"attributes__{name}" for name in names_used(campaign)}
    chunk = (
        candidates(campaign)
        .filter(pk__gt=campaign.frozen_up_to)
        .annotate(address=F(Channel(campaign.channel).address_field), fields=JSONObject(**columns))
        .order_by("pk")
        .values_list("id", "address", "fields", "skip")
    )
    is_split = Split.of(campaign) is not None
    if is_split:
        chunk = chunk.annotate(variant=F("lot"))
    # Numbered variant by variant, so that each batch can be of one; those who wait come last.
    order, variant = ("variant = 0, variant, id", "variant") if is_split else ("id", "0")
    sql, params = chunk[:CHUNK].query.sql_with_params()
    so_far = last_number(campaign)
    with connection.cursor() as cursor:
        cursor.execute(
            FREEZE_CHUNK.format(chunk=sql, order=order, variant=variant),
            [*params, campaign.pk, so_far, secrets.token_hex(12), campaign.pk, so_far, SkipReason.DUPLICATE_ADDRESS],
        )
        highest, frozen = cursor.fetchone()
    if highest:
        Campaign.objects.filter(pk=campaign.pk).update(frozen_up_to=highest)
        campaign.frozen_up_to = highest
    return frozen == CHUNK


def last_number(campaign: Campaign) -> int:
    """Of the messages frozen so far."""
    return Message.objects.filter(campaign=campaign).order_by("-number").values_list("number", flat=True).first() or 0


SLICE = """
    INSERT INTO dispatcher_batch
        (campaign_id, first, last, variant, is_rest, due_at, epoch, owner, pass_no, handed_up_to, in_flight, lapses,
         total, pending, sent, failed, skipped, cancelled, unknown, failed_by, skipped_by)
    SELECT %(campaign)s, first, last, variant, is_rest,
           CASE WHEN pending = 0 THEN NULL WHEN is_rest THEN %(held_until)s ELSE clock_timestamp() END,
           0, '', 0, first - 1, 0, 0,
           total, pending, 0, 0, total - pending, 0, 0, array_fill(0, ARRAY[%(categories)s]), skipped_by
    FROM (
        SELECT {columns}, count(*) AS total, count(*) FILTER (WHERE status = 1) AS pending,
               ARRAY[{skips}]::int[] AS skipped_by
        FROM {messages} GROUP BY {slice}
    ) AS slices ORDER BY {order}
"""
ALIKE = {
    "columns": """(number - 1) / %(size)s * %(size)s + 1 AS first, ((number - 1) / %(size)s + 1) * %(size)s AS last,
                  0 AS variant, false AS is_rest""",
    "messages": "dispatcher_message WHERE campaign_id = %(campaign)s",
    "slice": "(number - 1) / %(size)s",
    "order": "first",
}
# A slice ends where the next number is of another variant, or of somebody left out. Variants take turns, so that none
# is ahead of the others when it is stopped halfway.
BY_VARIANT = {
    "columns": """min(number) AS first, max(number) AS last, variant, variant = 0 AND status = 1 AS is_rest""",
    "messages": """(
            SELECT *, (row_number() OVER (PARTITION BY run ORDER BY number) - 1) / %(size)s AS slice FROM (
                SELECT *, count(*) FILTER (WHERE is_first) OVER (ORDER BY number) AS run FROM (
                    SELECT number, variant, status, skip_reason,
                           (variant, status) IS DISTINCT FROM (lag(variant) OVER by_number, lag(status) OVER by_number)
                           AS is_first
                    FROM dispatcher_message WHERE campaign_id = %(campaign)s WINDOW by_number AS (ORDER BY number)
                ) AS marked) AS runs) AS sliced""",
    "slice": "run, slice, variant, status",
    "order": "row_number() OVER (PARTITION BY variant, is_rest ORDER BY first), variant",
}
HELD_UNTIL = "2999-01-01 00:00:00+00"  # for those who wait for the winner: nobody leases what is not due


def slice_into_batches(campaign: Campaign, categories: int) -> int:
    """Cut the frozen messages into batches with their opening counts; returns how many can be sent."""
    skips = ", ".join(f"count(*) FILTER (WHERE skip_reason = {reason})" for reason in SkipReason.values)
    parts = BY_VARIANT if Split.of(campaign) else ALIKE
    values = {"campaign": campaign.pk, "size": settings.BATCH_SIZE, "categories": categories}
    with connection.cursor() as cursor:
        cursor.execute(SLICE.format(skips=skips, **parts), values | {"held_until": HELD_UNTIL})
        cursor.execute("SELECT sum(pending) FROM dispatcher_batch WHERE campaign_id = %s", [campaign.pk])
        return cursor.fetchone()[0] or 0


def undo(campaign: Campaign) -> None:
    """Forget what was frozen: nothing of it was handed over yet."""
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM dispatcher_batch WHERE campaign_id = %s", [campaign.pk])
        cursor.execute("DELETE FROM dispatcher_message WHERE campaign_id = %s", [campaign.pk])
        cursor.execute("DELETE FROM dispatcher_generation WHERE campaign_id = %s", [campaign.pk])
