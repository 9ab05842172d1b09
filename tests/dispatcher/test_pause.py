"""Pause and resume: a paused campaign sends nothing, and loses nothing."""

from functools import partial

import pytest

from campaigns.models import Campaign, IllegalMove
from dispatcher import engine, operations
from dispatcher.books import books_of
from tests.dispatcher.sending import make_due, press, work_off, wrong_with_the_books
from tests.make import make_campaign, make_member

Status = Campaign.Status


@pytest.mark.django_db
def test_a_paused_campaign_sends_nothing_until_resumed(provider):
    campaign = operations.launch(make_campaign(people=30), by=None)
    operations.pause(campaign, by=None)

    assert work_off(campaign).pending == 30
    assert provider.calls == []

    operations.resume(campaign, by=None)
    assert work_off(campaign).sent == 30


@pytest.mark.django_db(transaction=True)
def test_a_pause_pressed_while_messages_fly_holds_within_one_window(provider, settings):
    settings.DISPATCH_WINDOW = 20
    provider.latency = 0.01
    campaign = operations.launch(make_campaign(people=2000), by=None)
    provider.at_call[100] = partial(press, operations.pause, campaign)

    engine.work(seconds=5)

    books = books_of(campaign)
    assert 100 <= len(provider.calls) <= 100 + 2 * settings.DISPATCH_WINDOW
    assert (books.in_flight, books.sent) == (0, len(provider.calls))
    make_due(campaign)
    engine.work(seconds=0.2)
    assert books_of(campaign).sent == books.sent

    operations.resume(campaign, by=None)
    assert work_off(campaign, shifts=60).sent == 2000
    assert set(provider.accepted.values()) == {1}
    assert wrong_with_the_books(campaign) == []


@pytest.mark.django_db
def test_only_what_is_sending_can_be_paused_and_only_what_is_paused_resumed(provider):
    campaign = make_campaign(people=1)
    with pytest.raises(IllegalMove):
        operations.pause(campaign, by=None)

    operations.launch(campaign, by=None)
    with pytest.raises(IllegalMove):
        operations.resume(campaign, by=None)

    work_off(campaign)
    with pytest.raises(IllegalMove, match="is sent and cannot become sending"):
        operations.resume(campaign, by=None)


@pytest.mark.django_db
def test_the_history_says_who_paused(provider):
    campaign = operations.launch(make_campaign(people=1), by=None)
    ann = make_member(campaign.workspace)

    operations.pause(campaign, by=ann)

    change = campaign.history.first()
    assert (change.from_status, change.to_status, change.by) == (Status.SENDING, Status.PAUSED, ann)
