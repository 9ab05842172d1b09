"""Sending: what becomes of each answer a provider can give."""

from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.models import Workspace
from campaigns.models import Campaign
from dispatcher import operations
from dispatcher.models import Attempt, Category, Message, Pace, SkipReason
from dispatcher.senders.parcel import Busy, Refused, Unsure
from people.models import Recipient
from tests.dispatcher.sending import message_to, send, work_off, wrong_with_the_books
from tests.make import make_campaign, make_recipient

pytestmark = pytest.mark.django_db
Status = Campaign.Status
RetryPolicy = Workspace.RetryPolicy
DOWN = Busy("503", category="provider_down")


def launch_and_work_once(campaign: Campaign) -> None:
    operations.launch(campaign, by=None)
    work_off(campaign, shifts=1)


def test_every_recipient_gets_exactly_one_message_and_the_campaign_is_sent(provider):
    campaign = make_campaign(people=1200)

    books = send(campaign)

    assert (books.total, books.sent, campaign.status) == (1200, 1200, Status.SENT)
    assert len(provider.accepted) == 1200
    assert set(provider.accepted.values()) == {1}
    assert wrong_with_the_books(campaign) == []


def test_the_provider_gets_the_text_filled_in_for_each_person(provider):
    campaign = make_campaign(subject="{first_name}, hello", body="Dear {first_name|friend} {last_name}!")
    make_recipient(campaign.workspace, email="ann@example.com", first_name="Ann", last_name="{first_name}")
    make_recipient(campaign.workspace, email="who@example.com", first_name="")

    send(campaign)

    texts = {parcel.to: (parcel.subject, parcel.text.partition("\n\nTo stop")[0]) for parcel in provider.calls}
    assert texts["ann@example.com"] == ("Ann, hello", "Dear Ann {first_name}!")
    assert texts["who@example.com"] == (", hello", "Dear friend !")


def test_a_refusal_fails_at_once_with_its_reason(provider):
    campaign = make_campaign()
    make_recipient(campaign.workspace, email="gone@example.com")
    provider.answers["gone@example.com"] = [Refused("550 no such mailbox", category="bounced")]

    books = send(campaign)

    message = message_to(campaign, "gone@example.com")
    assert (message.status, message.category) == (Message.Status.FAILED, Category.BOUNCED)
    assert message.last_error == "550 no such mailbox"
    assert [call.to for call in provider.calls] == ["gone@example.com"]
    assert (campaign.status, books.failures()) == (Status.FAILED, [(Category.BOUNCED, 1)])


@pytest.mark.parametrize(
    ("policy", "tries"),
    [(RetryPolicy.STANDARD, 3), (RetryPolicy.PATIENT, 5), (RetryPolicy.NONE, 1)],
)
def test_a_provider_that_is_always_down_is_tried_as_often_as_the_policy_says(provider, policy, tries):
    campaign = make_campaign()
    Workspace.objects.update(retry_policy=policy)
    make_recipient(campaign.workspace, email="ann@example.com")
    provider.answers["ann@example.com"] = [DOWN]

    send(campaign)

    message = message_to(campaign, "ann@example.com")
    assert (message.status, message.retry_count, len(provider.calls)) == (Message.Status.FAILED, tries, tries)
    assert Attempt.objects.filter(message=message, outcome=Attempt.Outcome.BUSY).count() == tries


def test_a_message_sent_after_a_failure_remembers_the_failed_try(provider):
    campaign = make_campaign(people=3)
    make_recipient(campaign.workspace, email="ann@example.com")
    provider.answers["ann@example.com"] = [DOWN, None]

    books = send(campaign)

    message = message_to(campaign, "ann@example.com")
    assert (message.status, message.retry_count) == (Message.Status.SENT, 1)
    assert (books.sent, len(provider.calls)) == (4, 5)


def test_between_tries_a_message_is_waiting_and_never_called_failed(provider):
    campaign = make_campaign()
    person = make_recipient(campaign.workspace)
    provider.answers[person.email] = [DOWN]

    launch_and_work_once(campaign)

    message = message_to(campaign, person.email)
    assert (message.status, message.retry_count, message.last_error) == (Message.Status.PENDING, 1, "503")


def test_a_429_uses_up_no_try_and_slows_the_workspace_down(provider):
    campaign = make_campaign()
    make_recipient(campaign.workspace, email="ann@example.com")
    too_fast = Busy("429", category="rate_limited", retry_after=0.01, counts=False)
    provider.answers["ann@example.com"] = [too_fast] * 4 + [None]

    books = send(campaign)
    for _ in range(5):
        Pace.objects.update(closed_until=None, tokens=10)
        books = work_off(campaign)

    assert (books.sent, message_to(campaign, "ann@example.com").retry_count) == (1, 0)
    assert Pace.objects.get(workspace=campaign.workspace).rate is not None


def test_an_answer_never_heard_is_asked_for_again_with_the_same_key(provider):
    campaign = make_campaign()
    make_recipient(campaign.workspace, email="ann@example.com")
    provider.answers["ann@example.com"] = [Unsure("reset"), None]

    books = send(campaign)

    assert books.sent == 1
    assert len({call.key for call in provider.calls}) == 1


