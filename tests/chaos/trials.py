"""The campaigns that are sent while things break, and how they are held to the promise afterwards."""

import secrets
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import pairwise

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Sum

from accounts.audit_log import broken_links
from campaigns.models import MOVES, Campaign, StatusChange
from dispatcher import operations
from dispatcher.audit import findings, strays
from dispatcher.books import Books, books_of
from dispatcher.models import ChosenSender, Message, Settlement
from people.channels import Channel
from tests.make import make_campaign, make_workspace

Status = Campaign.Status
GREETING = "Dear First"  # how every text begins, whatever is changed after the launch
LOST = "the worker stopped before it heard the answer"  # what the next owner of a batch writes


@dataclass
class Trial:
    """One campaign, and what may be asked of it."""

    campaign: Campaign
    people: int
    keys: bool
    is_heard: bool = True  # its provider always answers, so that with keys nothing may stay unknown
    is_cancelled: bool = False
    cuts: int = 0  # how often calls may have gone unheard although nobody lost a lease
    barred: set[str] = field(default_factory=set)  # opted out before anybody can have handed them over

    @property
    def books(self) -> Books:
        return books_of(self.campaign)

    @property
    def status(self) -> Status:
        return Status(Campaign.objects.values_list("status", flat=True).get(pk=self.campaign.pk))

    def press(self, verb, **how) -> None:
        """As a person does who looks at the page as it is now. Raises IllegalMove."""
        verb(Campaign.objects.get(pk=self.campaign.pk), by=None, **how)


def write(
    people: int, *, keys: bool = True, priority: Campaign.Priority = Campaign.Priority.NORMAL, **options: object
) -> Trial:
    """A draft to so many people of a workspace of its own, whose provider behaves like this."""
    shares = {name: options.get(name, 0) for name in ("busy", "hang", "drop", "garbage")}
    workspace = make_workspace()
    stored = {"profile": "leopard", "seed": secrets.randbits(30), "honours_keys": keys, **shares, **options}
    ChosenSender.objects.create(workspace=workspace, channel=Channel.EMAIL, sender="simulated", options=stored)
    body = "Dear {first_name|friend}, hello"
    campaign = make_campaign(workspace, people=people, body=body, priority=priority)
    is_heard = not any(shares[name] for name in ("hang", "drop", "garbage")) and options.get("profile") != "rails"
    return Trial(campaign, people, keys, is_heard)


def launch(people: int, **how) -> Trial:
    trial = write(people, **how)
    trial.press(operations.launch)
    return trial


INTENTS = "SELECT id, pass_no, handed_up_to FROM dispatcher_batch WHERE campaign_id = %s ORDER BY id"
CALLS = """
    SELECT count(*) FROM simulator_call c JOIN dispatcher_message m ON m.key = c.key WHERE m.campaign_id = %s
"""


def intents(trial: Trial) -> list[tuple]:
    with connection.cursor() as cursor:
        cursor.execute(INTENTS, [trial.campaign.pk])
        return cursor.fetchall()


def calls(trial: Trial) -> int:
    with connection.cursor() as cursor:
        cursor.execute(CALLS, [trial.campaign.pk])
        return cursor.fetchone()[0]


UNTOUCHED = """
    UPDATE people_recipient SET opted_out = true
    WHERE id IN (SELECT m.recipient_id FROM dispatcher_message m JOIN dispatcher_batch b
                      ON b.campaign_id = m.campaign_id AND m.number BETWEEN b.first AND b.last
                 WHERE m.campaign_id = %s AND m.status = 1 AND m.tries = 0 AND b.pass_no = 0
                   AND m.number > b.handed_up_to LIMIT %s)
    RETURNING email
"""


@transaction.atomic
def opt_out(trial: Trial, how_many: int) -> None:
    """Of people who were certainly not handed over: no intent is written while we hold the campaign."""
    operations.locked(trial.campaign)
    with connection.cursor() as cursor:
        cursor.execute(UNTOUCHED, [trial.campaign.pk, how_many])
        barred = {email for (email,) in cursor.fetchall()}
    transaction.on_commit(lambda: trial.barred.update(barred))


