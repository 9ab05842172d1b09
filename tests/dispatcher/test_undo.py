"""Undo: what was sent from its page waits a few seconds, in which whoever pressed Send can take it back."""

import re
import signal
from datetime import timedelta
from threading import Barrier, Thread

import pytest
from django.db import connection
from django.db.models.functions import Now
from django.urls import reverse
from django.utils import timezone

from accounts.models import AuditEntry, Role, Workspace
from campaigns.authoring import update_campaign
from campaigns.models import Campaign, IllegalMove
from campaigns.preview import preview_of
from dispatcher import clock, engine, freeze, operations
from dispatcher.audit import findings
from dispatcher.books import books_of
from dispatcher.doctor.ledger import held_ones_are_started
from dispatcher.models import Batch, Heartbeat, Message
from dispatcher.picture import picture_of
from dispatcher.send import Choice, send
from dispatcher.why import why
from people.channels import Channel
from tests.dispatcher.sending import work_off
from tests.make import make_campaign, make_member, make_recipient, make_workspace
from tests.start import start_process

pytestmark = pytest.mark.django_db
Status = Campaign.Status


def held(people: int = 5, **fields) -> Campaign:
    """Sent from its page a moment ago."""
    return operations.launch(make_campaign(people=people, **fields), by=None, undo_seconds=10)


def its_time_comes(campaign: Campaign) -> None:
    Campaign.objects.filter(pk=campaign.pk).update(held_until=Now() - timedelta(seconds=1))


def standing(campaign: Campaign) -> Status:
    campaign.refresh_from_db()
    return Status(campaign.status)


def wrong(campaign: Campaign) -> list[str]:
    campaign.refresh_from_db()
    return [finding.sentence for finding in findings(campaign)]


def said(campaign: Campaign) -> str:
    found = why(picture_of(Campaign.objects.select_related("workspace").get(pk=campaign.pk), Role.MARKETER))
    return f"{found.words} {found.sentence}"


def press_send(client, campaign: Campaign):
    page = client.get(reverse("check", args=[campaign.pk])).content.decode()
    checked = re.search(r'name="checked" value="(\w+)"', page)[1]
    return client.post(reverse("send", args=[campaign.pk]), {"checked": checked}, follow=True)


def test_a_workspace_has_ten_seconds_to_undo_unless_it_says_otherwise():
    assert Workspace.objects.create(name="Acme").undo_seconds == 10


def test_nobody_gets_anything_before_it_is_too_late_to_undo(provider):
    campaign = held()

    clock.carry_on_preparing()
    engine.work(seconds=0.1)

    assert standing(campaign) == Status.PREPARING
    assert (books_of(campaign).pending, provider.calls, wrong(campaign)) == (5, [], [])


def test_the_clock_starts_it_when_the_time_has_come_and_everybody_gets_it_once(provider):
    campaign = held()
    make_recipient(campaign.workspace)  # who was not there when somebody looked at it and pressed Send
    its_time_comes(campaign)

    clock.carry_on_preparing()
    clock.carry_on_preparing()

    assert standing(campaign) == Status.SENDING
    assert work_off(campaign).sent == 5 and set(provider.accepted.values()) == {1}
    assert campaign.history.filter(to_status=Status.SENDING).count() == 1


def test_undone_it_is_a_draft_again_of_which_nothing_is_left_and_the_books_of_which_are_empty(provider):
    campaign = held()
    ann = make_member(campaign.workspace, name="Ann")

    operations.undo(campaign, by=ann)
    its_time_comes(campaign)
    clock.carry_on_preparing()

    assert standing(campaign) == Status.DRAFT
    assert (Message.objects.count(), Batch.objects.count(), provider.calls, wrong(campaign)) == (0, 0, [], [])
    last = campaign.history.first()
    assert (last.from_status, last.by, last.reason) == (Status.PREPARING, ann, "undone before anybody got it")
    assert AuditEntry.objects.get(verb="undo_send").actor == "Ann"
    assert campaign.launched_at is None


