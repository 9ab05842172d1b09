"""The page always says why a campaign is not moving, and what it is doing when it is."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db.models import F
from django.db.models.functions import Now
from django.utils import timezone
from redis.exceptions import ConnectionError as NoRedis

from accounts.models import Role
from campaigns.models import Campaign
from dispatcher import operations
from dispatcher import workers as known_workers
from dispatcher.books import books_of
from dispatcher.models import Batch, Heartbeat, Pace, Settlement
from dispatcher.picture import picture_of
from dispatcher.why import why
from dispatcher.words import about, duration
from dispatcher.workers import Worker
from tests.dispatcher.outcomes import failed, launched, sent, unknown
from tests.make import make_campaign, make_member, make_workspace

pytestmark = pytest.mark.django_db
Status = Campaign.Status
EARLIER = timedelta(minutes=5)


@pytest.fixture
def workspace():
    return make_workspace()


@pytest.fixture(autouse=True)
def clock():
    Heartbeat.objects.create(name="clock", at=timezone.now())


@pytest.fixture(autouse=True)
def workers(monkeypatch):
    """How many workers there are, as the test decides; -1 for a Redis that does not answer."""
    there = {"are": 2}

    def alive() -> list[Worker]:
        if there["are"] < 0:
            raise NoRedis
        return [Worker("name", "dispatch", "idle", "host", 1, None, None)] * there["are"]

    monkeypatch.setattr(known_workers, "alive", alive)
    monkeypatch.setattr(known_workers, "_asked", (float("-inf"), None))
    return there


def said(campaign: Campaign) -> str:
    campaign = Campaign.objects.select_related("workspace", "created_by").get(pk=campaign.pk)
    found = why(picture_of(campaign, Role.MARKETER))
    return f"{found.words} {found.sentence}"


def some_time_ago(campaign: Campaign) -> Campaign:
    """As if it was launched five minutes ago and nothing happened lately."""
    Campaign.objects.filter(pk=campaign.pk).update(launched_at=F("launched_at") - EARLIER)
    campaign.history.update(at=F("at") - EARLIER)
    Batch.objects.filter(campaign=campaign).update(settled_at=F("settled_at") - EARLIER, due_at=F("due_at") - EARLIER)
    return campaign


def hold(campaign: Campaign, *, in_flight: int, seconds_left: float = 14) -> None:
    """As if a worker had it in hand, whose lease lasts this much longer."""
    due_at = Now() + timedelta(seconds=seconds_left)
    Batch.objects.filter(campaign=campaign).update(owner="worker", in_flight=in_flight, due_at=due_at)


def test_a_draft_waits_for_a_person(workspace):
    assert "Nothing has been sent yet." in said(make_campaign(workspace))


def test_a_schedule_tells_its_time_and_whether_anybody_keeps_it(workspace):
    campaign = make_campaign(workspace, people=1)
    operations.schedule(campaign, at=timezone.now().replace(hour=23, minute=59, second=59), by=None)

    assert "It starts by itself at 23:59:59." in said(campaign)
    Heartbeat.objects.update(at=timezone.now() - EARLIER)
    assert "No clock is running." in said(campaign)


def test_preparing_tells_how_far_it_is(workspace):
    campaign = launched(make_campaign(workspace, people=3))
    Campaign.objects.filter(pk=campaign.pk).update(status=Status.PREPARING)

    assert "3 people so far" in said(campaign)
    Heartbeat.objects.all().delete()
    assert "No clock is running." in said(campaign)


def test_a_launch_gets_a_moment_to_start(workspace):
    assert "Starting." in said(launched(make_campaign(workspace, people=3)))


def test_no_worker_no_redis_or_busy_workers(workspace, workers, monkeypatch):
    campaign = some_time_ago(launched(make_campaign(workspace, people=3)))

    for number, words in ((2, "Waiting for a worker."), (0, "No worker is running."), (-1, "(Redis) does not answer")):
        workers["are"] = number
        monkeypatch.setattr(known_workers, "_asked", (float("-inf"), None))
        assert words in said(campaign)


def test_a_worker_that_went_silent_is_told_with_the_time_when_it_is_taken_over(workspace):
    campaign = some_time_ago(launched(make_campaign(workspace, people=30), *sent(10)))
    hold(campaign, in_flight=12, seconds_left=3)

    lease_ends = picture_of(campaign, Role.MARKETER).outlook.lease_ends
    assert "A worker went silent. Nothing came in for 5 min" in said(campaign)
    assert f"taken over by {lease_ends:%H:%M:%S}." in said(campaign)


def test_answers_that_take_long_are_waited_for_in_so_many_words(workspace):
    campaign = some_time_ago(launched(make_campaign(workspace, people=30), *sent(10)))
    hold(campaign, in_flight=12)

    assert "Waiting for answers. Nothing came in for 5 min" in said(campaign)
    assert "12 are in flight." in said(campaign)


def test_the_first_answers_are_awaited_without_alarm(workspace):
    campaign = launched(make_campaign(workspace, people=30))
    hold(campaign, in_flight=12)

    assert "The first answers are awaited." in said(campaign)


def test_what_a_dead_worker_held_is_not_called_in_flight(workspace, workers):
    campaign = some_time_ago(launched(make_campaign(workspace, people=30), *sent(10)))
    hold(campaign, in_flight=12, seconds_left=-1)
    workers["are"] = 0

    assert "No worker is running." in said(campaign)
    assert books_of(campaign).in_flight == 0


def test_other_campaigns_are_blamed_only_while_they_are_sent(workspace):
    campaign = some_time_ago(launched(make_campaign(workspace, people=3)))

    assert "None has come since" in said(campaign) and "other campaigns" not in said(campaign)
    hold(launched(make_campaign(people=3)), in_flight=3)
    assert "All are busy with other campaigns." in said(campaign)


def test_after_a_resume_a_worker_is_expected_at_once(workspace):
    campaign = some_time_ago(launched(make_campaign(workspace, people=3)))
    operations.pause(campaign, by=None)
    operations.resume(campaign, by=None)

    assert "A worker will start within a second or two." in said(campaign)


def test_moving_says_so_with_its_speed(workspace):
    campaign = launched(make_campaign(workspace, people=30), *sent(10))
    Settlement.objects.create(campaign=campaign, settled=10)

    assert "Sending." in said(campaign)
    campaign.workspace.refresh_from_db()
    shown = picture_of(campaign, Role.MARKETER)
    assert shown.speed == 10 and shown.done_at > timezone.now()


def test_a_batch_that_failed_once_says_when_it_is_tried_again(workspace):
    campaign = some_time_ago(launched(make_campaign(workspace, people=3), *sent()))
    Batch.objects.filter(campaign=campaign).update(due_at=Now() + timedelta(seconds=30))

    assert "Waiting before trying again. 2 could not be handed over yet. Next try at" in said(campaign)


def test_a_limit_that_other_campaigns_use_up_is_told(workspace):
    campaign, other = (launched(make_campaign(workspace, people=3)) for _ in range(2))
    Pace.objects.create(workspace=workspace, channel=campaign.channel, sender="simulated", limit=100, rate=100)
    some_time_ago(campaign)
    hold(campaign, in_flight=0)
    assert "other campaigns" not in said(campaign)

    hold(other, in_flight=3)

    assert "Limited to 100 messages a second, which other campaigns use." in said(campaign)


def test_a_limit_says_when_the_next_may_go(workspace):
    campaign = some_time_ago(launched(make_campaign(workspace, people=3), *sent()))
    Batch.objects.filter(campaign=campaign).update(due_at=Now() + timedelta(seconds=30))
    Pace.objects.create(workspace=workspace, channel=campaign.channel, sender="simulated", limit=0.05, rate=0.05)

    assert "Waiting for the limit. 0.05 messages a second. Next at" in said(campaign)


def test_a_provider_that_asked_for_a_pause_is_waited_for(workspace):
    campaign = launched(make_campaign(workspace, people=3))
    Pace.objects.create(
        workspace=workspace, channel=campaign.channel, sender="simulated", closed_until=Now() + timedelta(seconds=60)
    )

    assert "It asked for a pause. Next try at" in said(campaign)


def test_a_provider_that_was_slowed_down_is_told(workspace):
    campaign = launched(make_campaign(workspace, people=3), *sent())
    Pace.objects.create(
        workspace=workspace, channel=campaign.channel, sender="simulated", rate=200, slowed_at=timezone.now()
    )

    assert "sending at 200 a second, rising again" in said(campaign)


def test_paused_says_by_whom_when_and_why(workspace):
    campaign = launched(make_campaign(workspace, people=30), *sent(10))
    operations.pause(campaign, by=make_member(workspace, name="Ann"), reason="wrong price?")
    hold(campaign, in_flight=12)

    assert "Pausing, 12 in flight." in said(campaign)

    Batch.objects.filter(campaign=campaign).update(owner="", in_flight=0)
    assert "Paused by Ann at " in said(campaign)
    assert ": “wrong price?”. 20 still wait" in said(campaign)


def test_a_pause_by_the_house_itself_says_so(workspace):
    campaign = launched(make_campaign(workspace, people=3))
    operations.pause(campaign, by=None, reason="20 messages in a row got no answer")

    assert "Paused by itself at" in said(campaign)


def over(campaign: Campaign, status: Status) -> Campaign:
    started = campaign.history.get(to_status=Status.PREPARING).at
    Campaign.objects.filter(pk=campaign.pk).update(status=status, finished_at=started + timedelta(seconds=38))
    return campaign


def test_finished_says_when_and_how_long_it_took(workspace):
    campaign = over(launched(make_campaign(workspace, people=3), *sent(3)), Status.SENT)

    assert "Finished." in said(campaign) and ", 38 s after it began. Nothing is left to send." in said(campaign)


def test_after_a_retry_the_time_it_took_is_called_that_of_the_retry(workspace):
    campaign = over(launched(make_campaign(workspace, people=3), *sent(2), *failed()), Status.SENT)
    some_time_ago(campaign)
    operations.retry_failed(campaign, by=None)
    begun = campaign.history.filter(from_status=Status.SENT).first().at
    Campaign.objects.filter(pk=campaign.pk).update(status=Status.SENT, finished_at=begun + timedelta(seconds=2))

    assert ", 2.0 s after the retry began." in said(campaign)


def test_a_note_in_the_history_is_not_taken_for_the_pause(workspace):
    campaign = launched(make_campaign(workspace, people=3), *sent(2), *failed())
    operations.pause(campaign, by=make_member(workspace, name="Ann"))
    operations.retry_failed(campaign, by=make_member(workspace, name="Ben"))

    assert "Paused by Ann" in said(campaign)


def test_zero_sent_is_never_called_finished(workspace):
    campaign = over(launched(make_campaign(workspace, people=2), *failed(how_many=2)), Status.FAILED)

    assert "Nobody got it." in said(campaign)


def test_what_is_unknown_asks_for_a_decision(workspace):
    campaign = over(launched(make_campaign(workspace, people=3), *sent(2), *unknown()), Status.SENT)

    assert "1 is unknown and waits for a decision." in said(campaign)


def test_cancelled_says_what_still_happens(workspace):
    campaign = launched(make_campaign(workspace, people=30), *sent(10))
    operations.cancel(campaign, by=make_member(workspace, name="Ann"))
    hold(campaign, in_flight=3)

    assert "Cancelling, 3 in flight. Cancelled by Ann at" in said(campaign)
    Batch.objects.filter(campaign=campaign).update(owner="", in_flight=0)
    assert "the books are being closed" in said(campaign)
    Batch.objects.filter(campaign=campaign).update(pending=0, cancelled=F("pending"))
    assert "10 were sent before it was cancelled by Ann" in said(campaign)
    assert "Before anything was sent" in said(cancelled_draft(workspace))


def cancelled_draft(workspace) -> Campaign:
    return operations.cancel(make_campaign(workspace), by=None)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(29, "12:00:29"), (599, "12:09:59"), (3_600, "13:00"), (13 * 3_600, "23 Nov 01:00")],
)
def test_a_guess_is_told_to_the_second_only_when_it_is_soon(seconds, words):
    now = datetime(2026, 11, 22, 12, tzinfo=UTC)

    assert about(now + timedelta(seconds=seconds), now) == words


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0, "under 1 s"), (4.25, "4.2 s"), (38.9, "38 s"), (252, "4 min 12 s"), (3_900, "1 h 5 min")],
)
def test_durations_are_said_as_people_say_them(seconds, words):
    assert duration(seconds) == words


def test_nothing_is_foretold_while_the_sender_is_closed(workspace):
    campaign = launched(make_campaign(workspace, people=9), *sent(3))
    Settlement.objects.create(campaign=campaign, settled=100)
    assert picture_of(campaign, Role.MARKETER).speed

    Pace.objects.create(
        workspace=workspace, channel=campaign.channel, sender="simulated", closed_until=Now() + timedelta(seconds=60)
    )

    picture = picture_of(campaign, Role.MARKETER)
    assert (picture.speed, picture.done_at) == (0, None)
