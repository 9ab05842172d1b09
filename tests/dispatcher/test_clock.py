"""The clock: what time makes due is done, by one clock or by two, and nothing is rung in vain."""

from datetime import timedelta

import pytest
from django.utils import timezone

from campaigns.models import Campaign
from dispatcher import clock, operations
from dispatcher.books import books_of
from dispatcher.models import Batch, Settlement
from tests.dispatcher.sending import work_off
from tests.make import make_campaign

pytestmark = pytest.mark.django_db
Status = Campaign.Status


def scheduled(at, **fields) -> Campaign:
    campaign = make_campaign(people=2, **fields)
    return operations.schedule(campaign, at=at, by=None)


def test_a_schedule_starts_when_it_is_due_and_not_before(provider):
    soon = scheduled(timezone.now() + timedelta(seconds=30))
    due = scheduled(timezone.now() - timedelta(seconds=1))

    clock.start_schedules()

    soon.refresh_from_db()
    due.refresh_from_db()
    assert (soon.status, due.status) == (Status.SCHEDULED, Status.SENDING)


def test_two_clocks_start_a_schedule_once(provider):
    due = scheduled(timezone.now())

    clock.start(due)
    clock.start(due)

    assert books_of(due).total == 2


def test_a_schedule_that_cannot_start_becomes_a_draft_with_the_reason(provider):
    due = scheduled(timezone.now(), body="Hi {nickname}")

    clock.start_schedules()

    due.refresh_from_db()
    assert (due.status, due.scheduled_at) == (Status.DRAFT, None)
    assert "{nickname}" in due.history.first().reason


def test_a_schedule_missed_by_more_than_a_day_asks_a_person(provider):
    late = scheduled(timezone.now() - timedelta(days=3))

    clock.start_schedules()

    late.refresh_from_db()
    assert late.status == Status.DRAFT
    assert late.history.first().reason.startswith("It was due 3 days ago")
    assert provider.calls == []


def test_a_campaign_whose_last_worker_died_before_finishing_is_finished(provider):
    campaign = operations.launch(make_campaign(people=2), by=None)
    work_off(campaign)
    Campaign.objects.update(status=Status.SENDING, finished_at=None)

    clock.finish_the_finished()

    campaign.refresh_from_db()
    assert (campaign.status, campaign.finished_at is not None) == (Status.SENT, True)


def test_a_campaign_with_an_open_batch_is_not_finished(provider):
    campaign = operations.launch(make_campaign(people=2), by=None)

    clock.finish_the_finished()

    campaign.refresh_from_db()
    assert campaign.status == Status.SENDING


def test_it_rings_only_when_something_is_due(provider, monkeypatch):
    rings = []
    monkeypatch.setattr("wires.queue.ring", lambda: rings.append(1))
    clock.ring_if_due()
    operations.launch(make_campaign(people=2), by=None)
    rings.clear()

    clock.ring_if_due()
    assert rings == [1]
    Batch.objects.update(due_at=timezone.now() + timedelta(minutes=1))
    clock.ring_if_due()
    assert rings == [1]


def test_a_step_that_fails_does_not_stop_the_others(provider, monkeypatch):
    monkeypatch.setattr(clock, "start_schedules", lambda: 1 / 0)
    monkeypatch.setattr("django.db.backends.base.base.BaseDatabaseWrapper.close", lambda self: None)
    clock.start_schedules.__name__ = "start_schedules"

    clock.tick()

    assert clock.is_alive()


def test_speeds_are_forgotten_after_an_hour(provider):
    campaign = make_campaign()
    Settlement.objects.create(campaign=campaign, settled=1, at=timezone.now() - timedelta(hours=2))
    Settlement.objects.create(campaign=campaign, settled=2)

    clock.tidy()

    assert list(Settlement.objects.values_list("settled", flat=True)) == [2]