def test_what_was_undone_can_be_edited_and_sent_again(provider):
    campaign = operations.undo(held(), by=None)

    operations.launch(campaign, by=None, undo_seconds=10)
    its_time_comes(campaign)
    clock.carry_on_preparing()

    assert work_off(campaign).sent == 5


def test_a_scheduled_one_that_is_sent_at_once_and_undone_has_no_time_any_more(provider):
    campaign = make_campaign(people=2)
    operations.schedule(campaign, at=timezone.now() + timedelta(days=1), by=None)

    operations.undo(operations.launch(campaign, by=None, undo_seconds=10), by=None)

    assert (standing(campaign), campaign.scheduled_at) == (Status.DRAFT, None)


def test_too_late_is_said_and_changes_nothing(provider):
    campaign = held()
    its_time_comes(campaign)
    clock.carry_on_preparing()

    with pytest.raises(operations.TooLate, match="is sending. It is too late to undo; you can still cancel it."):
        operations.undo(campaign, by=None)

    assert standing(campaign) == Status.SENDING


def test_nothing_to_undo_is_said_too(provider, monkeypatch):
    with pytest.raises(operations.TooLate, match="is draft. There is nothing to undo."):
        operations.undo(make_campaign(), by=None)
    monkeypatch.setattr(freeze, "CHUNK", 2)
    by_a_program = operations.launch(make_campaign(people=5), by=None)
    with pytest.raises(operations.TooLate):
        operations.undo(by_a_program, by=None)


def test_a_late_clock_leaves_all_the_time_it_is_late_to_undo(provider):
    campaign = held()
    its_time_comes(campaign)

    operations.undo(campaign, by=None)

    assert standing(campaign) == Status.DRAFT


def test_a_large_audience_can_be_undone_while_it_is_frozen_and_waits_when_it_is(provider, monkeypatch):
    monkeypatch.setattr(freeze, "CHUNK", 2)
    undone, kept = held(people=5), held(people=5)

    operations.undo(undone, by=None)
    for _ in range(3):
        clock.carry_on_preparing()

    assert (standing(undone), undone.messages.count()) == (Status.DRAFT, 0)
    assert (standing(kept), kept.messages.count(), kept.batches.count()) == (Status.PREPARING, 5, 1)
    its_time_comes(kept)
    clock.carry_on_preparing()
    assert standing(kept) == Status.SENDING


def test_an_undone_email_that_becomes_a_text_message_is_shown_with_the_line_below_that_is_sent(provider):
    campaign = operations.undo(held(people=1), by=None)
    update_campaign(campaign, by=None, channel=Channel.SMS, body="Hi")
    campaign.refresh_from_db()

    shown = preview_of(campaign, campaign.workspace.recipients.get()).body
    work_off(operations.launch(campaign, by=None))

    (call,) = provider.calls
    assert shown.partition("http")[0] == call.text.partition("http")[0] == "Hi\nStop: "


def test_it_can_be_cancelled_while_it_waits_and_was_never_sent(client, provider):
    campaign = held()
    client.force_login(make_member(campaign.workspace))

    operations.cancel(campaign, by=None)
    its_time_comes(campaign)
    clock.carry_on_preparing()

    assert (standing(campaign), Message.objects.count()) == (Status.CANCELLED, 0)
    assert campaign.launched_at is None
    page = client.get(reverse("campaign", args=[campaign.pk])).content.decode()
    assert "Before anything was sent" in page and "· started" not in page and "under 1 s" not in page


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("clocks", [1, 2])
def test_undo_and_clock_at_once_one_of_them_wins(provider, clocks):
    for _ in range(6):
        campaign = held(people=3)
        its_time_comes(campaign)
        start, told = Barrier(clocks + 1), []

        def tick(start=start, campaign=campaign) -> None:
            start.wait(5)
            clock.freeze_next(campaign.pk)
            connection.close()

        def undo(start=start, told=told, campaign=campaign) -> None:
            start.wait(5)
            try:
                operations.undo(campaign, by=None)
            except IllegalMove as fact:
                told.append(str(fact))
            connection.close()

        racers = [Thread(target=undo), *(Thread(target=tick) for _ in range(clocks))]
        for racer in racers:
            racer.start()
        for racer in racers:
            racer.join()

        clock.freeze_next(campaign.pk)
        won = standing(campaign)
        assert (won, bool(told)) in ((Status.DRAFT, False), (Status.SENDING, True))
        assert campaign.messages.count() == (0 if won == Status.DRAFT else 3)
        assert wrong(campaign) == []
        assert campaign.history.filter(from_status=Status.PREPARING).count() == 1


