"""Generating the words of a campaign while it is prepared: each batch once, kept before anything is handed over.

What was written stands in the `fields` of the messages from then on, so that every try says the same. A chore does it
in turns; killed at any moment the next one goes on behind the last batch that was kept.
"""

import json
import logging
import time
from datetime import date, timedelta
from typing import Any

from django.conf import settings
from django.db import connection, transaction
from django.db.models import F, Q, QuerySet
from django.db.models.functions import Now
from django.utils import timezone

from campaigns.generated import asked_for, told_to
from campaigns.models import Campaign
from campaigns.personalisers import PERSONALISERS
from campaigns.personalisers.brief import Brief, Personaliser
from campaigns.personalisers.limits import Failed, Slow, generated, learnt
from campaigns.rendering import renderer_of
from dispatcher.crash import crash_point
from dispatcher.models import Generation, Message
from people.models import STANDARD_FIELDS
from wires import live, queue

logger = logging.getLogger(__name__)
BATCH = 500
TURN_SECONDS = 10
GIVE_UP_AFTER = 3  # batches of which nothing came, one after the other
Rows = list[tuple[int, dict[str, object]]]  # the number of a message, and what is known of its recipient

KEEP = """
    UPDATE dispatcher_message AS m SET fields = m.fields || w.words::jsonb
    FROM unnest(%s::int[], %s::text[]) AS w(number, words)
    WHERE m.campaign_id = %s AND m.number = w.number AND m.recipient_id IS NOT NULL
"""


# --- what the preparation asks ---


def are_ready(campaign: Campaign) -> bool:
    """Whether no words have to be generated any more; the first time it is asked this sets them going.

    All people are frozen, and the caller holds the campaign's lock.
    """
    if not has_begun(campaign) and not begin(campaign):
        return True
    if not campaign.generations.filter(done_at=None).exists():
        return True
    queue.ask_to_generate()
    return False


def has_begun(campaign: Campaign) -> bool:
    return campaign.generated_words and campaign.generations.exists()


def begin(campaign: Campaign) -> bool:
    """Note who writes for this campaign; False where nobody has to."""
    asked = asked_for(campaign.workspace, renderer_of(campaign).names) if campaign.generated_words else {}
    Generation.objects.bulk_create(
        Generation(campaign=campaign, personaliser=name, options=options) for name, options in asked.items()
    )
    return bool(asked)


def outcome_of(campaign: Campaign) -> str:
    """How it went, for the history: "first sentence written for 4,988 people, 12 read the fallback (3 too slow)"."""
    return "".join(f"; {told(each)}" for each in campaign.generations.order_by("pk"))


def told(generation: Generation) -> str:
    kind = PERSONALISERS.get(generation.personaliser)
    title = kind.title.lower() if kind else generation.personaliser
    words = f"{title} written for {generation.written:,}"
    if not generation.fell_back:
        return words
    reasons = {
        "nothing to say": generation.empty,
        "not usable": generation.unusable,
        "too slow": generation.slow,
        "failed": generation.failed,
    }
    listed = ", ".join(f"{count:,} {reason}" for reason, count in reasons.items() if count)
    return f"{words}, {generation.fell_back:,} read the fallback ({listed})"


# --- what the chore does ---


def generate_due() -> None:
    """For some seconds go on with whatever is to be generated, one campaign's batch after the other's."""
    ends = time.monotonic() + TURN_SECONDS
    while time.monotonic() < ends and (generation := take()):
        try:
            go_over(generation, ends)
        finally:
            Generation.objects.filter(pk=generation.pk).update(held_until=None)
    if open_ones().exists():
        queue.ask_to_generate()


def open_ones() -> QuerySet[Generation]:
    free = Q(held_until=None) | Q(held_until__lt=Now())
    return Generation.objects.filter(free, done_at=None, campaign__status=Campaign.Status.PREPARING)


def take() -> Generation | None:
    """The one that is least far on, for us alone for a while; None where nothing is left."""
    for generation in open_ones().select_related("campaign__workspace").order_by("up_to", "pk")[:10]:
        free = Generation.objects.filter(pk=generation.pk, done_at=None)
        held = Now() + timedelta(seconds=2 * settings.GENERATE_SECONDS + TURN_SECONDS)
        if free.filter(Q(held_until=None) | Q(held_until__lt=Now())).update(held_until=held):
            return generation
    return None


def go_over(generation: Generation, ends: float) -> None:
    """Batch after batch of one campaign until the turn is over, it is done, or another has overtaken us."""
    kind = PERSONALISERS.get(generation.personaliser)
    if kind is None:
        give_up(generation, "this version does not have it")
        return
    try:
        personaliser = kind(generation.options)
        learn(generation, personaliser)
    except Failed as failure:
        give_up(generation, f"it could not begin: {failure}")
        return
    except Exception as error:
        logger.exception("the personaliser %s cannot begin", generation.personaliser)
        give_up(generation, f"it could not begin: {type(error).__name__}")
        return
    while next_batch(generation, personaliser) and time.monotonic() < ends:
        live.changed(generation.campaign_id, generation.campaign.workspace_id)


