"""The queue page: what waits, how fast it goes, who works at what; true also without Redis."""

from datetime import timedelta

import pytest
from django.db import connection
from django.db.models import F
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from rq.utils import utcformat

from accounts.models import Role
from campaigns.models import Campaign
from dispatcher import operations, workers
from dispatcher.models import Batch, Heartbeat, Settlement
from dispatcher.owner import owner_of
from dispatcher.queue_page import queue_of
from dispatcher.worker import GentleWorker
from tests.dispatcher.outcomes import launched, sent
from tests.make import make_campaign, make_member, make_recipients, make_workspace

pytestmark = pytest.mark.django_db


@pytest.fixture
def workspace():
    return make_workspace()


@pytest.fixture(autouse=True)
def ticking():
    Heartbeat.objects.create(name="clock", at=timezone.now())


@pytest.fixture
def worker():
    """A worker that Redis knows."""
    worker = GentleWorker("dispatch")
    worker.hostname = "engine-room-of-the-house"  # a short one stands by chance in a page's token
    worker.register_birth()
    yield worker
    worker.register_death()


def logged_in(workspace, role: Role = Role.VIEWER, **fields) -> Client:
    client = Client()
    client.force_login(make_member(workspace, role, **fields))
    return client


def page_of(workspace, **fields) -> str:
    return logged_in(workspace, **fields).get(reverse("queue")).content.decode()


def held_by(worker: GentleWorker, campaign: Campaign) -> None:
    later = timezone.now() + timedelta(seconds=10)
    owner = owner_of(worker.hostname, worker.pid, worker.name)
    Batch.objects.filter(campaign=campaign).update(owner=owner, in_flight=2, due_at=later)


def test_an_idle_house_says_so(workspace):
    page = page_of(workspace)

    assert "Nothing is being sent" in page
    assert "No worker is running" in page


def test_what_waits_is_in_flight_and_is_due_adds_up_over_the_open_campaigns(workspace, worker):
    held_by(worker, launched(make_campaign(workspace, people=5)))
    due = launched(make_campaign(workspace))
    operations.pause(launched(make_campaign(workspace)), by=None)
    Batch.objects.filter(campaign=due).update(due_at=F("due_at") - timedelta(minutes=2))

    queue = queue_of(workspace)

    assert (queue.waiting, queue.in_flight, queue.due) == (15, 2, 5)
    assert 119 < queue.oldest < 140


def test_a_worker_is_shown_with_the_batch_in_its_hands(workspace, worker):
    campaign = launched(make_campaign(workspace, people=5, name="Spring launch"))
    held_by(worker, campaign)

    (hand,) = queue_of(workspace).hands
    page = page_of(workspace)

    assert hand.worker.name == worker.name[:8]
    assert [(held.name, held.first, held.last, held.in_flight) for held in hand.held] == [("Spring launch", 1, 5, 2)]
    assert "people 1 to 5, 2 in flight" in page


def test_two_containers_with_the_same_host_name_and_process_number_are_told_apart(workspace, worker):
    held_by(worker, launched(make_campaign(workspace, people=5)))
    twin = GentleWorker("dispatch")
    twin.hostname, twin.pid = worker.hostname, worker.pid
    twin.register_birth()

    hands = queue_of(workspace).hands
    twin.register_death()

    assert {hand.worker.name: len(hand.held) for hand in hands} == {worker.name[:8]: 1, twin.name[:8]: 0}


def test_a_batch_whose_worker_is_not_heard_of_is_shown(workspace):
    campaign = launched(make_campaign(workspace, people=5))
    Batch.objects.filter(campaign=campaign).update(owner="gone:1", due_at=timezone.now() + timedelta(seconds=9))

    assert "not heard of" in page_of(workspace)


@pytest.mark.parametrize("is_staff", [False, True])
def test_what_a_worker_does_for_another_workspace_is_not_told(workspace, worker, is_staff):
    campaign = launched(make_campaign(make_workspace(), people=31, name="A secret of theirs"))
    held_by(worker, campaign)
    Batch.objects.filter(campaign=campaign).update(in_flight=17)

    page = page_of(workspace, is_staff=is_staff)

    workers_card = page.partition('id="workers-heading"')[2]
    assert "another workspace" in workers_card
    assert "A secret of theirs" not in page
    assert "31" not in visible(workers_card) and "17" not in visible(workers_card)
    assert "people" not in workers_card and "in flight" not in workers_card


def visible(html: str) -> str:
    """The cell that says what the worker does: the others hold times."""
    return html.partition('data-label="What it does"')[2].partition("</td>")[0]


