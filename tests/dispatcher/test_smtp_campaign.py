"""A campaign through the engine into a real mail server: everybody once, whatever breaks on the way."""

from collections import Counter

import pytest
from django.utils import timezone

from campaigns.models import Campaign
from campaigns.preview import preview_of
from dispatcher import choose, engine, operations
from dispatcher.books import books_of
from dispatcher.models import Attempt, Batch, Message, Pace
from dispatcher.senders import smtp_weighing
from people.channels import Channel
from people.models import Recipient
from tests.dispatcher.mail_server import HERE, breaking_wire, mail_server
from tests.dispatcher.sending import make_due, send, work_off, wrong_with_the_books
from tests.make import make_campaign, make_recipient

pytestmark = [pytest.mark.django_db, pytest.mark.filterwarnings("ignore:Requiring AUTH")]
BODY = "Dear {first_name|friend},\n\n.everything is 20 % off in {location|our shop} – grüß Gott!\n\nYour shop\n"


def by_smtp(campaign: Campaign, port: int, **options: object) -> Campaign:
    chosen = {"host": HERE, "port": port, "security": "none", "user": "", "password": ""} | options
    choose.choose(
        campaign.workspace,
        Channel.EMAIL,
        sender="smtp",
        from_name="Acme Köln",
        from_address="news@acme.example",
        limit=None,
        options=chosen,
        by=None,
    )
    return campaign


def test_two_hundred_mails_arrive_each_once_and_read_as_the_preview_said():
    campaign = make_campaign(people=199, subject="{first_name}, frühling ist da", body=BODY)
    make_recipient(campaign.workspace, first_name="Zoë", location="Thika")
    with mail_server() as sink:
        books = send(by_smtp(campaign, sink.port))

    assert (books.sent, len(sink.mails), campaign.status) == (200, 200, Campaign.Status.SENT)
    assert len(set(sink.recipients)) == len({mail["Message-ID"] for mail in sink.mails}) == 200
    people = {person.email: person for person in Recipient.objects.filter(workspace=campaign.workspace)}
    for mail in sink.mails:
        promised = preview_of(campaign, people[mail["To"]], is_exact=True)
        assert mail["Subject"] == promised.subject
        assert mail.get_content().replace("\r\n", "\n") == promised.body
        assert mail["From"] == "Acme Köln <news@acme.example>"
    assert set(Message.objects.values_list("provider_id", flat=True)) > {"2.0.0 queued as 7"}
    assert wrong_with_the_books(campaign) == []


@pytest.mark.parametrize("fault", ["after the dot", "reset"])
def test_cut_off_after_the_dot_it_is_unknown_and_never_sent_twice(fault):
    campaign = make_campaign(people=60)
    with mail_server() as sink, breaking_wire(sink.port, fault, times=12) as wire:
        books = send(by_smtp(campaign, wire.port))

    assert (books.sent, books.unknown) == (48, 12)
    assert max(Counter(sink.recipients).values()) == 1
    assert len(sink.recipients) == 60
    assert wrong_with_the_books(campaign) == []


def test_cut_off_before_the_mail_was_handed_over_it_is_tried_again():
    campaign = make_campaign(people=60)
    with mail_server() as sink, breaking_wire(sink.port, "at DATA", times=12) as wire:
        books = send(by_smtp(campaign, wire.port))

    assert (books.sent, books.unknown) == (60, 0)
    assert Counter(sink.recipients).most_common(1)[0][1] == 1
    assert Attempt.objects.count() == 12


def test_a_wrong_password_keeps_everybody_waiting_and_the_right_one_sends():
    campaign = make_campaign(people=20)
    with mail_server(password="sesame") as sink:
        by_smtp(campaign, sink.port, user="ann", password="wrong")
        operations.launch(campaign, by=None)
        for _ in range(2):
            make_due(campaign)
            engine.work(seconds=0.4)
        assert (books_of(campaign).pending, Attempt.objects.count(), sink.mails) == (20, 0, [])

        by_smtp(campaign, sink.port, user="ann", password="sesame")
        books = work_off(campaign)

    assert (books.sent, len(sink.mails)) == (20, 20)


