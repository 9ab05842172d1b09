"""The defences of campaigns, clock and history are taken away once each, and the auditor sees what they kept away."""

from contextlib import ExitStack
from threading import Thread

import pytest
from django.db import connection, transaction

from campaigns.models import Campaign, IllegalMove, StatusChange
from dispatcher import clock, engine, finish, operations
from dispatcher.models import Message
from simulator.models import Call
from tests.chaos.defence import both, start, verdict, wait_for
from tests.chaos.trials import Trial, judge
from tests.dispatcher.sending import press, work_off
from wires import queue
from wires.queue import _redis

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("small_house")]
Status = Campaign.Status


@both
def test_finishing_looks_at_the_batches_again_once_it_has_the_campaign(defended, monkeypatch):
    if not defended:
        looks_again = finish.finish

        @transaction.atomic
        def in_one_look(campaign_id):
            with connection.cursor() as cursor:  # both statements see what the first one saw
                cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
            return looks_again(campaign_id)

        monkeypatch.setattr(finish, "finish", in_one_look)
    trial = start(4)
    work_off(trial.campaign)
    number = Message.objects.filter(campaign=trial.campaign).values_list("number", flat=True).first()
    as_if_one_had_failed(trial, number)
    finisher = Thread(target=lambda: (finish.finish_if_over(trial.campaign.pk), connection.close()))

    with transaction.atomic():
        operations.retry_failed(trial.campaign, by=None)
        finisher.start()
        wait_for(somebody_waits)
    finisher.join()

    found = list(judge([trial]))
    trial.campaign.refresh_from_db()
    assert ("is open although the campaign is over" in "".join(found)) is not defended
    assert (trial.campaign.finished_at is None) is defended


def as_if_one_had_failed(trial: Trial, number: int) -> None:
    """The last worker closed the batch, and has not come to finish the campaign yet."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE dispatcher_message SET status = 3, category = 2 WHERE campaign_id = %s AND number = %s",
            [trial.campaign.pk, number],
        )
        cursor.execute(
            "UPDATE dispatcher_batch SET sent = sent - 1, failed = 1, failed_by[2] = 1 WHERE campaign_id = %s",
            [trial.campaign.pk],
        )
    Call.objects.filter(key__in=Message.objects.filter(status=3).values("key")).update(accepted=False)
    StatusChange.objects.filter(campaign=trial.campaign, to_status=Status.SENT).delete()
    Campaign.objects.filter(pk=trial.campaign.pk).update(status=Status.SENDING, finished_at=None)


def somebody_waits() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted)")
        return cursor.fetchone()[0]


@both
def test_the_clock_rings_again_for_what_an_emptied_redis_forgot(defended, monkeypatch):
    if not defended:
        monkeypatch.setattr(clock, "ring_if_due", lambda: None)
    trial = start()
    _redis().flushdb()

    for _ in range(3):
        clock.tick()
        if queue.waiting("dispatch"):
            _redis().flushdb()
            engine.work(seconds=0.5)

    assert (not trial.books.pending) is defended
    assert (list(judge([trial])) == []) is defended


@pytest.mark.parametrize("defended", ["locked and compared", "compared", ""])
def test_a_move_compares_the_status_it_leaves(defended, monkeypatch):
    """The campaign is locked by each verb; were it not, the compared status alone would refuse the slower one."""
    trial = start()
    trial.press(operations.pause)
    others = [lambda: press(operations.cancel, trial.campaign)]

    def read_only(campaign):
        as_it_was = Campaign.objects.select_related("workspace").get(pk=campaign.pk)
        if others:
            others.pop()()
        return as_it_was

    if defended != "locked and compared":
        monkeypatch.setattr(operations, "locked", read_only)
    if not defended:
        monkeypatch.setattr(Campaign, "move_to", move_anyway)
    if others and defended == "locked and compared":
        others.pop()()
    with ExitStack() as stack:
        if defended:
            stack.enter_context(pytest.raises(IllegalMove))
        operations.resume(trial.campaign, by=None)
    trial.is_cancelled = True

    verdict(trial, bool(defended), "a line of its history is missing")


def move_anyway(self, status, *, by, reason="", **columns):
    Campaign.objects.filter(pk=self.pk).update(status=status, **columns)
    StatusChange.write(self, self.status, status, by=by, reason=reason)
    self.status = status
