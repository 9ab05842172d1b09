"""Retry failed: a person gives failed messages another chance, all or those of one cause."""

import pytest

from campaigns.models import Campaign, IllegalMove
from dispatcher import engine, operations
from dispatcher.books import books_of
from dispatcher.models import Batch, Category, Message
from dispatcher.senders.parcel import Busy, Refused
from tests.dispatcher.sending import message_to, send, work_off, wrong_with_the_books
from tests.make import make_campaign, make_recipient

pytestmark = pytest.mark.django_db
Status = Campaign.Status


def campaign_with_two_causes(provider) -> Campaign:
    campaign = make_campaign(people=3)
    make_recipient(campaign.workspace, email="down@example.com")
    make_recipient(campaign.workspace, email="gone@example.com")
    provider.answers["down@example.com"] = [Busy("503", category="provider_down")] * 3 + [None]
    provider.answers["gone@example.com"] = [Refused("550", category="bounced")]
    send(campaign)
    return campaign


def test_a_retry_of_one_cause_leaves_the_others_alone(provider):
    campaign = campaign_with_two_causes(provider)
    before = message_to(campaign, "down@example.com").key

    count = operations.retry_failed(campaign, by=None, category=Category.PROVIDER_DOWN)
    books = work_off(campaign)

    assert count == 1
    assert (books.sent, books.failures()) == (4, [(Category.BOUNCED, 1)])
    assert message_to(campaign, "down@example.com").key != before
    assert wrong_with_the_books(campaign) == []


def test_a_finished_campaign_goes_back_to_sending_with_the_reason(provider):
    campaign = campaign_with_two_causes(provider)

    operations.retry_failed(campaign, by=None)

    campaign.refresh_from_db()
    assert (campaign.status, campaign.finished_at) == (Status.SENDING, None)
    assert campaign.history.first().reason == "retry of 2 failed"
    assert books_of(campaign).pending == 2


def test_a_retried_message_has_all_its_tries_again(provider):
    campaign = campaign_with_two_causes(provider)
    provider.answers["down@example.com"] = [Busy("503", category="provider_down")]
    calls_before = len(provider.calls)

    operations.retry_failed(campaign, by=None, category=Category.PROVIDER_DOWN)
    work_off(campaign)

    assert len(provider.calls) - calls_before == 3
    assert message_to(campaign, "down@example.com").retry_count == 3


def test_a_retry_while_the_batch_is_leased_is_not_taken_for_a_suspect(provider):
    campaign = campaign_with_two_causes(provider)
    Batch.objects.update(owner="somebody", epoch=7)

    operations.retry_failed(campaign, by=None)
    engine.work(seconds=0.2)

    gone = message_to(campaign, "gone@example.com")
    assert (gone.in_doubt_since, gone.attempts.count()) == (None, 2)


def test_retry_is_refused_before_the_launch_and_does_nothing_where_nothing_failed(provider):
    campaign = make_campaign(people=2)
    with pytest.raises(IllegalMove):
        operations.retry_failed(campaign, by=None)

    send(campaign)
    assert operations.retry_failed(campaign, by=None) == 0
    campaign.refresh_from_db()
    assert campaign.status == Status.SENT
    assert Message.objects.filter(status=Message.Status.SENT).count() == 2
