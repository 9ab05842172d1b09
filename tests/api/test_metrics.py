"""What a running house tells Prometheus: the truth, within two seconds, to whoever may know."""

from collections.abc import Callable
from time import monotonic

import psycopg
import pytest
from django.db import connection, connections
from django.db.models import F
from django.db.models.functions import Now
from django.test import Client
from django.test.utils import CaptureQueriesContext
from prometheus_client.parser import text_string_to_metric_families

from dispatcher import clock, engine, metrics, operations, shelf
from dispatcher.figures import database_answers, figures
from dispatcher.health import Question, workers_alive
from dispatcher.models import Batch, Pace
from dispatcher.tally import PAGES, Tally
from people.channels import Channel
from tests.dispatcher.sending import send
from tests.dispatcher.shift import database_url
from tests.make import make_campaign
from wires import queue

# Another connection reads, so what it is to see has to be committed.
pytestmark = pytest.mark.django_db(transaction=True)
Told = Callable[..., float | None]
LANE = {"channel": "email", "sender": "simulated"}


@pytest.fixture(autouse=True)
def fresh(monkeypatch, settings):
    """Nothing is remembered, and Redis is looked for at the address it has now."""
    settings.SIMULATOR_PROFILE = "perfect"
    monkeypatch.setattr(metrics, "FIGURES", Question(figures))
    monkeypatch.setattr(metrics, "DATABASE", Question(database_answers))
    monkeypatch.setattr(metrics, "WORKERS", Question(workers_alive))
    queue._redis.cache_clear()
    yield
    queue._redis.cache_clear()


def ask(**headers: str) -> Told:
    """Reads the answer as Prometheus does; what it gives returns the value of a sample, None if there is none."""
    answer = Client().get("/metrics", headers=headers)
    assert answer["Content-Type"].startswith("text/plain; version=")
    families = list(text_string_to_metric_families(answer.content.decode()))
    assert all(family.documentation for family in families)
    samples = {(s.name, frozenset(s.labels.items())): s.value for family in families for s in family.samples}
    return lambda name, **labels: samples.get((f"dispatcher_{name}", frozenset(labels.items())))


def test_messages_tries_and_answers_are_counted_by_what_became_of_them(settings):
    settings.SIMULATOR_PROFILE = "stormy"
    before = ask()
    campaign = make_campaign(people=60)

    books = send(campaign)

    told = ask()
    assert books.failed and books.sent
    for outcome in ("sent", "failed", "unknown"):
        assert told("messages", channel="email", outcome=outcome) == getattr(books, outcome)
    assert told("outcomes_total", **LANE, outcome="sent") == books.sent
    assert told("outcomes_total", **LANE, outcome="failed") == books.failed
    causes = {category.name.lower(): count for category, count in books.failures()}
    assert {cause: told("failures_total", **LANE, category=cause) for cause in causes} == causes
    assert told("tries_total", **LANE, answer="accepted") == books.sent
    tries = [told("tries_total", **LANE, answer=word) or 0 for word in ("accepted", "refused", "busy", "unsure")]
    assert told("provider_seconds_count", **LANE) == told("provider_seconds_bucket", **LANE, le="+Inf") == sum(tries)
    assert told("provider_seconds_sum", **LANE) > 0
    assert told("campaigns", status="sent") == (before("campaigns", status="sent") or 0) + 1
    assert told("queue_messages", state="waiting") == 0


def test_what_only_grows_does_not_fall_when_its_campaign_is_deleted():
    campaign = make_campaign(people=3)
    send(campaign)
    before = ask()

    campaign.refresh_from_db()
    shelf.delete(campaign, typed=campaign.name, by=None)

    told = ask()
    assert told("outcomes_total", **LANE, outcome="sent") == before("outcomes_total", **LANE, outcome="sent") == 3
    assert (before("messages", channel="email", outcome="sent"), told("messages", channel="email", outcome="sent")) == (
        3,
        None,
    )


def test_what_waits_how_long_and_how_fast_it_may_go_is_told():
    campaign = operations.launch(make_campaign(people=7), by=None)
    Batch.objects.update(due_at=Now() - clock.TOO_LATE)
    Pace.objects.create(workspace=campaign.workspace, channel=Channel.EMAIL, sender="simulated", limit=5)
    clock.beat()

    told = ask()

    assert [told("queue_messages", state=state) for state in ("waiting", "due", "in_flight")] == [7, 7, 0]
    assert 86_400 <= told("queue_oldest_seconds") < 86_500
    assert told("pace_rate", workspace=str(campaign.workspace_id), **LANE) == 5
    assert told("clock_silent_seconds") < 5
    assert told("workers", queue="dispatch") == 0


