"""The window: how much a worker has in hand, and so how much is in doubt when it is lost."""

from types import SimpleNamespace

import pytest

from campaigns.models import Campaign
from dispatcher import engine, operations
from dispatcher.books import books_of
from dispatcher.models import Batch, Message
from dispatcher.senders.parcel import Busy, Receipt, Unreachable, Unsure
from dispatcher.verdicts import NotStarted
from dispatcher.window import LEAST, Window
from tests.make import make_campaign

pytestmark = pytest.mark.django_db
WINDOW = 400


@pytest.fixture(autouse=True)
def whole_window(settings):
    settings.DISPATCH_WINDOW = settings.BATCH_SIZE = WINDOW


def launched(people: int) -> Campaign:
    return operations.launch(make_campaign(people=people), by=None)


def after(provider, took: float, *answers: object) -> int:
    """What the provider may have in hand once it gave these answers in so many seconds."""
    window = Window()
    window.heard(SimpleNamespace(sender=provider, took=took, answer=answer) for answer in answers)
    return window.of_sender(provider)


@pytest.mark.parametrize(("took", "in_hand"), [(0.01, 400), (0.25, 400), (0.5, 200), (1, 100), (10, LEAST)])
def test_a_slow_provider_has_fewer_in_hand_where_a_lost_answer_could_not_be_asked_for_again(provider, took, in_hand):
    assert after(provider, took, Receipt("1"), Busy("503", category="provider_down")) == WINDOW
    provider.honours_keys = None

    assert after(provider, took, Receipt("1"), Busy("503", category="provider_down")) == in_hand


@pytest.mark.parametrize("answer", [Unreachable("nobody there"), NotStarted("too late"), ValueError("no text")])
def test_what_reached_nobody_says_nothing_of_how_swift_a_provider_is(provider, answer):
    provider.honours_keys = None

    assert after(provider, 0.001, answer) == LEAST
    assert after(provider, 1, answer, Unsure("reset")) == WINDOW // 4


def test_a_provider_that_knows_no_keys_has_few_in_hand_until_it_is_heard(provider):
    provider.honours_keys = None
    provider.latency = 0.7
    campaign = launched(2 * WINDOW)

    engine.work(seconds=0.3)

    assert provider.most_in_flight == LEAST
    assert books_of(campaign).sent == LEAST


@pytest.mark.parametrize(("lapses", "at_once"), [(0, WINDOW), (1, 40), (2, 4), (3, 1), (9, 1)])
def test_what_was_in_hand_when_workers_were_lost_is_asked_for_again_a_few_at_a_time(provider, lapses, at_once):
    provider.latency = 0.05
    campaign = launched(WINDOW)
    Message.objects.filter(campaign=campaign).update(tries=1)
    Batch.objects.filter(campaign=campaign).update(lapses=lapses, pass_no=1)

    engine.work(seconds=0.5)

    assert provider.most_in_flight == at_once


def test_what_nobody_had_in_hand_does_not_go_slower_for_workers_that_were_lost(provider):
    provider.latency = 0.05
    Batch.objects.filter(campaign=launched(WINDOW)).update(lapses=3)

    engine.work(seconds=0.3)

    assert provider.most_in_flight == WINDOW
