"""The dry run: everybody is looked at and every text made as a launch would, and nothing is handed over.

A worker goes over the audience by thousands, in turns. The row tells how far it has come, so that a worker that is
killed loses nothing but its last thousands.
"""

import hashlib
import json
import logging
from collections.abc import Iterator
from time import monotonic
from typing import Any

from django.conf import settings
from django.contrib.postgres.aggregates import BitXor
from django.db import InterfaceError, OperationalError, transaction
from django.db.models import BigIntegerField, Count, F, Func, TextField, Value
from django.db.models.functions import Now

from accounts import audit_log
from accounts.models import Actor, User
from campaigns.authoring import NotEditable
from campaigns.footer import footer_of, links_of
from campaigns.generated import uncounted
from campaigns.models import Campaign, Split
from campaigns.price import price_for
from campaigns.rendering import Renderer
from campaigns.templated import misfits
from campaigns.weighing import as_it_would_be
from dispatcher import freeze, operations
from dispatcher.crash import crash_point
from dispatcher.models import DryRun, SkipReason
from dispatcher.prediction import predict
from dispatcher.readiness import refuse_unwritten
from people.channels import Channel
from people.links import Links, Purpose
from people.models import STANDARD_FIELDS, UNSUBSCRIBE_LINK
from people.patience import TookTooLong, patience
from wires import queue

logger = logging.getLogger(__name__)
State = DryRun.State
CHUNK = 5_000  # people looked at between two notes of how far it has come
TURN = 30  # seconds a worker works at one before it looks whether something else waits


class Overtaken(Exception):
    """Another worker goes on with it, or it was ended."""


@transaction.atomic
def dry_run(campaign: Campaign, *, by: Actor | None) -> DryRun:
    """Begin one, or return the one that is under way.

    Raises NotEditable, or LaunchRefused where the words are not finished.
    """
    campaign = operations.locked(campaign)
    if not campaign.is_editable:
        raise NotEditable(campaign)
    refuse_unwritten(campaign)
    running = campaign.dry_runs.filter(state=State.RUNNING).first()
    if running:
        return running
    run = DryRun.objects.create(
        campaign=campaign, words=seal_of_words(campaign), by=by if isinstance(by, User) else None
    )
    audit_log.record(campaign.workspace, "dry_run", campaign, by=by, after={"begun": True})
    queue.ask_for_dry_run(run.pk)
    return run


def seal_of_words(campaign: Campaign) -> str:
    """Short for what the campaign says and whom it chooses: once something else is saved it has another."""
    told = [campaign.version, footer_of(campaign.workspace, Channel(campaign.channel)), settings.PUBLIC_URL]
    return hashlib.sha256(json.dumps(told).encode()).hexdigest()


def seal_of_people(campaign: Campaign) -> tuple[int, str]:
    """How many are chosen, and short for who they are, who is left out, and what is known of each."""
    row = Func(Value("|"), F("pk"), F("skip"), F("updated_at"), function="concat_ws", output_field=TextField())
    digest = Func(row, Value(0), function="hashtextextended", output_field=BigIntegerField())
    found = freeze.candidates(campaign).order_by().aggregate(people=Count("pk"), seal=BitXor(digest))
    return found["people"], f"{found['people']} {found['seal']}"


def what_changed(campaign: Campaign, run: DryRun) -> str:
    """Why its numbers hold no longer, in a sentence; empty while they do."""
    if seal_of_words(campaign) != run.words:
        return "The campaign was changed since."
    try:
        with patience():
            _, seal = seal_of_people(campaign)
    except TookTooLong:
        return "Whether somebody was changed since cannot be told quickly, there are so many."
    return "" if seal == run.people else "People, or what they wish, changed since."


def carry_out(run_id: int) -> None:
    """Carry it on from where it stands, for a turn. Two at once, or one killed at any point, do no harm."""
    run = DryRun.objects.select_related("campaign__workspace").filter(pk=run_id, state=State.RUNNING).first()
    if run is None:
        return
    until = monotonic() + TURN
    try:
        for _ in _steps(run):
            if monotonic() > until:  # others wait for this worker, too
                return queue.ask_for_dry_run(run_id)
    except Overtaken:
        logger.info("dry run %s is carried on by another worker, or ended", run_id)
    except (OperationalError, InterfaceError, queue.TimeIsUp):
        raise  # the database went away, or the worker has no more time: the clock asks again
    except Exception:
        logger.exception("dry run %s failed", run_id)
        _note(run, state=State.FAILED, ended_at=Now())


