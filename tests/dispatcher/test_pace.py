"""Pace: a limit is kept by all workers together, and a 429 slows the sender down."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import connection
from django.db.models.functions import Now
from django.utils import timezone

from campaigns.models import Campaign
from dispatcher import engine, operations, pace
from dispatcher.books import books_of
from dispatcher.models import Batch, Message, Pace, SkipReason
from people.channels import Channel
from tests.dispatcher.sending import make_due, work_off
from tests.make import make_campaign, make_workspace

pytestmark = pytest.mark.django_db


@pytest.fixture
def lane():
    return pace.Lane(make_workspace().pk, Channel.EMAIL, "scripted")


def take(lane, most: int) -> tuple[int, float]:
    with connection.cursor() as cursor:
        return pace.take(cursor, lane, most)


def set_pace(lane, **columns) -> Pace:
    return Pace.objects.create(workspace_id=lane.workspace, channel=lane.channel, sender=lane.sender, **columns)


def test_without_a_limit_everything_goes(lane):
    assert take(lane, 500) == (500, 0)


def test_a_bucket_holds_one_second_and_then_says_when_to_come_again(lane):
    set_pace(lane, limit=100, refilled_at=timezone.now() - timedelta(minutes=5))

    first, _ = take(lane, 500)
    second, wait = take(lane, 500)

    assert first == 100
    assert second < 10
    assert 0 < wait <= 0.01


def test_a_limit_below_one_a_second_still_lets_one_through(lane):
    set_pace(lane, limit=0.5, refilled_at=timezone.now() - timedelta(seconds=2))
    assert take(lane, 5)[0] == 1
    assert take(lane, 5)[0] == 0


def test_a_429_halves_the_rate_and_closes_the_gate_for_as_long_as_asked(lane):
    set_pace(lane, limit=100)
    with connection.cursor() as cursor:
        pace.slow_down(cursor, lane, retry_after=30, speed=0)

    tokens, wait = take(lane, 10)

    assert (tokens, round(Pace.objects.get().rate)) == (0, 50)
    assert 29 < wait <= 30


@pytest.mark.parametrize("asked", [1e12, -1, None])
def test_a_senseless_retry_after_closes_the_gate_for_minutes_at_most(lane, asked):
    with connection.cursor() as cursor:
        pace.slow_down(cursor, lane, retry_after=asked, speed=10)

    assert 0 < take(lane, 10)[1] <= pace.LONGEST_CLOSURE


def test_the_rate_rises_again_but_never_above_the_limit(lane):
    an_hour_ago = timezone.now() - timedelta(seconds=20)
    set_pace(lane, limit=100, rate=50, slowed_at=an_hour_ago, refilled_at=an_hour_ago)

    take(lane, 1)

    assert Pace.objects.get().rate == 100


def test_a_campaign_keeps_to_the_limit_and_gives_its_batch_back_meanwhile(provider):
    campaign = make_campaign(people=120)
    Pace.objects.create(workspace=campaign.workspace, channel=campaign.channel, sender="scripted", limit=20, tokens=20)
    operations.launch(campaign, by=None)

    engine.work(seconds=0.3)

    assert 20 <= books_of(campaign).sent < 120
    assert Batch.objects.get().owner == ""
    Pace.objects.update(limit=None, rate=None)
    assert work_off(campaign, shifts=60).sent == 120


def test_tokens_nobody_used_are_returned(provider):
    campaign = make_campaign(people=3)
    Pace.objects.create(workspace=campaign.workspace, channel=campaign.channel, sender="scripted", limit=50, tokens=50)
    operations.launch(campaign, by=None)

    work_off(campaign)

    assert Pace.objects.get().tokens >= 46


def test_what_the_first_batch_of_a_lane_does_not_need_goes_to_the_next_and_the_rest_is_returned(provider, settings):
    settings.BATCH_SIZE = 5
    campaign = make_campaign(people=10)
    Pace.objects.create(workspace=campaign.workspace, channel=campaign.channel, sender="scripted", limit=9, tokens=9)
    operations.launch(campaign, by=None)
    settled = {"status": Message.Status.SKIPPED, "skip_reason": SkipReason.ERASED}
    Message.objects.filter(campaign=campaign, number__in=(2, 3, 4)).update(**settled)
    campaign.batches.filter(first=1).update(pending=2, skipped=3)

    engine.work(seconds=0.1)

    assert books_of(campaign).sent == 7
    assert 2 <= Pace.objects.get().tokens < 4


def test_a_lane_that_runs_out_of_tokens_tells_each_batch_left_without_when_to_come_again(provider, settings):
    settings.BATCH_SIZE = 5
    campaign = make_campaign(people=15)
    Pace.objects.create(workspace=campaign.workspace, channel=campaign.channel, sender="scripted", limit=0.1, tokens=1)
    operations.launch(campaign, by=None)

    engine.work(seconds=0.1)

    assert books_of(campaign).sent == 1
    left = Batch.objects.filter(first__gt=1)
    assert [batch.owner for batch in left] == ["", ""]
    assert all(batch.due_at > timezone.now() + timedelta(seconds=5) for batch in left)


def under_a_limit(**priorities: Campaign.Priority) -> list[Campaign]:
    """Campaigns of one workspace to 200 people each, launched in this order, with 40 messages a second for all."""
    workspace = make_workspace()
    campaigns = [make_campaign(workspace, people=200, name=name, priority=each) for name, each in priorities.items()]
    Pace.objects.create(workspace=workspace, channel=Channel.EMAIL, sender="scripted", limit=40, tokens=40)
    for campaign in campaigns:
        operations.launch(campaign, by=None)
    return campaigns


def test_where_tokens_are_short_the_urgent_campaign_has_them_before_all_others(provider):
    usual, urgent = under_a_limit(usual=Campaign.Priority.NORMAL, urgent=Campaign.Priority.URGENT)

    engine.work(seconds=1.5)

    assert books_of(urgent).sent >= 60
    assert books_of(usual).sent == 0


def work_until(is_so: Callable[[], bool], *campaigns: Campaign) -> None:
    """Shift after shift, as many as a busy machine needs."""
    for _ in range(40):
        if is_so():
            return
        for campaign in campaigns:
            make_due(campaign)
        engine.work(seconds=0.3)
    raise AssertionError("nothing came of forty shifts")


def test_a_worker_leaves_short_tokens_to_the_more_urgent_campaign_that_another_worker_has(provider):
    usual, urgent = under_a_limit(usual=Campaign.Priority.NORMAL, urgent=Campaign.Priority.URGENT)
    urgent.batches.update(owner="another", due_at=Now() + timedelta(minutes=1))

    work_until(lambda: usual.batches.get().epoch >= 3, usual)
    assert books_of(usual).sent == 0

    operations.pause(urgent, by=None)
    work_until(lambda: books_of(usual).sent >= 20, usual)


def sent_by(campaigns: list[Campaign]) -> list[int]:
    return [books_of(campaign).sent for campaign in campaigns]


@pytest.mark.parametrize("latency", [0, 0.6], ids=["leased in turn", "in one hand at once"])
def test_the_younger_of_two_equal_campaigns_does_not_wait_for_the_tokens_that_the_older_leaves(provider, latency):
    provider.latency = latency
    both = under_a_limit(older=Campaign.Priority.NORMAL, younger=Campaign.Priority.NORMAL)

    for _ in range(10):
        engine.work(seconds=2)
        if sum(sent_by(both)) >= 130:
            break

    assert min(sent_by(both)) >= 40


def test_turns_are_remembered_where_each_token_comes_in_a_shift_of_its_own(provider):
    three = under_a_limit(
        older=Campaign.Priority.NORMAL, middle=Campaign.Priority.NORMAL, last=Campaign.Priority.NORMAL
    )

    for sent in range(1, 7):
        Pace.objects.update(limit=0.01, rate=0.01, tokens=1, refilled_at=Now())
        work_until(lambda sent=sent: sum(sent_by(three)) >= sent, *three)

    assert sent_by(three) == [2, 2, 2]