@pytest.mark.django_db(transaction=True)
def test_a_clock_killed_while_it_starts_it_has_started_nothing_and_the_next_one_does(provider):
    campaign = held(people=3)
    its_time_comes(campaign)

    killed = start_process("manage.py", "clock", CRASH_AT="before_start").wait(30)

    assert killed == -signal.SIGKILL
    assert (standing(campaign), wrong(campaign)) == (Status.PREPARING, [])
    clock.carry_on_preparing()
    assert work_off(campaign).sent == 3 and set(provider.accepted.values()) == {1}


def test_sent_from_its_page_it_says_how_long_it_can_be_undone_and_the_button_does_it(client, provider):
    workspace = make_workspace(undo_seconds=10)
    client.force_login(make_member(workspace))
    Heartbeat.objects.create(name="clock")
    campaign = make_campaign(workspace, people=3)

    page = press_send(client, campaign).content.decode()
    assert "It goes out in 10 seconds. Until then you can undo it." in page
    assert "It waits so that it can be undone." in page and reverse("undo", args=[campaign.pk]) in page
    undone = client.post(reverse("undo", args=[campaign.pk]), follow=True).content.decode()

    assert "Undone: nobody got anything. It is a draft again." in undone
    assert standing(campaign) == Status.DRAFT
    again = client.post(reverse("undo", args=[campaign.pk]), follow=True).content.decode()
    assert "There is nothing to undo." in again


def test_without_seconds_to_undo_it_starts_at_once(client, provider):
    workspace = make_workspace(undo_seconds=0)
    client.force_login(make_member(workspace))
    campaign = make_campaign(workspace, people=3)

    assert "Campaign dispatch started!" in press_send(client, campaign).content.decode()

    assert standing(campaign) == Status.SENDING


def test_what_a_program_sends_and_what_was_scheduled_start_at_once(provider):
    workspace = make_workspace(undo_seconds=10)
    sent, scheduled = make_campaign(workspace, people=1), make_campaign(workspace)
    operations.schedule(scheduled, at=timezone.now(), by=None)

    send(sent, Choice(everyone=True), by=None)
    clock.start_schedules()

    assert (standing(sent), standing(scheduled)) == (Status.SENDING, Status.SENDING)


def test_the_page_says_when_it_starts_and_what_keeps_it_from_starting(provider):
    campaign = held()
    Heartbeat.objects.create(name="clock")

    assert re.match(r"Starts at \d\d:\d\d:\d\d. It waits so that it can be undone.", said(campaign))
    its_time_comes(campaign)
    assert "Starting." in said(campaign)
    Heartbeat.objects.all().delete()
    assert "No clock is running. It starts once the clock is back; until then it can be undone." in said(campaign)


def test_the_doctor_finds_what_should_have_started(provider):
    campaign = held(name="Spring")
    assert [*held_ones_are_started()] == []

    Campaign.objects.filter(pk=campaign.pk).update(held_until=Now() - timedelta(minutes=3))

    assert "“Spring” was to start 3 min 0 s ago and is still preparing." in str([*held_ones_are_started()][0])


def test_the_auditor_finds_a_message_handed_over_too_soon_and_one_left_in_a_draft(provider):
    campaign = held()
    Message.objects.filter(campaign=campaign, number=1).update(tries=1)
    assert "message 1 was touched before the sending began" in wrong(campaign)

    Campaign.objects.filter(pk=campaign.pk).update(status=Status.DRAFT)
    assert "message 2 belongs to a draft" in wrong(campaign)
