"""One recipient who kills every worker that calls it costs the others nothing but time (F3)."""

import signal

import pytest

from dispatcher.books import books_of
from dispatcher.models import Message
from tests.chaos.trials import judge, launch
from tests.dispatcher.sending import make_due
from tests.start import start_process

pytestmark = pytest.mark.django_db(transaction=True)
WINDOW, PEOPLE, MOST_DEATHS = 50, 200, 40


@pytest.mark.parametrize("keys", [True, False], ids=["keys honoured", "no keys"])
def test_a_recipient_that_kills_its_worker_each_time_ends_alone(keys):
    trial = launch(PEOPLE, keys=keys, profile="perfect")
    poison = Message.objects.filter(campaign=trial.campaign).order_by("number")[PEOPLE // 2]
    for _ in range(MOST_DEATHS):
        make_due(trial.campaign)
        worker = start_process("-m", "tests.chaos.poisoned", poison.address, DISPATCH_WINDOW=WINDOW, BATCH_SIZE=PEOPLE)
        if worker.wait(60) != -signal.SIGKILL and not trial.books.pending:
            break

    trial.is_heard = False
    books = books_of(trial.campaign)
    poison.refresh_from_db()
    assert list(judge([trial])) == []
    assert poison.status in (Message.Status.UNKNOWN, Message.Status.FAILED)
    assert (books.pending, books.sent) == (0, PEOPLE - books.unknown - books.failed)
    assert books.unknown + books.failed <= (1 if keys else WINDOW)  # without keys one window is in doubt
