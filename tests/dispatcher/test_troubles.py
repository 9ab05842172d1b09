"""Trouble with one campaign, one sender or one answer stays with it: the others go on."""

import asyncio
from datetime import timedelta
from threading import Thread

import pytest
from django.db import OperationalError, connection
from django.urls import reverse
from django.utils import timezone

from accounts import access
from campaigns.models import Campaign, IllegalMove
from dispatcher import clock, engine, freeze, operations, senders
from dispatcher.books import books_of
from dispatcher.models import Batch, Message, Pace
from dispatcher.readiness import LaunchRefused
from dispatcher.senders.parcel import Refused
from people.channels import Channel
from people.models import Import, Recipient
from tests.dispatcher.scripted import Script
from tests.dispatcher.sending import message_to, send, work_off, wrong_with_the_books
from tests.make import make_campaign, make_group, make_member, make_recipient, make_workspace

pytestmark = pytest.mark.django_db
Status = Campaign.Status


@pytest.mark.parametrize(
    "answer",
    [
        Refused("bad\x00text", category="rejected"),
        Refused("lone \ud800", category="rejected"),
        Refused("x", category="a word of its own"),
    ],
)
def test_an_odd_answer_of_the_provider_spoils_only_its_own_message(provider, answer):
    campaign = make_campaign(people=20)
    person = make_recipient(campaign.workspace)
    provider.answers[person.email] = [answer]

    books = send(campaign)

    assert (books.sent, books.failed) == (20, 1)
    assert message_to(campaign, person.email).status == Message.Status.FAILED


def test_a_sender_that_does_not_open_holds_up_no_other_campaign(provider, settings, monkeypatch):
    class Closed(Script):
        async def __aenter__(self):
            raise ConnectionRefusedError("nobody there")

    monkeypatch.setitem(senders.SENDERS, "closed", Closed())
    settings.SENDERS = {"email": "scripted", "sms": "closed", "whatsapp": "scripted"}
    stuck = operations.launch(make_campaign(people=5, channel=Channel.SMS, subject=""), by=None)
    good = operations.launch(make_campaign(people=5), by=None)

    work_off(good)

    assert (books_of(good).sent, books_of(stuck).pending) == (5, 5)
    operations.cancel(stuck, by=None)
    assert work_off(stuck).cancelled == 5


def test_a_slow_lane_leaves_the_worker_to_the_others(provider, settings):
    settings.BATCH_SIZE = settings.DISPATCH_WINDOW = 10
    slow = make_campaign(people=600, priority=Campaign.Priority.URGENT)
    Pace.objects.create(workspace=slow.workspace, channel=slow.channel, sender="scripted", limit=1)
    operations.launch(slow, by=None)
    other = operations.launch(make_campaign(people=50), by=None)

    engine.work(seconds=2)

    assert books_of(other).sent == 50
    assert sum(Batch.objects.filter(campaign=slow).values_list("epoch", flat=True)) < 20


def test_a_cancel_does_not_wait_for_the_pace(provider):
    campaign = make_campaign(people=30)
    closed_until = timezone.now() + timedelta(minutes=5)
    Pace.objects.create(
        workspace=campaign.workspace, channel=campaign.channel, sender="scripted", limit=1, closed_until=closed_until
    )
    operations.launch(campaign, by=None)
    engine.work(seconds=0.3)

    operations.cancel(campaign, by=None)
    engine.work(seconds=0.3)

    campaign.refresh_from_db()
    assert (books_of(campaign).cancelled, campaign.finished_at is not None) == (30, True)


@pytest.mark.django_db(transaction=True)
def test_a_call_cancelled_from_within_does_not_keep_the_shift(provider):
    campaign = make_campaign()
    person = make_recipient(campaign.workspace)
    provider.answers[person.email] = [asyncio.CancelledError("pool closed"), None]
    operations.launch(campaign, by=None)

    shift = Thread(target=lambda: (engine.work(seconds=0.3), connection.close()), daemon=True)
    shift.start()
    shift.join(8)

    assert not shift.is_alive()
    assert work_off(campaign).sent == 1


def test_a_sender_that_will_not_close_spoils_no_shift(provider, monkeypatch):
    async def refuse(self, *error):
        raise RuntimeError("no")

    monkeypatch.setattr(Script, "__aexit__", refuse)
    assert send(make_campaign(people=3)).sent == 3


def test_a_provider_whose_own_database_went_away_is_asked_again(settings, transactional_db):
    settings.SIMULATOR_PROFILE, settings.DISPATCH_WINDOW = "leopard", 50
    campaign = operations.launch(make_campaign(people=300), by=None)

    def cut() -> None:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE '%%INTO simulator_call%%'"
                " AND pid <> pg_backend_pid() AND datname = current_database()"
            )
        connection.close()

    cutter = Thread(target=lambda: (asyncio.run(asyncio.sleep(0.4)), cut()))
    cutter.start()
    engine.work(seconds=2)
    cutter.join()

    assert work_off(campaign).pending == 0
    assert campaign.status == Status.SENT