def learn(generation: Generation, personaliser: Personaliser) -> None:
    """Kept, so that every batch of the campaign is told the same."""
    if generation.learnt is None:
        workspace = generation.campaign.workspace_id
        generation.learnt = learnt(personaliser, workspace, seconds=settings.GENERATE_SECONDS)
        Generation.objects.filter(pk=generation.pk, learnt__isnull=True).update(learnt=generation.learnt)
        generation.refresh_from_db(fields=["learnt"])


def next_batch(generation: Generation, personaliser: Personaliser) -> bool:
    """Generate the next batch and keep it; False where none is left or another was faster."""
    rows = people_of(generation, personaliser)
    if not rows:
        # What was learnt of people is not kept longer than it is needed.
        here = Generation.objects.filter(pk=generation.pk, up_to=generation.up_to, done_at=None)
        here.update(done_at=Now(), learnt=None)
        return False
    campaign = generation.campaign
    brief = Brief(campaign.brief, launch_day(campaign), generation.learnt or {})
    people = [told_to(personaliser, values) for _, values in rows]
    words: list[dict[str, str]] = [{} for _ in rows]
    try:
        answer = generated(personaliser, people, brief, seconds=settings.GENERATE_SECONDS)
    except Failed as failure:
        counts = {"slow" if isinstance(failure, Slow) else "failed": len(rows)}
        trouble, in_a_row = str(failure)[:200], generation.in_a_row + 1
    else:
        words = answer.words
        written = len(rows) - answer.empty - answer.unusable
        counts = {"written": written, "empty": answer.empty, "unusable": answer.unusable}
        trouble, in_a_row = generation.trouble, 0
    crash_point("before_words_kept")
    numbers = [number for number, _ in rows]
    if not keep(generation, numbers, words, counts, trouble=trouble, in_a_row=in_a_row):
        return False
    crash_point("after_words_kept")
    if in_a_row >= GIVE_UP_AFTER:
        give_up(generation, trouble)
    return in_a_row < GIVE_UP_AFTER


def launch_day(campaign: Campaign) -> date:
    """In the zone of the workspace: the same for every batch."""
    return (campaign.launched_at or timezone.now()).astimezone(campaign.workspace.zone).date()


def people_of(generation: Generation, personaliser: Personaliser) -> Rows:
    """The next messages that will be sent, with the fields the personaliser asks for."""
    columns = [name if name in STANDARD_FIELDS else f"attributes__{name}" for name in personaliser.asks]
    ahead = waiting(generation).order_by("number")
    rows = ahead.values_list("number", *(f"recipient__{column}" for column in columns))[:BATCH]
    return [(number, dict(zip(personaliser.asks, values, strict=True))) for number, *values in rows]


def waiting(generation: Generation) -> QuerySet[Message]:
    here = Message.objects.filter(campaign=generation.campaign_id, number__gt=generation.up_to)
    return here.filter(status=Message.Status.PENDING, recipient__isnull=False)


@transaction.atomic
def keep(generation: Generation, numbers: list[int], words: list[dict[str, str]], counts: dict, **columns: Any) -> bool:
    """Write the words of a batch into its messages; False, changing nothing, where it is not ours to write any more."""
    campaign = Campaign.objects.select_for_update().filter(pk=generation.campaign_id)
    if not campaign.filter(status=Campaign.Status.PREPARING).first():
        return False
    counted = {name: F(name) + count for name, count in counts.items()}
    here = Generation.objects.filter(pk=generation.pk, up_to=generation.up_to, done_at=None)
    if not here.update(up_to=numbers[-1], **counted, **columns):
        return False
    told = [(number, json.dumps(each)) for number, each in zip(numbers, words, strict=True) if each]
    with connection.cursor() as cursor:
        cursor.execute(KEEP, [[number for number, _ in told], [each for _, each in told], generation.campaign_id])
    generation.up_to = numbers[-1]
    generation.in_a_row, generation.trouble = columns["in_a_row"], columns["trouble"]
    return True


def give_up(generation: Generation, trouble: str) -> None:
    """All who are left read the fallback: a campaign is never lost for want of words."""
    campaign = generation.campaign_id
    logger.warning("generating words for campaign %s was given up: %s", campaign, trouble, extra={"campaign": campaign})
    here = Generation.objects.filter(pk=generation.pk, up_to=generation.up_to, done_at=None)
    left = waiting(generation).count()
    here.update(done_at=Now(), learnt=None, failed=F("failed") + left, trouble=f"given up: {trouble}"[:200])
