"""The window: how much a worker has in hand, and so how much is in doubt when it is lost."""

import pytest

from campaigns.models import Campaign
from dispatcher import engine, operations
from dispatcher.books import books_of
from dispatcher.models import Batch
from tests.make import make_campaign

pytestmark = pytest.mark.django_db
WINDOW = 400


@pytest.fixture(autouse=True)
def whole_window(settings):
    settings.DISPATCH_WINDOW = settings.BATCH_SIZE = WINDOW


def launched(people: int) -> Campaign:
    return operations.launch(make_campaign(people=people), by=None)


@pytest.mark.parametrize(
    ("honours_keys", "latency", "at_least", "at_most"),
    [
        (True, 0.5, WINDOW, WINDOW),
        (False, 0.05, WINDOW, WINDOW),
        (False, 0.5, 101, WINDOW // 2),
        (False, 0.9, 100, WINDOW * 0.25 / 0.9),
    ],
    ids=["slow, knows keys", "swift, knows none", "slow, knows none", "slower, knows none"],
)
def test_a_slow_provider_has_fewer_in_hand_where_a_lost_answer_could_not_be_asked_for_again(
    provider, honours_keys, latency, at_least, at_most
):
    if not honours_keys:
        provider.honours_keys = None
    provider.latency = latency
    campaign = launched(3 * WINDOW)

    engine.work(seconds=2.2)

    assert at_least <= provider.most_in_flight <= at_most
    assert books_of(campaign).sent > 100


@pytest.mark.parametrize(("lapses", "at_once"), [(0, WINDOW), (1, 40), (2, 4), (3, 1), (9, 1)])
def test_of_a_batch_over_which_workers_were_lost_fewer_are_in_hand(provider, lapses, at_once):
    provider.latency = 0.05
    campaign = launched(WINDOW)
    Batch.objects.filter(campaign=campaign).update(lapses=lapses)

    engine.work(seconds=0.5)

    assert provider.most_in_flight == at_once
