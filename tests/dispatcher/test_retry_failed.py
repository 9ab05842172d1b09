"""Retry failed: a person gives failed messages another chance, all or those of one cause."""

from functools import partial

import pytest

from campaigns.models import Campaign, IllegalMove
from dispatcher import engine, operations
from dispatcher.audit import findings, strays
from dispatcher.books import books_of
from dispatcher.models import Category, Message
from dispatcher.senders.parcel import Busy, Refused, Unsure
from people.models import Recipient
from simulator.models import Call
from simulator.provider import PROFILES, Profile
from tests.dispatcher.sending import message_to, press, send, work_off, wrong_with_the_books
from tests.make import make_campaign, make_recipient, make_recipients

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


@pytest.mark.django_db(transaction=True)
def test_a_retry_while_the_batch_is_leased_waits_for_the_next_pass(provider, settings):
    settings.DISPATCH_WINDOW = 10
    provider.latency = 0.05
    campaign = make_campaign()
    first = make_recipient(campaign.workspace)
    make_recipients(campaign.workspace, 60)
    provider.answers[first.email] = [Refused("550", category="bounced"), None]
    operations.launch(campaign, by=None)
    provider.at_call[40] = partial(press, operations.retry_failed, campaign)

    engine.work(seconds=3)
    books = work_off(campaign)

    assert (books.sent, books.unknown) == (61, 0)
    assert [call.to for call in provider.calls].count(first.email) == 2
    assert message_to(campaign, first.email).in_doubt_since is None


def test_retry_is_refused_before_the_launch_and_does_nothing_where_nothing_failed(provider):
    campaign = make_campaign(people=2)
    with pytest.raises(IllegalMove):
        operations.retry_failed(campaign, by=None)

    send(campaign)
    assert operations.retry_failed(campaign, by=None) == 0
    campaign.refresh_from_db()
    assert campaign.status == Status.SENT
    assert Message.objects.filter(status=Message.Status.SENT).count() == 2


def correct(old: str, new: str) -> None:
    Recipient.objects.filter(email=old).update(email=new)


@pytest.mark.django_db(transaction=True)
def test_a_retry_goes_to_the_corrected_address_and_the_auditor_agrees(monkeypatch, settings):
    monkeypatch.setitem(PROFILES, "broken", Profile(fastest=0, slowest=0, failures=1))
    settings.SIMULATOR_PROFILE = "broken"
    campaign = make_campaign(people=2)
    make_recipient(campaign.workspace, email="ann@exampel.com")
    assert send(campaign).failed == 3
    settings.SIMULATOR_PROFILE = "perfect"
    correct("ann@exampel.com", "ann@example.com")

    operations.retry_failed(campaign, by=None)
    books = work_off(campaign)

    message = message_to(campaign, "ann@example.com")
    assert books.sent == 3
    assert Call.objects.get(key=message.key, accepted=True).address == "ann@example.com"
    assert [*map(str, findings(campaign)), *strays()] == []


def test_a_corrected_address_that_another_message_has_is_left_alone_and_that_is_said(provider):
    campaign = make_campaign()
    make_recipient(campaign.workspace, email="old@example.com")
    make_recipient(campaign.workspace, email="shared@example.com")
    provider.answers["old@example.com"] = [Refused("550", category="bounced")]
    send(campaign)
    correct("shared@example.com", "moved@example.com")
    correct("old@example.com", "shared@example.com")

    operations.retry_failed(campaign, by=None)
    work_off(campaign)

    assert provider.accepted["shared@example.com"] == 1
    assert [call.to for call in provider.calls].count("old@example.com") == 2
    reasons = " ".join(campaign.history.values_list("reason", flat=True))
    assert "retry of 1 failed, 1 of them to the old address: another message has the new one" in reasons


@pytest.mark.parametrize("now", ["", "no address"])
def test_an_address_that_is_gone_or_wrong_now_changes_nothing(provider, now):
    campaign = make_campaign()
    make_recipient(campaign.workspace, email="old@example.com")
    provider.answers["old@example.com"] = [Refused("550", category="bounced"), None]
    send(campaign)
    correct("old@example.com", now)

    operations.retry_failed(campaign, by=None)

    assert work_off(campaign).sent == 1 and message_to(campaign, "old@example.com")


def test_who_is_in_doubt_is_sent_again_to_where_it_went(provider):
    campaign = make_campaign()
    make_recipient(campaign.workspace, email="old@example.com")
    provider.honours_keys = None
    provider.answers["old@example.com"] = [Unsure("no answer"), None]
    send(campaign)
    correct("old@example.com", "new@example.com")

    operations.send_again(campaign, by=None)

    work_off(campaign)
    assert {call.to for call in provider.calls} == {"old@example.com"}