def test_a_worker_that_was_lost_is_counted_by_the_one_that_takes_over():
    campaign = operations.launch(make_campaign(people=4), by=None)
    Batch.objects.filter(campaign=campaign).update(
        owner="lost", epoch=1, handed_up_to=F("first") + 1, due_at=Now(), first_intent_at=Now()
    )

    engine.work(seconds=5)

    told = ask()
    assert told("lapses_total", **LANE) == 1
    # Those he may have handed over were handed to an account that nobody knows any more.
    assert [told("outcomes_total", **LANE, outcome=word) for word in ("sent", "unknown")] == [2, 2]


def test_what_is_cancelled_is_counted_too():
    campaign = operations.launch(make_campaign(people=4), by=None)
    operations.cancel(campaign, by=None)

    engine.work(seconds=5)

    assert ask()("outcomes_total", **LANE, outcome="cancelled") == 4


def test_drawings_and_pushes_are_counted():
    PAGES.add("drawings", 2)
    PAGES.add("pushes", 3)
    PAGES.write()
    before = ask()
    PAGES.add("pushes", 5)

    told = ask()

    assert (told("drawings_total"), told("pushes_total")) == (before("drawings_total"), before("pushes_total") + 5)


def test_without_a_database_what_was_counted_is_kept_for_later(monkeypatch, closed):
    tally = Tally()
    tally.add("pushes", 7)
    before = ask()("pushes_total") or 0
    connection.close()
    with monkeypatch.context() as elsewhere:
        for name, value in {"HOST": "127.0.0.1", "PORT": closed}.items():
            elsewhere.setitem(connection.settings_dict, name, value)
        tally.write()
        connection.close()

    tally.write()

    assert ask()("pushes_total") == before + 7


def test_who_holds_the_totals_holds_up_nobody():
    PAGES.add("pushes")
    PAGES.write()
    before, tally = ask()("pushes_total"), Tally()
    tally.add("pushes", 7)
    with psycopg.connect(database_url()) as suspended:
        suspended.execute("UPDATE dispatcher_total SET n = n")
        began = monotonic()
        tally.write()
        assert monotonic() - began < 2

    tally.write()

    assert ask()("pushes_total") == before + 7


def test_no_message_is_counted_for_it():
    with CaptureQueriesContext(connection) as queries:
        connection.force_debug_cursor = True
        figures()

    asked = [query["sql"] for query in queries.captured_queries]
    assert asked and not [sql for sql in asked if "dispatcher_message " in sql]


@pytest.mark.parametrize("port", ["closed", "silence"])
def test_that_redis_does_not_answer_is_told_in_time(request, settings, port):
    settings.REDIS_URL = f"redis://127.0.0.1:{request.getfixturevalue(port)}/0"
    began = monotonic()

    told = ask()

    assert monotonic() - began < 2
    assert (told("redis_up"), told("database_up"), told("workers", queue="dispatch")) == (0, 1, None)


@pytest.mark.parametrize("port", ["closed", "silence"])
def test_that_the_database_does_not_answer_is_told_in_time(request, monkeypatch, port):
    elsewhere = {"HOST": "127.0.0.1", "PORT": request.getfixturevalue(port)}
    for name, value in elsewhere.items():
        monkeypatch.setitem(connections.settings["default"], name, value)
    began = monotonic()

    told = ask()

    assert monotonic() - began < 2
    assert (told("redis_up"), told("database_up"), told("queue_messages", state="due")) == (1, 0, None)


@pytest.mark.parametrize(
    ("table", "slow"),
    [("dispatcher_total", {"tries_total"}), ("dispatcher_batch", {"messages", "queue_messages"})],
)
def test_a_figure_that_takes_too_long_is_left_out_and_no_other(table, slow):
    send(make_campaign(people=1))
    labels = {
        "tries_total": LANE | {"answer": "accepted"},
        "messages": {"channel": "email", "outcome": "sent"},
        "queue_messages": {"state": "due"},
        "campaigns": {"status": "sent"},
    }
    with psycopg.connect(database_url()) as migrating:
        migrating.execute(f"LOCK TABLE {table}")
        began = monotonic()
        told = ask()

    assert monotonic() - began < 2
    assert told("database_up") == 1
    assert {name for name, by in labels.items() if told(name, **by) is None} == slow


def test_who_has_the_token_may_read_and_nobody_else(settings):
    settings.METRICS_TOKEN = "a-long-enough-token"

    assert ask(authorization="Bearer a-long-enough-token")("database_up") == 1
    for wrong in ("", "Bearer", "Bearer a-long-enough-token2", "Basic a-long-enough-token", "Bearer é"):
        answer = Client().get("/metrics", headers={"authorization": wrong})
        assert (answer.status_code, answer["WWW-Authenticate"]) == (401, "Bearer")


def test_without_a_token_nobody_may_read_where_others_can_reach_it(settings):
    settings.DEV = False

    assert Client().get("/metrics").status_code == 404


def test_the_same_figures_are_given_again_for_a_moment(monkeypatch):
    asked = []
    question = Question(lambda: asked.append(1), kept=3)
    question.put().result()

    question.put().result()

    assert len(asked) == 1
