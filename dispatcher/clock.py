"""The clock: every second it looks what time has made due, and rings. Two clocks do no harm."""

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

from django.db import InterfaceError, OperationalError, connection, transaction
from django.db.models import Q, QuerySet
from django.db.models.functions import Now
from django.utils import timezone

from accounts import once
from accounts.origin import working_at
from campaigns import linking
from campaigns.models import Campaign
from dispatcher import dry_run_due, forget_due, operations, recurring, store_due, trials, winner
from dispatcher.bounces import suppress_bounced
from dispatcher.finish import finish
from dispatcher.models import Batch, Heartbeat, Settlement
from dispatcher.readiness import LaunchRefused
from people import carrying, list_looks
from wires import queue

logger = logging.getLogger(__name__)
Status = Campaign.Status
NAME = "clock"
TOO_LATE = timedelta(hours=24)  # a schedule missed by more asks a person instead of sending
REMEMBERED = timedelta(hours=1)
SILENT_AFTER = timedelta(seconds=10)  # it beats every second
PREPARING_SECONDS = 0.8
KEPT_EVERY = 3600
STORED_EVERY = 3600


def tick() -> None:
    """Do what is due now; what fails is logged and tried again a second later."""
    for step in (
        keep_wall_clocks,
        start_schedules,
        carry_on_series,
        carry_on_preparing,
        choose_winners,
        finish_the_finished,
        ring_if_due,
        resume_imports,
        ring_to_store,
        ring_to_forget,
        ring_to_look,
        ring_for_dry_runs,
        ring_to_link,
        suppress_bounced,
        tidy,
        forget_answers,
        beat,
    ):
        try:
            step()
        except Exception:
            logger.exception("the clock could not %s", step.__name__.replace("_", " "))
            connection.close()


_kept = float("-inf")  # when the wall clocks were looked at last


def keep_wall_clocks() -> None:
    """When the rules of a time zone change, 09:00 there stays 09:00: looked at when a clock begins and every hour."""
    global _kept
    if time.monotonic() - _kept < KEPT_EVERY:
        return
    for campaign in Campaign.objects.filter(status=Status.SCHEDULED).exclude(scheduled_zone="").iterator():
        with one_alone(campaign.pk):
            if campaign.wall and campaign.wall.instant != campaign.scheduled_at:
                keep_wall_clock(campaign.pk)
    _kept = time.monotonic()


@transaction.atomic
def keep_wall_clock(pk: int) -> None:
    campaign = unlocked(pk).filter(status=Status.SCHEDULED).first()
    if campaign and campaign.wall:
        operations.change_time(campaign, at=campaign.wall, by=None)


def carry_on_series() -> None:
    """Make the next of each series whose newest has started, or was cancelled, deleted or put back."""
    for pk in recurring.without_a_next().values_list("pk", flat=True)[:100]:
        with one_alone(pk, "series"):
            recurring.carry_on(pk)


def start_schedules() -> None:
    due = Campaign.objects.filter(status=Status.SCHEDULED, scheduled_at__lte=Now())
    for campaign in due.order_by("scheduled_at")[:100]:
        with one_alone(campaign.pk):
            start(campaign)


@transaction.atomic
def start(campaign: Campaign) -> None:
    """Launch a campaign that is scheduled and due; one that cannot go, or comes too late, becomes a draft."""
    # Looked at again under the lock: a person may have pulled it back, or another clock be at it.
    due = unlocked(campaign.pk).filter(status=Status.SCHEDULED, scheduled_at__lte=Now()).first()
    if not due or not due.scheduled_at:
        return
    late = timezone.now() - due.scheduled_at
    if late > TOO_LATE:
        ago = "1 day ago" if late.days == 1 else f"{late.days} days ago"
        reason = f"It was due {ago}, on {due.start_words}. Send it now or choose another time."
        operations.unschedule(due, by=None, reason=reason)
        logger.warning("campaign %s was not started: %s", due.pk, reason)
        return
    try:
        operations.launch(due, by=None)
    except LaunchRefused as refusal:
        if refusal.code == "ADDRESSES_LINKING":
            return  # a moment, and all for whom it is meant are there
        operations.unschedule(due, by=None, reason=f"Could not start: {refusal}")
        logger.warning("campaign %s could not be started: %s", due.pk, refusal)


