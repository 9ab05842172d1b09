"""The clock: every second it looks what time has made due, and rings. Two clocks do no harm."""

import logging
from datetime import timedelta

from django.db import connection, transaction
from django.utils import timezone

from campaigns.models import Campaign, IllegalMove
from dispatcher import operations
from dispatcher.finish import finish
from dispatcher.models import Batch, Heartbeat, Settlement
from people import imports
from wires import queue

logger = logging.getLogger(__name__)
Status = Campaign.Status
NAME = "clock"
TOO_LATE = timedelta(hours=24)  # a schedule missed by more asks a person instead of sending
REMEMBERED = timedelta(hours=1)


def tick() -> None:
    """Do what is due now; what fails is logged and tried again a second later."""
    for step in (
        start_schedules,
        carry_on_preparing,
        finish_the_finished,
        ring_if_due,
        resume_imports,
        tidy,
        beat,
    ):
        try:
            step()
        except Exception:
            logger.exception("the clock could not %s", step.__name__.replace("_", " "))
            connection.close()


def start_schedules() -> None:
    due = Campaign.objects.filter(status=Status.SCHEDULED, scheduled_at__lte=timezone.now())
    for campaign in due.order_by("scheduled_at")[:100]:
        start(campaign)


def start(campaign: Campaign) -> None:
    """Launch a scheduled campaign; one that cannot go, or comes too late, becomes a draft with the reason."""
    due_at = campaign.scheduled_at or timezone.now()
    late = timezone.now() - due_at
    try:
        if late > TOO_LATE:
            reason = f"It was due {late.days} days ago. Send it now or choose another time."
            operations.unschedule(campaign, by=None, reason=reason)
        else:
            operations.launch(campaign, by=None)
    except operations.LaunchRefused as refusal:
        operations.unschedule(campaign, by=None, reason=f"Could not start: {refusal}")
    except IllegalMove:
        pass  # another clock, or a person, was faster


def carry_on_preparing() -> None:
    """Freeze the next chunk of each campaign that is being prepared."""
    for pk in Campaign.objects.filter(status=Status.PREPARING).values_list("pk", flat=True):
        with transaction.atomic():
            rows = Campaign.objects.select_for_update(of=("self",), skip_locked=True).select_related("workspace")
            campaign = rows.filter(pk=pk, status=Status.PREPARING).first()
            if campaign:
                operations.carry_on(campaign)


def finish_the_finished() -> None:
    """Finish what nobody finished: the worker that closed the last batch died before it could."""
    going = Campaign.objects.filter(
        status__in=[Status.SENDING, Status.PAUSED, Status.CANCELLED],
        launched_at__isnull=False,
        finished_at=None,
    )
    for campaign in going.exclude(batches__due_at__isnull=False):
        finish(campaign.pk)


def ring_if_due() -> None:
    due = Batch.objects.filter(due_at__lte=timezone.now(), campaign__status__in=[Status.SENDING, Status.CANCELLED])
    if due.exists():
        queue.ring()


def resume_imports() -> None:
    imports.ring_unfinished()


def tidy() -> None:
    Settlement.objects.filter(at__lt=timezone.now() - REMEMBERED).delete()


def beat() -> None:
    Heartbeat.objects.update_or_create(name=NAME, defaults={"at": timezone.now()})


def is_alive() -> bool:
    """Whether a clock was heard of within the last ten seconds."""
    return Heartbeat.objects.filter(name=NAME, at__gt=timezone.now() - timedelta(seconds=10)).exists()