# --- the promise ---

CALLED = """
    SELECT c.address FROM simulator_call c JOIN dispatcher_message m ON m.key = c.key
    WHERE m.campaign_id = %s AND c.address = ANY(%s)
"""
OTHER_TEXTS = """
    SELECT count(*) FROM simulator_call c JOIN dispatcher_message m ON m.key = c.key
    WHERE m.campaign_id = %s AND c.text NOT LIKE %s
"""
REFUSED_TWICE = """
    SELECT count(*) FROM (
        SELECT c.key FROM simulator_call c JOIN dispatcher_message m ON m.key = c.key
        WHERE m.campaign_id = %s AND NOT c.honours_key GROUP BY c.key HAVING count(*) > 1) AS again
"""


def judge(trials: Iterable[Trial]) -> Iterator[str]:
    """Everything that is not as it should be, now that all is quiet: what `manage.py audit` asks, and more."""
    yield from strays()
    yield from map(str, broken_links())
    for trial in trials:
        trial.campaign.refresh_from_db()
        yield from map(str, findings(trial.campaign))
        yield from (f"campaign {trial.campaign.pk}: {sentence}" for sentence in wrong_with(trial))


def wrong_with(trial: Trial) -> Iterator[str]:
    campaign, books = trial.campaign, trial.books
    if campaign.launched_at and campaign.status not in (Status.DRAFT, Status.SCHEDULED):
        if books.total != trial.people:
            yield f"{trial.people} people were chosen, {books.total} are accounted for"
        if books.pending or not campaign.finished_at:
            yield f"{books.pending} people wait for ever; the campaign is {campaign.get_status_display()}"
    if trial.keys and trial.is_heard and not trial.is_cancelled and books.unknown:
        yield f"{books.unknown} are unknown although the provider knows each key again"
    yield from more_unknown_than_explained(trial)
    yield from wrong_with_history(campaign)
    with connection.cursor() as cursor:
        cursor.execute(CALLED, [campaign.pk, list(trial.barred)])
        yield from (f"{address} had opted out and was called" for (address,) in cursor.fetchall())
        cursor.execute(OTHER_TEXTS, [campaign.pk, GREETING + "%"])
        if others := cursor.fetchone()[0]:
            yield f"{others} got another text than the one that was frozen"
        cursor.execute(REFUSED_TWICE, [campaign.pk])
        if again := cursor.fetchone()[0]:
            yield f"{again} were called again under a key that was answered for good"


def more_unknown_than_explained(trial: Trial) -> Iterator[str]:
    """A window for each lease that somebody lost; one for each cut, and one because a busy machine may stall."""
    unknown = Message.objects.filter(campaign=trial.campaign, status=Message.Status.UNKNOWN)
    lapses = Settlement.objects.filter(campaign=trial.campaign).aggregate(all=Sum("lapses"))["all"] or 0
    lost = unknown.filter(last_error=LOST).count()
    if lost > (most := settings.DISPATCH_WINDOW * lapses):
        yield f"{lost} are unknown because a worker was lost; {lapses} lapses explain {most}"
    unheard = unknown.exclude(last_error=LOST).count()
    if trial.is_heard and unheard > (most := settings.DISPATCH_WINDOW * (trial.cuts + 1)):
        yield f"{unheard} are unknown although no worker was lost; {trial.cuts} cuts explain {most}"


def wrong_with_history(campaign: Campaign) -> Iterator[str]:
    """Only legal moves, each from where the one before led, and one launch."""
    moves = StatusChange.objects.filter(campaign=campaign).order_by("pk").values_list("from_status", "to_status")
    steps = [(old, new) for old, new in moves if old != new]
    for old, new in steps:
        if old is not None and Status(new) not in MOVES[Status(old)]:
            yield f"moved from {Status(old).label} to {Status(new).label}"
    if any(before[1] != after[0] for before, after in pairwise(steps)):
        yield "a line of its history is missing"
    launches = sum(new == Status.PREPARING for _, new in steps)
    if launches > 1:
        yield f"was launched {launches} times"