def carry_on_preparing() -> None:
    """Freeze chunk after chunk of the campaigns being prepared, for most of a second."""
    ends = time.monotonic() + PREPARING_SECONDS
    for pk in Campaign.objects.filter(status=Status.PREPARING).order_by("launched_at").values_list("pk", flat=True):
        with one_alone(pk):
            while not freeze_next(pk) and time.monotonic() < ends:
                pass


@transaction.atomic
def freeze_next(pk: int) -> bool:
    """Freeze the next chunk; True once there is nothing left to do here, or another clock is at it."""
    campaign = unlocked(pk).filter(status=Status.PREPARING).first()
    return not campaign or operations.carry_on(campaign)


def choose_winners() -> None:
    """Where the rule of a campaign with variants is due, the rest get the winner."""
    for pk in winner.undecided().values_list("campaign", flat=True)[:100]:
        with one_alone(pk):
            winner.choose_by_rule(pk)


def unlocked(pk: int) -> QuerySet[Campaign]:
    """The campaign, locked from here on, unless somebody else holds it."""
    rows = Campaign.objects.select_for_update(of=("self",), skip_locked=True)
    return rows.select_related("workspace").filter(pk=pk)


@contextmanager
def one_alone(pk: int, what: str = "campaign") -> Iterator[None]:
    """What goes wrong with one campaign, or one series, stops none of the others."""
    with working_at(**{what: pk}):
        try:
            yield
        except Exception as error:
            logger.exception("the clock could not move %s %s on", what, pk)
            if isinstance(error, OperationalError | InterfaceError):
                connection.close()


def finish_the_finished() -> None:
    """Finish what nobody finished: the worker that closed the last batch died before it could."""
    going = Campaign.objects.filter(
        status__in=[Status.SENDING, Status.PAUSED, Status.CANCELLED],
        launched_at__isnull=False,
        finished_at=None,
    )
    for campaign in going.exclude(batches__due_at__isnull=False):
        with one_alone(campaign.pk):
            finish(campaign.pk)


def ring_if_due() -> None:
    # While paused nothing is sent, but what a lost worker had in hand is settled.
    wanted = Q(campaign__status__in=[Status.SENDING, Status.CANCELLED]) | Q(
        campaign__status=Status.PAUSED, owner__gt=""
    )
    if Batch.objects.filter(wanted, due_at__lte=Now()).exists():
        queue.ring()


def resume_imports() -> None:
    carrying.ring_unfinished()
    carrying.cancel_abandoned()


_rung = float("-inf")  # when old messages were looked for last


def ring_to_store() -> None:
    """Have old messages moved into files, if that is wanted: looked for when a clock begins and every hour."""
    global _rung
    if time.monotonic() - _rung < STORED_EVERY:
        return
    if store_due.is_due():
        queue.ask_to_store()
    _rung = time.monotonic()


def ring_to_forget() -> None:
    forget_due.ring_unfinished()


def ring_to_look() -> None:
    list_looks.ring_unfinished()


def ring_for_dry_runs() -> None:
    dry_run_due.ring_unfinished()


def ring_to_link() -> None:
    linking.ring_unfinished()


def tidy() -> None:
    Settlement.objects.filter(at__lt=Now() - REMEMBERED).delete()
    trials.forget_old()


def beat() -> None:
    Heartbeat.objects.update_or_create(name=NAME, defaults={"at": Now()})


def is_alive() -> bool:
    """Whether a clock was heard of within the last ten seconds."""
    return Heartbeat.objects.filter(name=NAME, at__gt=Now() - SILENT_AFTER).exists()


_forgot = float("-inf")  # when kept answers were looked through last


def forget_answers() -> None:
    """What programs were answered a day ago is not answered again; looked through at the start and every hour."""
    global _forgot
    if time.monotonic() - _forgot < KEPT_EVERY:
        return
    once.forget_old()
    _forgot = time.monotonic()
