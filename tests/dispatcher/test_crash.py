"""A worker may die at any line: nobody is lost or written to twice, and the books say what is known."""

import signal
import time

import pytest

from campaigns.models import Campaign
from dispatcher import crash, engine, operations
from dispatcher.audit import findings, strays
from dispatcher.books import books_of
from dispatcher.models import Batch, Message
from simulator.models import Call
from tests.dispatcher.sending import work_off
from tests.dispatcher.shift import start_shift
from tests.make import make_campaign

pytestmark = pytest.mark.django_db(transaction=True)
WINDOW = 50


@pytest.fixture(autouse=True)
def small_house(settings):
    settings.SIMULATOR_PROFILE = "quick"
    settings.DISPATCH_WINDOW = WINDOW
    settings.BATCH_SIZE = 100


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
    zombie.send_signal(signal.SIGSTOP)
    time.sleep(0.2)
    epochs = dict(Batch.objects.values_list("pk", "epoch"))

    taken_over = work_off(campaign, shifts=60)
    zombie.send_signal(signal.SIGCONT)
    assert zombie.wait(30) == 0

    assert books_of(campaign) == taken_over
    assert any(batch.epoch > epochs[batch.pk] for batch in Batch.objects.all())
    assert taken_over.unknown <= WINDOW
    assert_nothing_is_wrong(campaign)


def test_sigterm_settles_what_is_in_flight_and_gives_the_rest_back(monkeypatch):
    campaign = operations.launch(make_campaign(people=2000), by=None)
    worker = start_shift(SIMULATOR_PROFILE="leopard", DISPATCH_WINDOW=WINDOW)
    wait_for(lambda: books_of(campaign).sent > 20)

    operations.pause(campaign, by=None)
    wait_for(lambda: books_of(campaign).in_flight == 0)
    worker.terminate()
    worker.wait(10)

    assert books_of(campaign).unknown == 0
    assert not Batch.objects.exclude(owner="").exists()


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


def wait_for(condition, seconds: float = 20) -> None:
    """Until the other process got so far."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it never happened"
        time.sleep(0.02)
