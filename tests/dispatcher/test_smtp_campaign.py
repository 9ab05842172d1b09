"""A campaign through the engine into a real mail server: everybody once, whatever breaks on the way."""

from collections import Counter

import pytest

from campaigns.models import Campaign, Channel
from campaigns.preview import preview
from dispatcher import choose, engine, operations
from dispatcher.books import books_of
from dispatcher.models import Attempt, Message
from people.models import Recipient
from tests.dispatcher.mail_server import HERE, mail_server, wire_to
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
        promised = preview(campaign.workspace, people[mail["To"]], campaign.subject, campaign.body)
        assert mail["Subject"] == promised.subject
        assert mail.get_content().replace("\r\n", "\n") == promised.body
        assert mail["From"] == "Acme Köln <news@acme.example>"
    assert set(Message.objects.values_list("provider_id", flat=True)) > {"2.0.0 queued as 7"}
    assert wrong_with_the_books(campaign) == []


@pytest.mark.parametrize("fault", ["after the dot", "reset"])
def test_cut_off_after_the_dot_it_is_unknown_and_never_sent_twice(fault):
    campaign = make_campaign(people=60)
    with mail_server() as sink, wire_to(sink.port) as wire:
        wire.fault, wire.times = fault, 12
        books = send(by_smtp(campaign, wire.port))

    assert (books.sent, books.unknown) == (48, 12)
    assert max(Counter(sink.recipients).values()) == 1
    assert len(sink.recipients) == 60
    assert wrong_with_the_books(campaign) == []


def test_cut_off_before_the_mail_was_handed_over_it_is_tried_again():
    campaign = make_campaign(people=60)
    with mail_server() as sink, wire_to(sink.port) as wire:
        wire.fault, wire.times = "at DATA", 12
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
