"""Prediction: how long a campaign will take, from what is known, and in plain words what is not."""

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone
from redis.exceptions import ConnectionError as NoRedis

from accounts.models import Role
from campaigns.models import Campaign, Split
from dispatcher import operations, workers
from dispatcher.check import check_of
from dispatcher.models import Batch, Heartbeat, Pace, Settlement
from dispatcher.prediction import Prediction, predict
from dispatcher.workers import Worker
from people.channels import Channel
from tests.dispatcher.outcomes import launched, sent
from tests.make import logged_in, make_campaign, make_workspace

pytestmark = pytest.mark.django_db


@pytest.fixture
def workspace():
    return make_workspace("Acme", time_zone="Africa/Nairobi")


@pytest.fixture(autouse=True)
def working(monkeypatch):
    """A clock, and as many workers as the test says; -1 for a Redis that does not answer."""
    there = {"are": 2}

    def alive() -> list[Worker]:
        if there["are"] < 0:
            raise NoRedis
        return [Worker("name", "dispatch", "idle", "host", 1, None, None)] * there["are"]

    monkeypatch.setattr(workers, "alive", alive)
    Heartbeat.objects.create(name="clock")
    return there


def limited(workspace, limit: float, channel: Channel = Channel.EMAIL, **fields) -> None:
    Pace.objects.create(workspace=workspace, channel=channel, sender="simulated", limit=limit, **fields)


