"""Unknown: shown, never sent again by a machine, and resolved by a person in one of two ways."""

import pytest

from campaigns.models import Campaign, IllegalMove
from dispatcher import operations
from dispatcher.books import books_of
from dispatcher.models import Message
from dispatcher.senders.parcel import Busy, Refused, Unsure
from tests.dispatcher.sending import message_to, send, work_off, wrong_with_the_books
from tests.make import make_campaign, make_recipient

pytestmark = pytest.mark.django_db
Status = Campaign.Status


@pytest.fixture
def campaign(provider):
    """One recipient, whose answer was never heard by a provider that honours no keys."""
    provider.honours_keys = None
    campaign = make_campaign()
    make_recipient(campaign.workspace, email="ann@example.com")
    provider.answers["ann@example.com"] = [Unsure("reset"), None]
    send(campaign)
    assert (books_of(campaign).unknown, campaign.status) == (1, Status.FAILED)
    return campaign


def test_assuming_delivery_counts_it_as_sent_and_marks_it(campaign):
    assert operations.assume_delivered(campaign, by=None) == 1

    campaign.refresh_from_db()
    message = message_to(campaign, "ann@example.com")
    assert (message.status, message.assumed, campaign.status) == (Message.Status.SENT, True, Status.SENT)
    assert wrong_with_the_books(campaign) == []


def test_sending_again_uses_a_new_key(campaign, provider):
    assert operations.send_again(campaign, by=None) == 1

    books = work_off(campaign)
    assert (books.sent, len({call.key for call in provider.calls})) == (1, 2)
    assert wrong_with_the_books(campaign) == []


def test_sent_again_and_refused_is_still_unknown_for_the_first_may_have_arrived(campaign, provider):
    provider.answers["ann@example.com"] = [Refused("no", category="rejected")]

    operations.send_again(campaign, by=None)

    assert work_off(campaign).unknown == 1


def test_sent_again_and_cancelled_is_still_unknown(campaign):
    operations.send_again(campaign, by=None)
    operations.cancel(campaign, by=None)

    assert work_off(campaign).unknown == 1


def test_one_can_be_resolved_without_the_others(provider):
    provider.honours_keys = None
    campaign = make_campaign(people=3)
    for address in campaign.workspace.recipients.values_list("email", flat=True):
        provider.answers[address] = [Unsure("reset")]
    send(campaign)

    assert operations.assume_delivered(campaign, by=None, numbers=[2]) == 1

    books = books_of(campaign)
    assert (books.sent, books.unknown) == (1, 2)


def test_a_cancelled_campaign_sends_nothing_again_but_can_assume(provider):
    provider.honours_keys = None
    campaign = make_campaign(people=1)
    person = make_recipient(campaign.workspace)
    provider.answers[person.email] = [Unsure("reset")]
    first = campaign.workspace.recipients.exclude(pk=person.pk).get()
    provider.answers[first.email] = [Busy("503", category="provider_down")]
    operations.launch(campaign, by=None)
    work_off(campaign, shifts=1)
    operations.cancel(campaign, by=None)
    assert work_off(campaign).unknown == 1

    with pytest.raises(IllegalMove):
        operations.send_again(campaign, by=None)
    assert operations.assume_delivered(campaign, by=None) == 1
