"""A worker may die at any line: nobody is lost or written to twice, and the books say what is known."""

import signal
import time

import pytest
from django.db import connection

from campaigns.models import Campaign
from dispatcher import clock, crash, engine, operations
from dispatcher.audit import findings, strays
from dispatcher.books import books_of
from dispatcher.models import Attempt, Batch, Message, Settlement
from dispatcher.owner import owner_of
from simulator.models import Call
from tests.dispatcher.sending import work_off
from tests.make import make_campaign
from tests.nursery import Child
from tests.start import start_process, start_shift
from wires.queue import _redis, workers_alive

pytestmark = pytest.mark.django_db(transaction=True)
WINDOW = 50


@pytest.fixture(autouse=True)
def small_house(settings):
    _redis().flushdb()
    settings.SIMULATOR_PROFILE = "quick"
    settings.DISPATCH_WINDOW = WINDOW
    settings.BATCH_SIZE = 100


@pytest.fixture
def start_worker():
    """Starts a real worker process with its work-horse, rung at once; none outlives its test."""
    started: list[Child] = []

    def start(**environment: object) -> Child:
        started.append(start_process("manage.py", "worker", "dispatch", **environment))
        wait_for(workers_alive)
        clock.ring_if_due()
        return started[-1]

    yield start
    for worker in started:
        worker.terminate()
        worker.wait(20)


def assert_nothing_is_wrong(campaign: Campaign) -> None:
    campaign.refresh_from_db()
    assert [*map(str, findings(campaign)), *strays()] == []


@pytest.mark.parametrize("keys", [True, False], ids=["keys honoured", "no keys"])
@pytest.mark.parametrize("point", crash.POINTS)
def test_a_worker_killed_at_any_named_point_costs_nobody_a_message(point, keys, settings):
    settings.SIMULATOR_HONOURS_KEYS = keys
    campaign = operations.launch(make_campaign(people=400), by=None)
    nth = 120 if point.endswith("call") else 1 if point == "before_finish" else 3
    dead = start_shift(
        CRASH_AT=f"{point}:{nth}",
        SIMULATOR_PROFILE="quick",
        SIMULATOR_HONOURS_KEYS=keys,
        DISPATCH_WINDOW=WINDOW,
        BATCH_SIZE=100,
    )
    assert dead.wait(30) == -signal.SIGKILL

    books = work_off(campaign, shifts=40)

    assert_nothing_is_wrong(campaign)
    assert (books.pending, books.total) == (0, 400)
    assert books.unknown == 0 if keys else books.unknown <= WINDOW


@pytest.mark.parametrize("keys", [True, False], ids=["keys honoured", "no keys"])
def test_two_workers_killed_at_once_leave_at_most_a_window_each_in_doubt(keys, settings):
    settings.SIMULATOR_HONOURS_KEYS = keys
    campaign = operations.launch(make_campaign(people=1000), by=None)
    workers = [
        start_shift(
            seconds=60,
            SIMULATOR_PROFILE="dispatch",
            SIMULATOR_HONOURS_KEYS=keys,
            DISPATCH_WINDOW=WINDOW,
            BATCH_SIZE=100,
        )
        for _ in range(2)
    ]
    busy = Batch.objects.filter(in_flight__gt=0).exclude(owner="")
    wait_for(lambda: busy.values("owner").distinct().count() == 2 and books_of(campaign).sent > 20)
    for worker in workers:
        worker.kill()
    for worker in workers:
        worker.wait(10)

    books = work_off(campaign, shifts=60)

    assert_nothing_is_wrong(campaign)
    assert (books.pending, books.total) == (0, 1000)
    assert books.unknown == 0 if keys else 0 < books.unknown <= 2 * WINDOW


def test_a_worker_that_was_suspended_past_its_lease_changes_nothing_when_it_wakes(settings):
    settings.SIMULATOR_HONOURS_KEYS = False
    campaign = operations.launch(make_campaign(people=400), by=None)
    zombie = start_shift(
        SIMULATOR_PROFILE="leopard",
        SIMULATOR_HONOURS_KEYS=False,
        DISPATCH_WINDOW=WINDOW,
        LEASE_SECONDS=3,
        BATCH_SIZE=100,
    )
    wait_for(lambda: Message.objects.filter(status=Message.Status.SENT).count() > 20)
    suspend(zombie)
    epochs = dict(Batch.objects.values_list("pk", "epoch"))

    taken_over = work_off(campaign, shifts=60)
    zombie.send_signal(signal.SIGCONT)
    assert zombie.wait(30) == 0

    assert books_of(campaign) == taken_over
    assert any(batch.epoch > epochs[batch.pk] for batch in Batch.objects.all())
    assert taken_over.unknown <= WINDOW
    assert_nothing_is_wrong(campaign)


def test_sigterm_settles_what_is_in_flight_and_gives_the_rest_back(start_worker):
    campaign = operations.launch(make_campaign(people=2000), by=None)
    worker = start_worker(SIMULATOR_PROFILE="leopard", DISPATCH_WINDOW=WINDOW)
    wait_for(lambda: books_of(campaign).sent > 20)

    worker.terminate()
    assert worker.wait(10) == 0

    books = books_of(campaign)
    assert 0 < books.sent < 2000
    assert (books.unknown, books.in_flight) == (0, 0)
    assert not Batch.objects.exclude(owner="").exists()
    assert Call.objects.filter(accepted=True).count() == books.sent


