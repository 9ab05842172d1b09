"""Launch: who is frozen, who is left out and why, and that one of many wins."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.db import connection

from campaigns.models import Campaign, IllegalMove
from dispatcher import clock, freeze, operations
from dispatcher.books import books_of
from dispatcher.models import Batch, Message, SkipReason
from dispatcher.readiness import LaunchRefused
from people.channels import Channel
from people.models import AttributeName
from tests.dispatcher.sending import message_to
from tests.make import make_campaign, make_group, make_member, make_recipient, make_workspace

pytestmark = pytest.mark.django_db
Status = Campaign.Status


def test_everyone_chosen_gets_one_row_and_the_sum_adds_up(provider):
    campaign = make_campaign(people=1234)

    campaign = operations.launch(campaign, by=None)

    books = books_of(campaign)
    assert (books.total, books.pending, books.balances) == (1234, 1234, True)
    assert campaign.status == Status.SENDING
    assert [b.total for b in Batch.objects.order_by("first")] == [500, 500, 234]


def test_batches_are_due_in_the_order_of_their_people(provider, settings):
    settings.BATCH_SIZE = 2
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_sort = off")  # so that the planner would rather count by hash

    campaign = operations.launch(make_campaign(people=200), by=None)

    due = list(campaign.batches.order_by("due_at", "pk").values_list("first", flat=True))
    assert due == sorted(due) and len(due) == 100


def test_those_left_out_get_a_row_with_the_reason(provider):
    campaign = make_campaign(people=1)
    make_recipient(campaign.workspace, opted_out=True)
    make_recipient(campaign.workspace, email="")
    broken = make_recipient(campaign.workspace)
    type(broken).objects.filter(pk=broken.pk).update(email="nonsense")

    operations.launch(campaign, by=None)

    reasons = Message.objects.filter(skip_reason__isnull=False).values_list("skip_reason", flat=True)
    assert sorted(reasons) == [SkipReason.OPTED_OUT, SkipReason.NO_ADDRESS, SkipReason.INVALID_ADDRESS]
    assert books_of(campaign).skipped == 3


def test_the_check_page_promises_what_the_launch_does(provider):
    campaign = make_campaign(people=5)
    make_recipient(campaign.workspace, opted_out=True)

    promised = freeze.forecast(campaign)
    operations.launch(campaign, by=None)

    books = books_of(campaign)
    assert (promised.chosen, promised.reached) == (books.total, books.pending)
    assert promised.skipped == dict(books.skips())


def test_exclusions_and_overlapping_groups_reach_each_person_once(provider):
    workspace = make_workspace()
    ann, ben, cyd, dan = (make_recipient(workspace) for _ in range(4))
    campaign = make_campaign(workspace, everyone=False)
    campaign.groups.add(make_group(workspace, ann, ben, cyd), make_group(workspace, ben, cyd))
    campaign.picked.add(dan, ann)
    campaign.excluded_groups.add(make_group(workspace, cyd))
    campaign.excluded.add(dan)

    operations.launch(campaign, by=None)

    assert set(Message.objects.values_list("recipient", flat=True)) == {ann.pk, ben.pk}


def test_a_text_message_keeps_a_copy_of_just_the_fields_its_text_names(provider):
    campaign = make_campaign(channel=Channel.SMS, body="Hi {first_name} from {city|town}", subject="")
    AttributeName.objects.create(workspace=campaign.workspace, name="city")
    person = make_recipient(campaign.workspace, first_name="Ann", attributes={"city": "Thika", "age": 7})

    operations.launch(campaign, by=None)

    assert message_to(campaign, person.phone).fields == {"first_name": "Ann", "city": "Thika"}


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"body": "Hi {nickname}"}, "INVALID_TEMPLATE"),
        ({"body": "  "}, "INVALID_TEMPLATE"),
        ({"everyone": False}, "NO_RECIPIENTS"),
    ],
)
def test_a_refused_launch_changes_nothing_and_says_why(provider, fields, code):
    campaign = make_campaign(people=2, **fields)

    with pytest.raises(LaunchRefused) as refusal:
        operations.launch(campaign, by=None)

    campaign.refresh_from_db()
    assert refusal.value.code == code
    assert (campaign.status, Message.objects.count(), campaign.history.count()) == (Status.DRAFT, 0, 0)


def test_without_a_sender_nothing_is_launched(provider, settings):
    settings.SENDERS = {"email": "carrier_pigeon"}
    with pytest.raises(LaunchRefused, match="No sender is set up for email"):
        operations.launch(make_campaign(people=1), by=None)


def test_a_large_audience_is_carried_on_by_the_clock(provider, monkeypatch):
    monkeypatch.setattr(freeze, "CHUNK", 100)
    campaign = make_campaign(people=250)

    campaign = operations.launch(campaign, by=None)
    assert campaign.status == Status.PREPARING
    for _ in range(3):
        clock.carry_on_preparing()

    campaign.refresh_from_db()
    assert campaign.status == Status.SENDING
    assert sorted(Message.objects.values_list("number", flat=True)) == list(range(1, 251))


def test_cancelling_while_it_is_prepared_leaves_no_half_audience(provider, monkeypatch):
    monkeypatch.setattr(freeze, "CHUNK", 100)
    campaign = operations.launch(make_campaign(people=250), by=None)

    operations.cancel(campaign, by=None)
    clock.carry_on_preparing()

    campaign.refresh_from_db()
    assert (campaign.status, Message.objects.count()) == (Status.CANCELLED, 0)


def test_the_history_names_who_pressed_send(provider):
    campaign = make_campaign(people=1)
    ann = make_member(campaign.workspace)

    operations.launch(campaign, by=ann)

    moves = list(campaign.history.order_by("id").values_list("from_status", "to_status", "by"))
    assert moves == [(Status.DRAFT, Status.PREPARING, ann.pk), (Status.PREPARING, Status.SENDING, None)]


@pytest.mark.django_db(transaction=True)
def test_of_twelve_people_pressing_send_one_wins(provider):
    campaign = make_campaign(people=20)
    barrier = Barrier(12)

    def press(_: int) -> str:
        barrier.wait()
        try:
            operations.launch(campaign, by=None)
            return "sent"
        except IllegalMove as refusal:
            return str(refusal)
        finally:
            connection.close()

    with ThreadPoolExecutor(12) as pool:
        answers = list(pool.map(press, range(12)))

    assert answers.count("sent") == 1
    assert all("is sending" in answer for answer in answers if answer != "sent")
    assert Message.objects.count() == 20
