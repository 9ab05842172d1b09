"""Each defence of the engine is taken away once, and the auditor sees what it kept from happening."""

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from threading import Thread

import pytest
from django.db import IntegrityError, OperationalError, connection, transaction

from campaigns.models import Campaign, IllegalMove, StatusChange
from dispatcher import clock, engine, finish, giveback, intent, lease, operations, settle
from dispatcher.handover import Handover
from dispatcher.models import Message
from dispatcher.verdicts import NotStarted
from dispatcher.verdicts import judge as judge_answer
from people.models import Recipient
from simulator.models import Call
from tests.chaos.trials import Trial, judge, launch
from tests.dispatcher.sending import make_due, press, work_off
from wires import queue
from wires.queue import _redis

pytestmark = pytest.mark.django_db(transaction=True)
Status = Campaign.Status
WINDOW = 10
both = pytest.mark.parametrize("defended", [True, False], ids=["with it", "without"])


@pytest.fixture(autouse=True)
def small_house(settings):
    _redis().flushdb()
    settings.DISPATCH_WINDOW = WINDOW
    settings.BATCH_SIZE = 100


@contextmanager
def shift(owner: str) -> Iterator[engine.Shift]:
    """A worker that takes one step when told to; left behind, it has died."""
    with Handover(wake_at=1) as hands:
        yield engine.Shift(hands, owner, seconds=60)


def note_and_call(worker: engine.Shift) -> None:
    """Lease a batch, note one window, and hand it over; nothing is settled."""
    called = Call.objects.count()
    worker._lease_more()
    worker._turn()
    wait_for(lambda: Call.objects.count() == called + WINDOW)


def wait_for(condition: Callable[[], object], seconds: float = 20) -> None:
    ends = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < ends, "it never happened"
        time.sleep(0.01)


def start(people: int = 40, *, keys: bool = False) -> Trial:
    return launch(people, keys=keys, profile="perfect")


def verdict(trial: Trial, defended: bool, *words: str) -> None:
    """Nothing is wrong with the defence; without it, what the words say is."""
    with suppress(*() if defended else (IntegrityError,)):  # the database may refuse what comes of it
        work_off(trial.campaign, shifts=6)
    found = list(judge([trial]))
    if defended:
        assert found == []
    else:
        assert all(any(word in sentence for sentence in found) for word in words), found


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
        asking = "WHEN r.opted_out THEN 'opted_out'"
        assert asking in intent.NEXT
        monkeypatch.setattr(intent, "NEXT", intent.NEXT.replace(asking, ""))
    trial = start()
    person = Recipient.objects.filter(workspace=trial.campaign.workspace_id).first()
    Recipient.objects.filter(pk=person.pk).update(opted_out=True)
    trial.barred.add(person.email)

    verdict(trial, defended, "had opted out and was called")


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