def test_a_rolling_restart_costs_no_message_and_no_try(start_worker, settings):
    settings.SIMULATOR_HONOURS_KEYS = False
    campaign = operations.launch(make_campaign(people=4000), by=None)
    how = {"SIMULATOR_PROFILE": "leopard", "SIMULATOR_HONOURS_KEYS": False, "DISPATCH_WINDOW": 20}
    senders = Batch.objects.filter(in_flight__gt=0).values("owner").distinct()

    def wait_until_two_send() -> None:
        sent = books_of(campaign).sent
        wait_for(lambda: clock.ring_if_due() or (senders.count() == 2 and books_of(campaign).sent > sent), seconds=40)

    olds = [start_worker(**how), start_worker(**how)]
    news = []
    for old in olds:
        wait_until_two_send()
        old.terminate()
        assert old.wait(10) == 0
        news.append(start_worker(**how))
    wait_until_two_send()
    for new in news:
        new.terminate()
        assert new.wait(10) == 0
    settings.SIMULATOR_PROFILE, settings.DISPATCH_WINDOW = "perfect", 1000
    books = work_off(campaign)

    assert_nothing_is_wrong(campaign)
    assert (books.pending, books.unknown, books.total) == (0, 0, 4000)
    assert not Attempt.objects.filter(outcome=Attempt.Outcome.UNSURE).exists()
    assert not Settlement.objects.filter(lapses__gt=0).exists()


@pytest.mark.parametrize("keys", [True, False], ids=["keys honoured", "no keys"])
def test_sigterm_does_not_wait_for_a_provider_that_says_nothing(start_worker, settings, keys):
    settings.SIMULATOR_HONOURS_KEYS = keys
    campaign = operations.launch(make_campaign(people=20), by=None)
    worker = start_worker(
        SIMULATOR_PROFILE="perfect",
        SIMULATOR_FAULTS={"hang": 1.0},
        SIMULATOR_HONOURS_KEYS=keys,
        CALL_SECONDS=35,
        STOP_SECONDS=2,
    )
    wait_for(lambda: Call.objects.count() == 20)

    worker.terminate()
    assert worker.wait(20) == 0

    books = books_of(campaign)
    assert (books.pending, books.unknown, books.in_flight) == ((20, 0, 0) if keys else (0, 20, 0))
    assert not Message.objects.exclude(retry_count=0).exists() or not keys  # no try is used up
    assert Campaign.objects.get().status != Campaign.Status.PAUSED  # nor is the provider called silent
    assert not Batch.objects.exclude(owner="").exists()
    assert_nothing_is_wrong(campaign)


def test_what_a_worker_has_in_hand_is_shown_as_its_own(start_worker):
    campaign = operations.launch(make_campaign(people=2000), by=None)
    start_worker(SIMULATOR_PROFILE="leopard", DISPATCH_WINDOW=WINDOW)
    (worker,) = workers_alive()

    wait_for(lambda: Batch.objects.exclude(owner="").exists())

    owners = set(Batch.objects.filter(campaign=campaign).exclude(owner="").values_list("owner", flat=True))
    assert owners == {owner_of(worker.hostname, worker.pid, worker.name)}


def test_a_worker_whose_parent_was_killed_settles_and_leaves(start_worker):
    campaign = operations.launch(make_campaign(people=2000), by=None)
    worker = start_worker(SIMULATOR_PROFILE="leopard", DISPATCH_WINDOW=WINDOW)
    wait_for(lambda: books_of(campaign).sent > 20)

    worker.kill()
    worker.wait(10)

    wait_for(lambda: not Batch.objects.exclude(owner="").exists())
    assert books_of(campaign).unknown == 0
    assert books_of(campaign).sent < 2000


def test_an_emptied_redis_costs_nothing_but_a_moment(start_worker):
    campaign = operations.launch(make_campaign(people=1000), by=None)
    start_worker(SIMULATOR_PROFILE="leopard", DISPATCH_WINDOW=WINDOW)
    for _ in range(5):
        sent = books_of(campaign).sent
        wait_for(lambda sent=sent: books_of(campaign).sent > sent)
        _redis().flushall()
        clock.ring_if_due()
    wait_for(lambda: clock.ring_if_due() or not books_of(campaign).pending, seconds=40)
    assert_nothing_is_wrong(campaign)
    assert books_of(campaign).pending == 0


def test_two_workers_share_a_campaign_and_nobody_is_written_to_twice():
    campaign = operations.launch(make_campaign(people=1500), by=None)
    workers = [
        start_shift(SIMULATOR_PROFILE="quick", SIMULATOR_HONOURS_KEYS=False, DISPATCH_WINDOW=WINDOW) for _ in range(2)
    ]
    for worker in workers:
        assert worker.wait(60) == 0
    engine.work(seconds=0.2)

    work_off(campaign)
    assert books_of(campaign).pending == 0
    accepted = Call.objects.filter(accepted=True)
    assert accepted.count() == accepted.values("address").distinct().count() == books_of(campaign).sent
    assert_nothing_is_wrong(campaign)


def suspend(worker: Child) -> None:
    """Between two transactions: what it has locked would be waited for, not taken over."""
    busy = """SELECT EXISTS (SELECT FROM pg_stat_activity WHERE datname = current_database() AND state <> 'idle'
              AND pid <> pg_backend_pid() AND backend_type = 'client backend')"""
    while True:
        worker.send_signal(signal.SIGSTOP)
        time.sleep(0.1)
        with connection.cursor() as cursor:
            cursor.execute(busy)
            if not cursor.fetchone()[0]:
                return
        worker.send_signal(signal.SIGCONT)
        time.sleep(0.02)


def wait_for(condition, seconds: float = 20) -> None:
    """Until the other process got so far."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it never happened"
        time.sleep(0.02)
