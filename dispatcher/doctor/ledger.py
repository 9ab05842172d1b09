"""Whether what the database holds can go on: people who can log in, senders, batches that are taken, the audit log."""

from collections.abc import Iterator
from datetime import timedelta

from django.conf import settings
from django.db.models import Count, F, Min
from django.db.models.functions import Now
from django.utils import timezone

from accounts.audit_log import broken_links
from accounts.models import User
from campaigns.models import Campaign
from dispatcher.chosen import chosen_sender
from dispatcher.doctor.finding import Finding, Note, Problem
from dispatcher.models import Batch, ChosenSender, Pace
from dispatcher.senders.parcel import Unreachable
from dispatcher.words import duration
from people.checks import suppression_key_is_the_one

Status = Campaign.Status
LATE = timedelta(seconds=30)
LATEST = 1000  # entries of the audit log looked at; `manage.py audit` looks at all


def somebody_can_log_in() -> Iterator[Finding]:
    if not User.objects.filter(is_active=True).exists():
        yield Note("Nobody can log in yet.", "python manage.py createsuperuser, or python manage.py demo")


def senders_are_set_up() -> Iterator[Finding]:
    """Each choice of a workspace names a sender that exists, with options it takes and secrets that can be read."""
    for row in ChosenSender.objects.select_related("workspace").order_by("pk"):
        channel = row.get_channel_display()
        if wrong := unusable(row):
            yield Problem(
                f"{row.workspace} cannot send by {channel}: {wrong}",
                f"An admin of {row.workspace} corrects it under Settings, Senders.",
            )
    for pace in Pace.objects.exclude(trouble="").select_related("workspace"):
        yield Problem(f"{pace.workspace} cannot reach its provider: {pace.trouble}", "See its settings of senders.")
    if not settings.DEV and set(settings.SENDERS.values()) == {"simulated"} and not ChosenSender.objects.exists():
        yield Note("Every message goes to the simulated provider: nothing leaves this machine.", "Set SENDERS.")


def unusable(row: ChosenSender) -> str:
    """What is wrong with the choice, in a sentence, or nothing."""
    try:
        chosen = chosen_sender(row.workspace_id, row.channel)
        chosen.make()
    except Unreachable as error:
        return str(error)
    if not row.options:  # those of the installation, which the system checks look at
        return ""
    options = chosen.kind.options
    form = options(row.options | dict.fromkeys(options.secrets, ""), stored=row.options)
    return next((f"{name}: {errors[0]}" for name, errors in form.errors.items()), "")


def batches_are_taken() -> Iterator[Finding]:
    """What is due is taken within a second or two, however busy the workers are with it."""
    due = Batch.objects.filter(
        due_at__lt=Now() - LATE, campaign__status__in=[Status.SENDING, Status.CANCELLED]
    ).aggregate(count=Count("pk"), since=Min("due_at"))
    if due["count"]:
        ago = duration((timezone.now() - due["since"]).total_seconds())
        batches = "1 batch waits" if due["count"] == 1 else f"{due['count']:,} batches wait"
        yield Problem(
            f"{batches} for a worker, the first for {ago}.",
            "Start more workers (python manage.py worker dispatch), or read in the log of the workers why they stop.",
        )


def held_ones_are_started() -> Iterator[Finding]:
    """What can be undone for a few seconds starts then."""
    late = Campaign.objects.filter(status=Status.PREPARING, held_until__lt=Now() - LATE)
    for name, late_by in late.values_list("name", Now() - F("held_until")):
        ago = duration(late_by.total_seconds())
        yield Problem(f"“{name}” was to start {ago} ago and is still preparing.", "python manage.py clock")


def log_is_whole() -> Iterator[Finding]:
    wrong = list(broken_links(last=LATEST))
    for sentence in wrong[:5]:
        yield Problem(f"Somebody wrote into the audit log by hand: {sentence}.", "python manage.py audit")


def suppression_list_is_known() -> Iterator[Finding]:
    for error in suppression_key_is_the_one(databases=["default"]):
        yield Problem(error.msg, "Set SUPPRESSION_KEY for every process and restart them, before anything is sent.")