def test_only_staff_is_told_on_which_machines_the_work_is_done(workspace, worker):
    held_by(worker, launched(make_campaign(workspace, people=2)))
    Batch.objects.filter(campaign=launched(make_campaign(workspace))).update(
        owner="gone:1", due_at=timezone.now() + timedelta(seconds=9)
    )
    hosts = (owner_of(worker.hostname, worker.pid, worker.name), "gone:1")

    owner, staff = page_of(workspace, role=Role.OWNER), page_of(workspace, is_staff=True)

    assert "Worker 1" in owner and "Worker 2" in owner
    assert worker.hostname not in owner and all(host not in owner for host in hosts)
    assert all(host in staff for host in hosts)


def test_staff_that_looks_at_all_workspaces_is_told_what_each_worker_holds(workspace, worker):
    held_by(worker, launched(make_campaign(make_workspace(), people=31, name="Of theirs")))

    page = logged_in(workspace, is_staff=True).get(reverse("queue") + "?all").content.decode()

    assert "Of theirs, people 1 to 31, 2 in flight" in page


def test_without_redis_the_page_is_drawn_from_the_database_and_says_so(workspace, monkeypatch):
    launched(make_campaign(workspace, people=5))
    monkeypatch.setattr(workers, "_asked", (float("inf"), None))  # as if it had just not answered

    page = page_of(workspace)

    assert "Redis) does not answer" in page
    assert "<small>Waiting</small><b>5</b>" in page


def test_a_clock_that_stopped_is_said(workspace):
    Heartbeat.objects.update(at=timezone.now() - timedelta(minutes=1))

    assert "not running" in page_of(workspace)


def test_the_last_hour_is_drawn_minute_by_minute(workspace):
    campaign = launched(make_campaign(workspace, people=1), *sent())
    now = timezone.now()
    for ago, settled, helped, lapses in ((0, 5, 0, 0), (1, 40, 3, 0), (1, 2, 0, 1), (59, 7, 0, 0), (70, 99, 9, 9)):
        at = now - timedelta(minutes=ago)
        Settlement.objects.create(campaign=campaign, at=at, settled=settled, helped=helped, lapses=lapses)

    queue = queue_of(workspace)
    page = page_of(workspace)

    assert len(queue.minutes) == 60
    assert [minute.settled for minute in (queue.minutes[0], *queue.minutes[-2:])] == [7, 42, 5]
    assert (queue.settled, queue.last_minute, queue.most, queue.helped, queue.lapses) == (54, 42, 42, 3, 1)
    assert "3 were sent by a try after the first" in page
    assert "1 batch was taken over" in page
    assert page.count("<rect ") == 60
    assert '<td class="num">42</td>' in page


def test_each_campaign_says_why_it_does_not_move(workspace):
    campaign = launched(make_campaign(workspace, people=5))
    operations.pause(campaign, by=make_member(workspace, name="Ann"))
    waiting = launched(make_campaign(workspace))
    ago = F("launched_at") - timedelta(minutes=5)
    Campaign.objects.filter(pk=waiting.pk).update(launched_at=ago)
    waiting.history.update(at=F("at") - timedelta(minutes=5))

    page = page_of(workspace)

    assert "Paused by Ann" in page
    assert "No worker is running." in page


def test_staff_sees_all_workspaces_and_nobody_else_does(workspace):
    launched(make_campaign(make_workspace("Elsewhere"), people=3))
    staff, member = logged_in(workspace, is_staff=True), logged_in(workspace, Role.OWNER)

    page = staff.get(reverse("queue") + "?all").content.decode()

    assert "Elsewhere" in page
    assert "<small>Waiting</small><b>3</b>" in page
    assert "<small>Waiting</small><b>0</b>" in staff.get(reverse("queue")).content.decode()
    assert member.get(reverse("queue") + "?all").status_code == 403
    assert member.get(reverse("queue-live") + "?all").status_code == 403


def test_the_fragment_that_is_polled_is_the_one_on_the_page(workspace):
    launched(make_campaign(workspace, people=3))
    client = logged_in(workspace)

    fragment = client.get(reverse("queue-live")).content.decode()

    opening = fragment.partition("<section")[0].partition("<div")[2]
    assert opening in client.get(reverse("queue")).content.decode()


def test_a_hundred_campaigns_cost_as_many_queries_as_one(workspace, worker):
    make_recipients(workspace, 1)

    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            queue_of(workspace)
        return len(captured)

    launched(make_campaign(workspace))
    for_one = queries()
    for _ in range(99):
        launched(make_campaign(workspace))

    assert queries() == for_one


def test_a_worker_that_went_silent_is_told_from_ten_seconds_on(workspace, worker):
    worker.connection.hset(worker.key, "last_heartbeat", utcformat(timezone.now() - timedelta(seconds=12)))

    assert "not heard of since 12" in page_of(workspace)
