"""The page of one message: what became of it, every try, and the exact text."""

import pytest
from django.urls import reverse

from accounts.models import Role
from dispatcher import operations
from dispatcher.models import Attempt, Category, Message
from dispatcher.senders.parcel import Refused
from people.channels import Channel
from people.models import Recipient
from tests.dispatcher.outcomes import failed, launched, sent, unknown
from tests.dispatcher.sending import send, work_off
from tests.make import make_campaign, make_member, make_recipient, make_workspace

pytestmark = pytest.mark.django_db


@pytest.fixture
def workspace(client):
    workspace = make_workspace(time_zone="Africa/Nairobi")
    client.force_login(make_member(workspace))
    return workspace


def read(client, campaign, number: int = 1) -> str:
    answer = client.get(reverse("message", args=[campaign.pk, number]))
    assert answer.status_code == 200
    return answer.content.decode()


def test_the_text_is_the_one_that_was_frozen(client, workspace):
    person = make_recipient(workspace, first_name="Alice", email="alice@example.com")
    campaign = launched(make_campaign(workspace, subject="{first_name}!", body="Dear {first_name|friend}"), *sent())
    Recipient.objects.filter(pk=person.pk).update(first_name="Changed")

    html = read(client, campaign)

    assert "Alice!" in html and "Dear Alice" in html and "alice@example.com" in html
    assert "The exact text that was sent" in html


def test_a_deleted_person_leaves_the_message_readable(client, workspace):
    make_recipient(workspace, first_name="Alice", email="alice@example.com")
    campaign = launched(make_campaign(workspace), *sent())
    Recipient.objects.all().delete()

    html = read(client, campaign)

    assert "Deleted person" in html and "alice@example.com" in html and "Dear Alice" in html
    assert "Deleted person" in client.get(reverse("campaign", args=[campaign.pk])).content.decode()


def test_every_try_that_did_not_succeed_is_listed(client, workspace):
    campaign = launched(make_campaign(workspace, people=1), *failed(Category.PROVIDER_DOWN))
    message = Message.objects.get(campaign=campaign)
    for error in ("503 the first time", "503 the second time"):
        Attempt.objects.create(
            message=message,
            key=message.key,
            outcome=Attempt.Outcome.BUSY,
            category=Category.PROVIDER_DOWN,
            error=error,
        )

    html = read(client, campaign)

    assert html.index("503 the first time") < html.index("503 the second time")
    assert html.count("Provider not available") == 2


def test_after_a_retry_by_a_person_the_tries_are_those_truly_made(client, workspace, provider):
    person = make_recipient(workspace)
    provider.answers[person.email] = [Refused("550 not now", category="rejected")]
    campaign = make_campaign(workspace)
    send(campaign)
    provider.answers.clear()
    operations.retry_failed(campaign, by=None)
    books = work_off(campaign)

    html = read(client, campaign)

    assert books.sent == 1 and html.count("550 not now") == 1
    assert "<td>Tries</td><td>2</td>" in html


def test_what_was_only_assumed_delivered_counts_no_try_of_its_own(client, workspace):
    campaign = launched(make_campaign(workspace, people=1), *unknown())
    operations.assume_delivered(campaign, by=None)

    assert "<td>Tries</td><td>0</td>" in read(client, campaign)


@pytest.mark.parametrize(
    ("channel", "words"),
    [(Channel.EMAIL, "mailbox"), (Channel.SMS, "number"), (Channel.WHATSAPP, "number")],
)
def test_a_cause_is_told_in_the_words_of_the_channel(client, workspace, channel, words):
    campaign = launched(make_campaign(workspace, channel=channel, people=1), *failed(Category.BOUNCED))

    html = client.get(reverse("campaign", args=[campaign.pk])).content.decode()

    assert f"Failed, {words} does not exist" in read(client, campaign)
    assert f"{words.capitalize()} does not exist" in html
    assert f"Trying again rarely helps; correct the {'address' if words == 'mailbox' else 'number'} first." in html


@pytest.mark.parametrize(("verb", "became"), [("assume_delivered", "sent"), ("send_again", "pending")])
def test_an_unknown_message_can_be_decided_here_and_the_others_stay(client, workspace, verb, became):
    campaign = launched(make_campaign(workspace, people=3), *unknown(3))

    html = read(client, campaign, 2)
    assert f'formaction="{reverse(verb, args=[campaign.pk])}"' in html and 'name="numbers" value="2"' in html
    client.post(reverse(verb, args=[campaign.pk]), {"numbers": "2"})

    statuses = [message.get_status_display() for message in Message.objects.order_by("number")]
    assert statuses == ["unknown", became, "unknown"]


def test_who_may_send_an_unknown_message_again_is_warned_that_it_may_arrive_twice(client, workspace):
    campaign = launched(make_campaign(workspace, people=1), *unknown())

    assert "Send again, it may arrive twice" in read(client, campaign)


def test_an_unknown_message_of_a_cancelled_campaign_can_only_be_assumed_delivered(client, workspace):
    campaign = launched(make_campaign(workspace, people=2), *unknown())
    operations.cancel(campaign, by=None)

    html = read(client, campaign)

    assert "Assume delivered" in html
    assert reverse("send_again", args=[campaign.pk]) not in html


def test_a_viewer_decides_nothing_about_an_unknown_message(client, workspace):
    campaign = launched(make_campaign(workspace, people=1), *unknown())
    client.force_login(make_member(workspace, Role.VIEWER))

    html = read(client, campaign)

    assert "Assume delivered" not in html and "Send again" not in html


def test_those_left_out_say_why(client, workspace):
    make_recipient(workspace)
    make_recipient(workspace, opted_out=True, email="gone@example.com")
    campaign = launched(make_campaign(workspace))

    html = read(client, campaign, 2)

    assert "opted out" in html and "gone@example.com" in html


def test_a_text_message_has_no_subject(client, workspace):
    make_recipient(workspace)
    campaign = launched(make_campaign(workspace, channel=Channel.SMS, subject="never sent"))

    assert "never sent" not in read(client, campaign)


def test_numbers_that_were_never_given_are_not_there(client, workspace):
    campaign = launched(make_campaign(workspace, people=1))

    for number in (0, 2, 10**30):
        assert client.get(reverse("message", args=[campaign.pk, number])).status_code == 404


def test_a_failed_message_leads_to_its_person_and_says_where_a_retry_goes(client, workspace):
    person = make_recipient(workspace, email="old@example.com")
    other = make_recipient(workspace, email="other@example.com")
    campaign = launched(make_campaign(workspace), *failed(), *sent())

    html = read(client, campaign)
    assert reverse("person-edit", args=[person.pk]) in html and "Address now" not in html

    Recipient.objects.filter(pk=person.pk).update(email="zoe@xn--mnchen-3ya.example")
    assert "zoe@münchen.example. A retry goes there." in read(client, campaign)

    Recipient.objects.filter(pk=other.pk).update(email="elsewhere@example.com")
    Recipient.objects.filter(pk=person.pk).update(email="other@example.com")
    assert "a retry goes to the old one" in read(client, campaign)