def _steps(run: DryRun) -> Iterator[None]:
    campaign = run.campaign
    if run.expected is None:
        expected, seal = seal_of_people(campaign)
        _note(run, expected=expected, people=seal)
        yield
    renderer, links = as_it_would_be(campaign), links_of(campaign, Channel(campaign.channel))
    while not is_overtaken(run):
        is_more = _look_at_chunk(run, renderer, links)
        crash_point("in_dry_run")
        if not is_more:
            return _end(run)
        yield
    _note(run, state=State.OVERTAKEN, ended_at=Now())


def is_overtaken(run: DryRun) -> bool:
    """Whether what goes out, or went, is not what is being looked at."""
    campaign = Campaign.objects.select_related("workspace").get(pk=run.campaign_id)
    return not campaign.is_editable or seal_of_words(campaign) != run.words


def _look_at_chunk(run: DryRun, renderer: Renderer, links: Links) -> bool:
    """Count the next people and make their texts; False once there is nobody left."""
    campaign, names = run.campaign, freeze.names_used(run.campaign)
    columns = [name if name in STANDARD_FIELDS else f"attributes__{name}" for name in names]
    address = Channel(campaign.channel).address_field
    lot = F("lot") if Split.of(campaign) else Value(0)
    people = freeze.candidates(campaign).filter(pk__gt=run.up_to).annotate(variant=lot).order_by("pk")
    rows = list(people.values_list("pk", "skip", "variant", address, *columns)[:CHUNK])
    if not rows:
        return False
    skipped, weighed = [run.skips[reason] for reason in SkipReason], run.weights
    # No two people of a workspace have one address: the freeze, too, finds it twice only where it changed hands
    # meanwhile. So neighbours are enough to compare with.
    seen: set[str] = set()
    reached: list[tuple[int, dict[str, object]]] = []
    variants: dict[int, int] = {}
    for pk, skip, variant, to, *words in rows:
        reason = skip or (SkipReason.DUPLICATE_ADDRESS if to in seen else None)
        if reason:
            skipped[reason - 1] += 1
            continue
        seen.add(to)
        variants[pk] = variant
        link = {UNSUBSCRIBE_LINK: links.dead(Purpose.PAGE, pk)} if renderer.has_link else {}
        reached.append((pk, {**dict(zip(names, words, strict=True)), **link}))
    weighed.take(renderer, reached, variants.__getitem__)
    _note(
        run,
        up_to=rows[-1][0],
        looked_at=run.looked_at + len(rows),
        skipped_by=skipped,
        weighed=weighed.as_json(),
        **_unfitting(run, reached),
    )
    return len(rows) == CHUNK


def _unfitting(run: DryRun, reached: list[tuple[int, dict[str, object]]]) -> dict[str, Any]:
    if run.campaign.whatsapp_template_id is None:
        return {}
    return {"unfitting": misfits(run.campaign, reached, run.misfits).as_json()}


def _note(run: DryRun, **columns) -> None:
    """Write down how far it has come, unless somebody else did. Raises Overtaken."""
    here = DryRun.objects.filter(pk=run.pk, state=State.RUNNING, up_to=run.up_to)
    if not here.update(moved_at=Now(), **columns):
        raise Overtaken
    for name, value in columns.items():
        setattr(run, name, value)


@transaction.atomic
def _end(run: DryRun) -> None:
    price = None if uncounted(run.campaign) else price_for(run.campaign, run.weights.parts)
    _note(
        run,
        state=State.DONE,
        ended_at=Now(),
        amount=price and price.amount,
        currency=price.currency if price else "",
        seconds=predict(run.campaign, run.reached).seconds,
    )
    # One is enough to compare with; those before it say what was true once.
    DryRun.objects.filter(campaign=run.campaign_id, pk__lt=run.pk).delete()