def was_sent(campaign: Campaign, *a_second: int) -> None:
    """So many were settled in one second after the other, a while ago."""
    begin = (timezone.now() - timedelta(minutes=5)).replace(microsecond=0)
    for second, settled in enumerate(a_second):
        at = begin + timedelta(seconds=second)
        Settlement.objects.create(campaign=campaign, settled=settled // 2, at=at)
        Settlement.objects.create(campaign=campaign, settled=settled - settled // 2, at=at + timedelta(seconds=0.5))


def predicted(workspace, people: int = 1000, **fields) -> Prediction:
    return predict(make_campaign(workspace, **fields), people)


def test_a_limit_says_how_long_it_takes_at_least(workspace):
    limited(workspace, 200)

    prediction = predicted(workspace, 4212)

    assert prediction.seconds == pytest.approx(4212 / 200)
    assert prediction.speed.is_most


def test_what_was_measured_lately_says_it_unless_the_limit_is_below(workspace):
    was_sent(make_campaign(workspace), 500, 500, 500, 1)
    assert predicted(workspace).seconds == pytest.approx(2, rel=0.01)  # the straggler hardly counts

    limited(workspace, 100)
    prediction = predicted(workspace)
    assert prediction.seconds == pytest.approx(10)
    assert not prediction.speed.is_most


def test_another_channel_or_workspace_tells_nothing(workspace):
    was_sent(make_campaign(workspace, channel=Channel.SMS), 500)
    was_sent(make_campaign(), 500)

    prediction = predicted(workspace)

    assert prediction.seconds is None and "too little was sent over this channel" in prediction.unknown


def test_where_nothing_was_sent_lately_the_quickest_of_the_last_campaigns_tells(workspace):
    for name, seconds in (("Spring", 10), ("Paused for long", 4000)):
        campaign = launched(make_campaign(workspace, people=200, name=name), *sent(200))
        now = timezone.now()
        begun = now - timedelta(seconds=seconds)
        status = Campaign.Status.SENT
        Campaign.objects.filter(pk=campaign.pk).update(status=status, launched_at=begun, finished_at=now)
        workspace.recipients.all().delete()

    prediction = predicted(workspace)

    assert prediction.seconds == pytest.approx(50, rel=0.01)
    assert prediction.speed.known_from == "as fast as “Spring” went"


def test_what_goes_before_it_or_beside_it_takes_its_time_too(workspace):
    was_sent(make_campaign(workspace), 100, 100)
    operations.launch(make_campaign(people=100), by=None)
    low = operations.launch(make_campaign(people=50, priority=Campaign.Priority.LOW), by=None)

    prediction = predicted(workspace, 1000)
    assert (prediction.ahead, prediction.seconds) == ((100, 0), pytest.approx(11))

    urgent = predicted(workspace, 1000, priority=Campaign.Priority.URGENT)
    assert urgent.ahead.messages == 0
    Batch.objects.exclude(campaign=low).update(due_at=timezone.now() + timedelta(hours=5))
    assert predicted(workspace, 1000).ahead.messages == 0


def test_nobody_is_told_how_much_another_workspace_sends(workspace):
    was_sent(make_campaign(workspace, people=5), 100, 100)
    operations.launch(make_campaign(people=1234), by=None)
    operations.launch(make_campaign(workspace, name="Ours"), by=None)
    campaign = make_campaign(workspace)

    html = logged_in(workspace, Role.OWNER).get(reverse("check", args=[campaign.pk])).content.decode()

    assert "5 messages of other campaigns go before or beside it. Others share the workers with you now." in html
    assert "1,234" not in html and "1,239" not in html


def test_only_what_shares_the_limit_waits_for_it(workspace):
    limited(workspace, 10)
    operations.launch(make_campaign(people=100), by=None)
    assert predicted(workspace).ahead.messages == 0

    operations.launch(make_campaign(workspace, people=30), by=None)
    assert predicted(workspace).ahead == (30, 30)


def test_a_provider_that_asked_for_a_pause_is_waited_for(workspace):
    limited(workspace, 100, closed_until=timezone.now() + timedelta(seconds=60))

    assert predicted(workspace).seconds == pytest.approx(70, abs=1)


@pytest.mark.parametrize(("number", "words"), [(0, "No worker is running"), (-1, "the queue (Redis) does not answer")])
def test_without_workers_nobody_says_when_it_is_over(workspace, working, number, words):
    limited(workspace, 200)
    working["are"] = number

    prediction = predicted(workspace)

    assert prediction.ends_at is None and words in prediction.unknown


def test_without_a_clock_what_needs_one_would_not_start(workspace):
    limited(workspace, 200)
    Heartbeat.objects.all().delete()
    campaign = make_campaign(workspace)

    assert predict(campaign, 10).unknown == ""
    assert "No clock is running" in predict(campaign, 10, undo_seconds=10).unknown
    assert "No clock is running" in predict(campaign, 30_000).unknown


def test_a_scheduled_one_starts_at_its_time_and_the_seconds_to_undo_come_first_for_others(workspace):
    limited(workspace, 100)
    tomorrow = timezone.now() + timedelta(days=1)
    campaign = operations.schedule(make_campaign(workspace, people=1), at=tomorrow, by=None)

    assert predict(campaign, 100).starts_at == tomorrow
    assert predict(campaign, 100).ends_at == tomorrow + timedelta(seconds=1)
    starts_at = predict(make_campaign(workspace), 100, undo_seconds=10).starts_at
    assert (starts_at - timezone.now()).total_seconds() == pytest.approx(10, abs=1)


def test_who_waits_for_the_winner_gets_it_hours_later_and_nobody_knows_when_a_person_chooses(workspace):
    limited(workspace, 100)
    campaign = make_campaign(workspace)
    split = Split.objects.create(campaign=campaign, weights=[50, 50], tested=20, measure="clicked", after_hours=4)
    assert predict(campaign, 1000).seconds == pytest.approx(4 * 3600 + 10)

    split.measure = ""
    split.save(update_fields=["measure"])
    prediction = predict(campaign, 1000)
    assert (prediction.ends_at, prediction.unknown) == (None, "It ends when somebody has chosen the winner.")

    split.tested = 100
    split.save(update_fields=["tested"])
    assert predict(campaign, 1000).seconds == pytest.approx(10)


def test_the_page_tells_the_end_and_from_where_it_is_known(workspace):
    limited(workspace, 200)
    campaign = make_campaign(workspace, people=400)

    page = logged_in(workspace, Role.MARKETER).get(f"/campaigns/{campaign.pk}/check/").content.decode()

    assert "200 a second: the limit of this sender" in page
    assert "done at the earliest <b>" in page and 'data-zone="Africa/Nairobi"' in page
    assert check_of(campaign, {}).ends.endswith("Africa/Nairobi")