def test_each_refused_recipient_fails_with_its_own_reason_and_the_others_arrive():
    campaign = make_campaign(people=30)
    gone, full = (make_recipient(campaign.workspace) for _ in range(2))
    with mail_server() as sink:
        sink.answers = {gone.email: "550 5.1.1 no such user", full.email: "552 5.2.2 mailbox full"}
        books = send(by_smtp(campaign, sink.port))

    assert (books.sent, books.failed) == (30, 2)
    assert Message.objects.get(address=gone.email).last_error == "550 5.1.1 no such user"


def test_a_server_that_asks_for_less_is_given_less_and_nobody_is_lost():
    campaign = make_campaign(people=30)
    with mail_server() as sink:
        sink.answers["MAIL"] = "421 4.7.0 too many messages from you"
        operations.launch(by_smtp(campaign, sink.port), by=None)
        engine.work(seconds=0.3)
        assert books_of(campaign).pending == 30
        sink.answers.clear()
        for _ in range(30):
            campaign.workspace.paces.update(closed_until=None, rate=None)
            make_due(campaign)
            engine.work(seconds=0.1)

    assert (books_of(campaign).sent, len(sink.mails)) == (30, 30)


def test_a_server_with_room_for_three_carries_a_campaign_without_a_halt():
    campaign = make_campaign(people=300)
    with mail_server(at_most=3) as sink:
        operations.launch(by_smtp(campaign, sink.port), by=None)
        engine.work(seconds=8)

    assert (books_of(campaign).sent, len(sink.mails)) == (300, 300)
    assert list(Pace.objects.values_list("trouble", "closed_until")) == [("", None)]


def test_one_greylisted_recipient_slows_nobody_down_and_is_put_off_for_minutes():
    campaign = make_campaign(people=30)
    grey = make_recipient(campaign.workspace)
    with mail_server() as sink:
        sink.answers[grey.email] = "451 4.7.1 Greylisted, come back in 5 minutes"
        operations.launch(by_smtp(campaign, sink.port), by=None)
        engine.work(seconds=2)
        (attempt,) = Attempt.objects.all()
        wait = (Batch.objects.get().due_at - timezone.now()).total_seconds()

        sink.answers.clear()
        books = work_off(campaign)

    assert (attempt.message.address, books.sent, 280 < wait <= 300) == (grey.email, 31, True)
    assert list(Pace.objects.values_list("rate", "closed_until")) == [(None, None)]


@pytest.mark.parametrize(
    ("phase", "says"),
    [
        ("MAIL", "530 5.7.0 Authentication required"),
        ("MAIL", "421 4.3.2 shutting down"),
        ("MAIL", "550 5.7.0 daily quota exceeded"),
        ("RCPT", "550 5.7.1 Unable to relay"),
        ("RCPT", "421 4.3.2 shutting down"),
        ("DATA", "554 5.7.1 daily limit reached"),
    ],
)
def test_what_is_true_of_every_message_fails_none(phase, says, monkeypatch):
    monkeypatch.setattr(smtp_weighing, "SECONDS", 0.1)
    campaign = make_campaign(people=80)
    with mail_server() as sink:
        sink.answers[phase] = says
        operations.launch(by_smtp(campaign, sink.port), by=None)
        for _ in range(5):
            Pace.objects.update(closed_until=None, trouble="")
            make_due(campaign)
            engine.work(seconds=0.5)
        trouble = Pace.objects.get().trouble
        assert (books_of(campaign).pending, Attempt.objects.count()) == (80, 0)
        assert set(Message.objects.values_list("retry_count", flat=True)) == {0}
        assert trouble.startswith(f"The mail server takes no mail from us; it says: {says}. Check")

        sink.answers.clear()
        Pace.objects.update(closed_until=None, trouble="")
        assert work_off(campaign).sent == 80


def test_one_address_the_server_does_not_relay_to_stops_nobody():
    campaign = make_campaign(people=30)
    odd = make_recipient(campaign.workspace)
    with mail_server() as sink:
        sink.answers[odd.email] = "550 5.7.1 Unable to relay"
        books = send(by_smtp(campaign, sink.port))

    assert (books.sent, books.failed) == (30, 1)
    assert Pace.objects.get().trouble == ""
