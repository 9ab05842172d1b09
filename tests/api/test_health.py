from collections.abc import Iterator
from contextlib import ExitStack
from datetime import timedelta
from time import monotonic

import pytest
from django.db import connections
from django.test import Client
from django.utils import timezone
from rq import Worker

from dispatcher import clock, health
from dispatcher.models import Heartbeat
from wires import queue

# Another connection looks, so what it is to see has to be committed.
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def fresh(monkeypatch) -> Iterator[None]:
    """Questions that nobody has asked yet, and a Redis client for the address as it is now."""
    monkeypatch.setattr(health, "DATABASE", health.Question(health.clock_ticks))
    monkeypatch.setattr(health, "QUEUE", health.Question(health.workers_alive))
    queue._redis.cache_clear()
    yield
    queue._redis.cache_clear()


@pytest.fixture
def workers() -> Iterator[None]:
    """A worker on each queue, and a clock."""
    Heartbeat.objects.create(name=clock.NAME)
    with ExitStack() as at_the_end:
        for name in ("dispatch", "chores"):
            worker = Worker([queue._queue(name)], connection=queue._redis())
            worker.register_birth()
            at_the_end.callback(worker.register_death)
        yield


def ask() -> tuple[int, str, dict[str, str]]:
    """The answer's status, the word for the whole, and the word for each part."""
    began = monotonic()
    answer = Client().get("/health")
    assert monotonic() - began < 2
    body = answer.json()
    return answer.status_code, body["status"], {name: check["status"] for name, check in body["checks"].items()}


def test_all_is_well_when_everything_answers_and_somebody_works(workers):
    parts = dict.fromkeys(("database", "queue", "workers", "clock"), "healthy")

    assert ask() == (200, "healthy", parts)


def test_without_workers_and_clock_the_house_stands_but_nothing_moves():
    assert ask() == (
        200,
        "degraded",
        {"database": "healthy", "queue": "healthy", "workers": "unhealthy", "clock": "unhealthy"},
    )


def test_a_clock_that_stopped_is_noticed(workers):
    Heartbeat.objects.update(at=timezone.now() - timedelta(seconds=30))

    status, word, parts = ask()

    assert (status, word, parts["clock"]) == (200, "degraded", "unhealthy")


@pytest.mark.parametrize("port", ["closed", "silence"])
def test_a_queue_that_does_not_answer_is_told_in_time(request, settings, port):
    settings.REDIS_URL = f"redis://127.0.0.1:{request.getfixturevalue(port)}/0"

    status, word, parts = ask()

    assert (status, word) == (503, "unhealthy")
    assert (parts["database"], parts["queue"], parts["workers"]) == ("healthy", "unhealthy", "unknown")


@pytest.mark.parametrize("port", ["closed", "silence"])
def test_a_database_that_does_not_answer_is_told_in_time(request, monkeypatch, port):
    elsewhere = {"HOST": "127.0.0.1", "PORT": request.getfixturevalue(port)}
    for name, value in elsewhere.items():
        monkeypatch.setitem(connections.settings["default"], name, value)

    status, word, parts = ask()

    assert (status, word) == (503, "unhealthy")
    assert (parts["queue"], parts["database"], parts["clock"]) == ("healthy", "unhealthy", "unknown")


def test_while_something_hangs_requests_do_not_pile_up(monkeypatch, silence, settings):
    settings.REDIS_URL = f"redis://127.0.0.1:{silence}/0"
    asked = []
    monkeypatch.setattr(health.QUEUE, "ask", lambda: asked.append(1) or queue.workers_alive())

    answers = [health.QUEUE.put() for _ in range(20)]

    answers[0].exception()
    assert len(set(map(id, answers))) == len(asked) == 1


def test_nobody_needs_to_log_in_and_nobody_learns_a_secret(settings):
    text = Client().get("/health").content.decode()

    assert settings.REDIS_URL not in text
    assert settings.DATABASES["default"]["NAME"] not in text
