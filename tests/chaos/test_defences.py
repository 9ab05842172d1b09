"""Each defence of the engine is taken away once, and the auditor sees what it kept from happening."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from django.db import OperationalError, transaction

from dispatcher import engine, giveback, intent, lease, operations, settle
from dispatcher.handover import Handover
from dispatcher.models import Message
from dispatcher.verdicts import NotStarted
from dispatcher.verdicts import judge as judge_answer
from people.models import Recipient
from simulator.models import Call
from tests.chaos.defence import both, start, verdict, wait_for
from tests.chaos.trials import Trial
from tests.dispatcher.sending import make_due

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("small_house")]


@contextmanager
def shift(owner: str) -> Iterator[engine.Shift]:
    """A worker that takes one step when told to; left behind, it has died."""
    with Handover(wake_at=1) as hands:
        yield engine.Shift(hands, owner, seconds=60)


def note_and_call(worker: engine.Shift) -> None:
    """Lease a batch, note what may be in hand of it, and hand that over; nothing is settled."""
    called = Call.objects.count()
    worker._lease_more()
    worker._turn()
    assert worker.hands.in_flight
    wait_for(lambda: Call.objects.count() == called + worker.hands.in_flight)


def die_after_calling(trial: Trial) -> None:
    """A worker that hands one window over, hears every answer, and dies before it settles any."""
    with shift("dead:1") as dead:
        note_and_call(dead)
    make_due(trial.campaign)


@both
def test_the_epoch_keeps_a_worker_that_overslept_from_handing_over_what_another_does(defended, monkeypatch):
    if not defended:
        hold = engine.Shift._hold

        def take_for_ours(self, cursor):
            for batch, mine in self.leases.items():
                cursor.execute(
                    "UPDATE dispatcher_batch SET owner = %s WHERE id = %s RETURNING epoch", [self.owner, batch]
                )
                mine.epoch = cursor.fetchone()[0]
            return hold(self, cursor)

        monkeypatch.setattr(engine.Shift, "_hold", take_for_ours)
    trial = start()

    with shift("zombie:1") as zombie, shift("new:1") as new:
        note_and_call(zombie)
        make_due(trial.campaign)
        note_and_call(new)
        zombie._step()

    verdict(trial, defended, "was accepted twice")


@both
def test_the_intent_before_the_call_tells_the_next_owner_what_may_have_arrived(defended, monkeypatch):
    if not defended:
        renew = giveback.renew

        def forget(cursor, leases):
            leases = list(leases)
            renew(cursor, leases)
            batches = [lease.batch for lease in leases]
            cursor.execute("UPDATE dispatcher_batch SET handed_up_to = first - 1 WHERE id = ANY(%s)", [batches])

        monkeypatch.setattr(giveback, "renew", forget)
    trial = start()

    die_after_calling(trial)

    verdict(trial, defended, "was accepted twice")


@both
def test_suspects_are_settled_with_the_lease_or_wait_for_ever(defended, monkeypatch):
    if not defended:
        monkeypatch.setattr(lease, "_settle_suspects", lambda cursor, lease: None)
    trial = start()

    die_after_calling(trial)

    verdict(trial, defended, "waits for a pass that is over", "wait for ever")


@both
@pytest.mark.parametrize("keys", [True, False], ids=["keys honoured", "no keys"])
def test_a_suspect_is_in_doubt_and_neither_sent_again_nor_called_cancelled(defended, keys, monkeypatch):
    if not defended:

        def without_doubt(standing, answer, terms, since):
            return judge_answer(standing, NotStarted("nobody called"), terms, since)

        monkeypatch.setattr(lease, "judge", without_doubt)
    trial = start(keys=keys)

    die_after_calling(trial)
    if keys:
        trial.press(operations.cancel)
        trial.is_cancelled = True

    verdict(trial, defended, "failed, skipped or cancelled, but was accepted" if keys else "was accepted twice")


class LostCommits:
    """Takes the place of `transaction` in the engine: the first commits that settle succeed, and nobody hears of it."""

    def __init__(self, how_many: int) -> None:
        self.left = how_many

    @contextmanager
    def atomic(self) -> Iterator[None]:
        before = Message.objects.filter(status=Message.Status.SENT).count()
        with transaction.atomic():
            yield
        if self.left and Message.objects.filter(status=Message.Status.SENT).count() > before:
            self.left -= 1
            raise OperationalError("server closed the connection unexpectedly")


@both
def test_an_answer_settled_in_a_commit_nobody_heard_of_is_counted_once(defended, monkeypatch):
    if not defended:
        for name in ("SENT", "NOT_SENT"):
            sql = getattr(settle, name)
            unguarded = sql.replace("AND m.tries = v.tries", "").replace("AND m.status = 1", "")
            assert unguarded != sql
            monkeypatch.setattr(settle, name, unguarded)
    monkeypatch.setattr(engine, "transaction", LostCommits(1))
    trial = start()

    verdict(trial, defended, "the counters say")


@both
def test_who_opts_out_while_waiting_is_asked_about_at_the_intent(defended, monkeypatch):
    if not defended:
        asking = "WHEN r.opted_out OR %(channel)s = ANY(r.refused_channels) THEN 'opted_out'"
        assert asking in intent.NEXT
        monkeypatch.setattr(intent, "NEXT", intent.NEXT.replace(asking, ""))
    trial = start()
    person = Recipient.objects.filter(workspace=trial.campaign.workspace_id).first()
    Recipient.objects.filter(pk=person.pk).update(opted_out=True)
    trial.barred.add(person.email)

    verdict(trial, defended, "had opted out and was called")


@both
def test_only_what_a_lost_worker_had_in_hand_is_in_doubt(defended, monkeypatch):
    if not defended:
        settle_suspects = lease._settle_suspects

        def suspect_all(cursor, mine):
            mine.handed_up_to = mine.last if mine.handed_up_to >= mine.first else 0
            settle_suspects(cursor, mine)

        monkeypatch.setattr(lease, "_settle_suspects", suspect_all)
    trial = start()
    die_after_calling(trial)

    verdict(trial, defended, "1 lapses explain 10")