def test_without_keys_an_answer_never_heard_is_unknown_and_never_sent_again(provider):
    provider.honours_keys = None
    campaign = make_campaign()
    make_recipient(campaign.workspace, email="ann@example.com")
    provider.answers["ann@example.com"] = [Unsure("reset")]

    books = send(campaign)

    assert (books.unknown, len(provider.calls), campaign.status) == (1, 1, Status.FAILED)


def test_an_exception_nobody_foresaw_counts_as_unsure(provider):
    provider.honours_keys = None
    campaign = make_campaign()
    make_recipient(campaign.workspace, email="ann@example.com")
    provider.answers["ann@example.com"] = [ZeroDivisionError("a bug in the sender")]

    assert send(campaign).unknown == 1


def test_a_provider_that_hangs_is_given_up_after_the_time_for_a_call(provider, settings):
    settings.CALL_SECONDS = 0.05
    provider.honours_keys = None
    campaign = make_campaign()
    make_recipient(campaign.workspace, email="ann@example.com")
    provider.answers["ann@example.com"] = ["hang"]

    books = send(campaign)

    assert (books.unknown, message_to(campaign, "ann@example.com").category) == (1, Category.TIMEOUT)


def test_a_refusal_settles_a_doubt_only_where_the_provider_remembers_refusals(provider):
    refused = Refused("no", category="rejected")
    outcomes = {}
    for remembers in (True, False):
        provider.remembers_refusals = remembers
        campaign = make_campaign()
        person = make_recipient(campaign.workspace)
        provider.answers[person.email] = [Unsure("reset"), refused]
        send(campaign)
        outcomes[remembers] = message_to(campaign, person.email).status

    assert outcomes == {True: Message.Status.FAILED, False: Message.Status.UNKNOWN}


def test_who_opts_out_after_the_launch_is_skipped_with_the_reason(provider):
    campaign = make_campaign(people=1)
    late = make_recipient(campaign.workspace)
    operations.launch(campaign, by=None)
    Recipient.objects.filter(pk=late.pk).update(opted_out=True)

    books = work_off(campaign)

    assert (books.sent, books.skipped) == (1, 1)
    assert message_to(campaign, late.email).skip_reason == SkipReason.OPTED_OUT
    assert provider.accepted[late.email] == 0


def test_who_opts_out_while_in_doubt_is_unknown_and_not_tried_again(provider):
    campaign = make_campaign()
    person = make_recipient(campaign.workspace)
    provider.answers[person.email] = [Unsure("reset"), None]
    launch_and_work_once(campaign)
    Recipient.objects.filter(pk=person.pk).update(opted_out=True)

    books = work_off(campaign)

    assert (books.unknown, len(provider.calls)) == (1, 1)


def test_a_doubt_older_than_the_key_is_remembered_becomes_unknown(provider):
    campaign = make_campaign()
    person = make_recipient(campaign.workspace)
    provider.answers[person.email] = [Unsure("reset"), None]
    launch_and_work_once(campaign)
    Message.objects.update(in_doubt_since=timezone.now() - timedelta(days=1))

    books = work_off(campaign)

    assert (books.unknown, len(provider.calls)) == (1, 1)


def test_a_message_gives_up_after_a_day_of_trying(provider):
    campaign = make_campaign()
    person = make_recipient(campaign.workspace)
    provider.answers[person.email] = [Busy("429", category="rate_limited", counts=False)]
    launch_and_work_once(campaign)
    Pace.objects.all().delete()
    Message.objects.update(gives_up_at=timezone.now())

    books = work_off(campaign)

    assert (books.failed, message_to(campaign, person.email).category) == (1, Category.RATE_LIMITED)


def test_twenty_answers_in_a_row_never_heard_pause_the_campaign_with_the_reason(provider, settings):
    settings.DISPATCH_WINDOW = 25
    campaign = make_campaign(people=100)
    for address in campaign.workspace.recipients.values_list("email", flat=True):
        provider.answers[address] = [Unsure("silence")]

    launch_and_work_once(campaign)

    campaign.refresh_from_db()
    assert campaign.status == Status.PAUSED
    assert "20 messages in a row" in campaign.history.first().reason
    assert len(provider.calls) < 100


def test_a_text_that_cannot_be_made_fails_and_is_never_in_doubt(provider):
    campaign = make_campaign()
    person = make_recipient(campaign.workspace)
    operations.launch(campaign, by=None)
    Message.objects.update(fields=[1, 2])

    books = work_off(campaign)

    assert (books.failed, message_to(campaign, person.email).category) == (1, Category.TEMPLATE_ERROR)
    assert provider.calls == []


def test_never_more_calls_are_in_flight_than_the_window(provider, settings):
    settings.DISPATCH_WINDOW = 40
    provider.latency = 0.005
    campaign = make_campaign(people=300)

    books = send(campaign)

    assert (books.sent, provider.most_in_flight) == (300, 40)