def test_a_campaign_deleted_before_it_is_finished_kills_no_shift(provider, monkeypatch):
    campaign = operations.launch(make_campaign(people=2), by=None)
    finish = engine.finish_if_over
    monkeypatch.setattr(engine, "finish_if_over", lambda pk: (Campaign.objects.all().delete(), finish(pk)))

    engine.work(seconds=0.3)

    assert not Campaign.objects.filter(pk=campaign.pk).exists()


def test_a_schedule_pulled_back_a_moment_ago_does_not_start(provider):
    campaign = operations.schedule(make_campaign(people=2), at=timezone.now(), by=None)
    seen_by_the_clock = Campaign.objects.get(pk=campaign.pk)

    operations.unschedule(campaign, by=None)
    clock.start(seen_by_the_clock)
    campaign.refresh_from_db()
    assert campaign.status == Status.DRAFT

    operations.schedule(campaign, at=timezone.now() + timedelta(days=7), by=None)
    clock.start(seen_by_the_clock)
    campaign.refresh_from_db()
    assert campaign.status == Status.SCHEDULED


def test_what_is_being_prepared_cannot_be_unscheduled(provider, monkeypatch):
    monkeypatch.setattr(freeze, "CHUNK", 100)
    campaign = operations.launch(make_campaign(people=250), by=None)
    with pytest.raises(IllegalMove):
        operations.unschedule(campaign, by=None)


def test_one_campaign_that_cannot_start_does_not_hold_up_the_schedule(provider, monkeypatch):
    bad = operations.schedule(make_campaign(people=1), at=timezone.now() - timedelta(seconds=9), by=None)
    good = operations.schedule(make_campaign(people=1), at=timezone.now(), by=None)
    launch = operations.launch
    monkeypatch.setattr(
        operations, "launch", lambda campaign, by: 1 / 0 if campaign.pk == bad.pk else launch(campaign, by=by)
    )

    clock.start_schedules()

    good.refresh_from_db()
    assert good.status == Status.SENDING


def test_an_address_that_moved_to_another_person_meanwhile_is_written_to_once(provider, monkeypatch):
    monkeypatch.setattr(freeze, "CHUNK", 3)
    campaign = make_campaign(people=3)
    late = [make_recipient(campaign.workspace) for _ in range(3)]
    campaign = operations.launch(campaign, by=None)
    first = Recipient.objects.order_by("pk").first()
    Recipient.objects.filter(pk=first.pk).update(email="new@example.com")
    Recipient.objects.filter(pk=late[0].pk).update(email=first.email)

    clock.carry_on_preparing()
    clock.carry_on_preparing()

    books = work_off(campaign)
    assert (books.sent, books.skipped, wrong_with_the_books(campaign)) == (5, 1, [])


def test_nothing_is_sent_while_the_list_for_it_is_still_being_imported(provider):
    workspace = make_workspace()
    group = make_group(workspace, make_recipient(workspace))
    upload = Import.objects.create(workspace=workspace, name="half.csv", status=Import.Status.RUNNING)
    upload.groups.add(group)
    campaign = make_campaign(workspace, everyone=False)
    campaign.groups.add(group)

    with pytest.raises(LaunchRefused, match="half.csv"):
        operations.launch(campaign, by=None)

    Import.objects.filter(pk=upload.pk).update(status=Import.Status.DONE)
    assert operations.launch(campaign, by=None).status == Status.SENDING


def test_an_email_without_a_subject_is_not_launched(provider):
    with pytest.raises(LaunchRefused, match="no subject"):
        operations.launch(make_campaign(people=1, subject=" "), by=None)


def test_the_history_says_who_gave_failed_messages_another_try_while_sending(provider):
    campaign = make_campaign(people=600)
    person = campaign.workspace.recipients.first()
    provider.answers[person.email] = [Refused("550", category="bounced"), None]
    operations.launch(campaign, by=None)
    engine.work(seconds=0)
    work_off(campaign, shifts=1)
    Campaign.objects.filter(pk=campaign.pk).update(status=Status.PAUSED, finished_at=None)
    ann = make_member(campaign.workspace)

    operations.retry_failed(campaign, by=ann)

    change = campaign.history.first()
    assert (change.by, change.reason, change.to_status) == (ann, "retry of 1 failed", Status.PAUSED)


def test_a_page_says_to_try_again_when_the_database_is_busy(client, monkeypatch):
    def busy(campaign):
        raise OperationalError("canceling statement due to lock timeout")

    monkeypatch.setattr(operations, "locked", busy)
    workspace = make_workspace()
    client.force_login(make_member(workspace))

    answer = client.post(reverse("pause", args=[make_campaign(workspace).pk]))

    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
    assert "Nothing was changed" in answer.content.decode()


def test_so_it_does_when_the_database_is_gone_before_it_is_known_who_asks(client, monkeypatch):
    def gone(request):
        raise OperationalError("FATAL: sorry, too many clients already")

    monkeypatch.setattr(access, "user_of", gone)
    client.raise_request_exception = False

    answer = client.get(reverse("campaigns"))

    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
