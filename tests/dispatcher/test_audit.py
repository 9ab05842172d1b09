"""The auditor turns red for every way in which the books could lie."""

import uuid

import pytest
from django.core.management import call_command
from django.db import connection

from campaigns.models import Campaign
from dispatcher import operations
from dispatcher.audit import findings, strays
from dispatcher.models import Batch, Message
from simulator.models import Call
from tests.dispatcher.sending import work_off
from tests.make import make_campaign

pytestmark = pytest.mark.django_db(transaction=True)
Status = Message.Status


@pytest.fixture
def campaign(settings):
    settings.SIMULATOR_PROFILE = "perfect"
    Call.objects.all().delete()  # of messages whose test is over: the provider keeps what it heard
    campaign = operations.launch(make_campaign(people=20), by=None)
    work_off(campaign)
    return campaign


def sentences(campaign: Campaign) -> str:
    campaign.refresh_from_db()
    return "\n".join([*map(str, findings(campaign)), *strays()])


def test_honest_books_pass(campaign, capsys):
    call_command("audit")
    assert "The books balance." in capsys.readouterr().out


@pytest.mark.parametrize(
    ("lie", "found"),
    [
        ("UPDATE dispatcher_message SET status = 1 WHERE number = 3", "the counters say"),
        ("DELETE FROM dispatcher_message WHERE number = 4", "the counters say"),
        ("UPDATE dispatcher_message SET number = 99999 WHERE number = 5", "belongs to no batch"),
        ("UPDATE dispatcher_batch SET due_at = now()", "open although the campaign is over"),
        ("UPDATE simulator_call SET accepted = false", "never accepted it"),
        ("UPDATE simulator_call SET address = 'eve@example.com'", "went to another address"),
        ("UPDATE campaigns_campaign SET status = 7", "is called failed, but 20 were sent"),
        (
            "UPDATE dispatcher_message SET status = 3, category = 1 WHERE number = 6",
            "called failed, skipped or cancelled, but was accepted",
        ),
    ],
)
def test_a_lie_in_the_tables_is_found(campaign, lie, found):
    with connection.cursor() as cursor:
        cursor.execute(lie)
    assert found in sentences(campaign)


def test_a_message_accepted_twice_is_found(campaign):
    call = Call.objects.first()
    call.pk, call.honours_key = None, False
    call.save()
    assert "was accepted twice" in sentences(campaign)


def test_a_message_the_provider_knows_and_we_do_not_is_found(campaign):
    Call.objects.create(key=uuid.uuid4(), honours_key=True, accepted=True, address="x@example.com")
    assert "that we do not" in sentences(campaign)


def test_of_what_another_sender_carried_the_simulated_provider_need_not_know(campaign):
    Call.objects.all().delete()
    assert "the provider never accepted it" in sentences(campaign)

    Batch.objects.update(account="smtp 0123456789abcdef")

    assert sentences(campaign) == ""


def test_the_command_exits_with_an_error_when_something_is_wrong(campaign):
    Batch.objects.update(due_at="2026-01-01T00:00Z")
    with pytest.raises(SystemExit) as end:
        call_command("audit")
    assert end.value.code == 1
