"""The fences of the engine, one by one: each test fails when its fence is taken away."""

import time
from functools import partial
from threading import Event, Thread

import pytest
from django.db import connection, transaction
from django.db.models.functions import Now

from campaigns.models import Campaign
from dispatcher import engine, operations, settle
from dispatcher.books import books_of
from dispatcher.chosen import Chosen
from dispatcher.handover import Call, Handover, Term
from dispatcher.lease import take
from dispatcher.models import Attempt, Batch, Category, Message, Settlement, SkipReason
from dispatcher.senders.parcel import Busy, Parcel, Receipt, Refused
from dispatcher.verdicts import NotStarted, Standing, Terms, judge
from people.channels import Channel
from tests.dispatcher.sending import make_due, press, work_off, wrong_with_the_books
from tests.make import make_campaign

pytestmark = pytest.mark.django_db(transaction=True)
CUT_ALL_OTHERS = """
    SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE pid <> pg_backend_pid() AND datname = current_database() AND backend_type = 'client backend'
"""
TERMS = Terms(honours_keys=True, refusals_are_conclusive=True, policy=1)


def launched(people: int) -> Campaign:
    return operations.launch(make_campaign(people=people), by=None)


@pytest.mark.parametrize("change", [{"epoch": 99}, {"owner": "somebody else"}])
def test_a_batch_taken_over_while_calls_fly_is_let_go_without_a_word(provider, settings, change):
    settings.DISPATCH_WINDOW = 20
    provider.latency = 0.1
    campaign = launched(100)
    taken_over = Batch.objects.filter(campaign=campaign)
    provider.at_call[10] = partial(press, lambda campaign, by: taken_over.update(**change), campaign)

    engine.work(seconds=0.5)

    assert books_of(campaign).sent == 0
    assert not Message.objects.exclude(status=Message.Status.PENDING).exists()


@pytest.mark.parametrize("keys", [True, False], ids=["keys honoured", "no keys"])
def test_a_worker_that_takes_its_own_lapsed_batch_forgets_the_calls_of_before(provider, settings, monkeypatch, keys):
    if not keys:
        provider.honours_keys = None
    settings.DISPATCH_WINDOW = 500
    provider.latency = 1.8  # longer than the wait before the next pass: the old answers meet the new calls
    campaign = launched(200)
    submit = Handover.submit

    def sleep_past_the_lease(self, calls):
        submit(self, calls)
        monkeypatch.setattr(Handover, "submit", submit)
        make_due(campaign)

    monkeypatch.setattr(Handover, "submit", sleep_past_the_lease)
    engine.work(seconds=3)
    provider.latency = 0

    books = work_off(campaign)

    assert (books.pending, wrong_with_the_books(campaign)) == (0, [])
    assert set(provider.accepted.values()) <= {1}
    assert provider.most_in_flight <= 500


def test_a_pause_waits_for_an_intent_under_way(provider):
    campaign = launched(10)
    paused = Event()
    with Handover(wake_at=1) as hands:
        shift = engine.Shift(hands, "me", 10)
        shift.leases = {lease.batch: lease for lease in take("me", 1, shift.contents, hands, {})}
        with transaction.atomic(), connection.cursor() as cursor:
            shift._hold(cursor)
            Thread(target=lambda: (press(operations.pause, campaign), paused.set()), daemon=True).start()
            assert not paused.wait(0.3)
        assert paused.wait(5)


def test_a_campaign_a_person_changes_now_is_not_leased_and_not_waited_for(provider):
    """The campaign is locked before its batches, or a lease and a retry could wait for each other."""
    campaign = launched(10)
    Batch.objects.update(owner="gone:1", epoch=1, handed_up_to=3, first_intent_at=Now(), due_at=Now())
    waiting: dict[int, float] = {}
    with Handover(wake_at=1) as hands, transaction.atomic():
        operations.locked(campaign)
        taken: list = []
        worker = Thread(target=lambda: (taken.append(take("me", 1, {}, hands, waiting)), connection.close()))
        worker.start()
        worker.join(3)
        assert (taken, list(waiting)) == ([[]], [campaign.pk])
    assert Batch.objects.get().epoch == 1


def test_what_a_lost_worker_held_is_taken_before_anything_fresh(provider, settings):
    settings.BATCH_SIZE = 5
    campaign = launched(15)
    lost = campaign.batches.order_by("-first")[0]
    Batch.objects.filter(pk=lost.pk).update(owner="gone:1")

    with Handover(wake_at=1) as hands:
        (lease,) = take("me", 1, {}, hands, {})

    assert lease.batch == lost.pk


def test_settling_the_same_answer_twice_counts_it_once(provider):
    campaign = launched(2)
    first, second = Message.objects.order_by("number")
    answers = [(first, Receipt("p-1")), (second, Busy("503", category="provider_down"))]
    verdicts = [judge(standing_of(message), answer, TERMS, None) for message, answer in answers]
    with connection.cursor() as cursor:
        counts = [settle.write(cursor, {1: verdicts})[1].settled for _ in range(2)]

    assert counts == [1, 0]  # the other one still waits
    assert (Attempt.objects.count(), Message.objects.get(pk=second.pk).tries) == (1, 1)
    assert campaign.status == Campaign.Status.SENDING


def test_what_is_answered_while_a_turn_waits_for_its_locks_is_settled_in_that_turn(provider):
    campaign = launched(2)
    held = Event()

    def hold_for_a_while() -> None:
        with transaction.atomic():
            operations.locked(campaign)
            held.set()
            time.sleep(0.6)
        connection.close()

    provider.at_call[1] = lambda: (Thread(target=hold_for_a_while).start(), held.wait(5))
    provider.at_call[2] = lambda: setattr(provider, "latency", 0.3)

    engine.work(seconds=1)

    assert list(Settlement.objects.values_list("settled", flat=True)) == [2]


def test_answers_for_several_batches_are_counted_each_in_its_own(provider, settings):
    settings.BATCH_SIZE = 2
    campaign = launched(6)
    bad, busy, *_ = campaign.workspace.recipients.order_by("pk").values_list("email", flat=True)[1::2]
    provider.answers[bad] = [Refused("no such mailbox", category="invalid_address")]
    provider.answers[busy] = [Busy("503", category="provider_down"), None]

    engine.work(seconds=0.3)

    rows = campaign.batches.order_by("first").values_list("sent", "failed", "pending")
    assert list(rows) == [(1, 1, 0), (1, 0, 1), (2, 0, 0)]
    work_off(campaign)
    assert wrong_with_the_books(campaign) == []
    outcomes = Attempt.objects.order_by("message__number").values_list("outcome", "category")
    assert list(outcomes) == [
        (Attempt.Outcome.REFUSED, Category.INVALID_ADDRESS),
        (Attempt.Outcome.BUSY, Category.PROVIDER_DOWN),
    ]


def standing_of(message: Message) -> Standing:
    return Standing(message.pk, message.number, str(message.key), message.tries, message.retry_count, None, False)


@pytest.mark.django_db(transaction=False)
def test_a_call_whose_lease_is_about_to_end_is_not_begun(provider):
    standing = Standing(1, 1, "key", 0, 0, None, False)
    with Handover(wake_at=1) as hands:
        sender = hands.sender(Chosen(1, Channel.SMS, "scripted"))
        late = Call(1, Term(time.monotonic() + 0.5), sender, standing, lambda: Parcel("key", "sms", "+1", "", "", "x"))
        hands.submit([late])
        (answered,) = hands.collect(2)

    assert isinstance(answered.answer, NotStarted)
    assert provider.calls == []


def test_a_long_send_renews_its_lease(provider, settings):
    settings.LEASE_SECONDS, settings.DISPATCH_WINDOW, settings.CALL_SECONDS = 3, 50, 2
    provider.latency = 0.4
    campaign = launched(500)

    engine.work(seconds=4.5)

    batch = Batch.objects.get(campaign=campaign)
    assert (batch.epoch, batch.lapses) == (1, 0)
    assert books_of(campaign).sent > 50


def test_who_is_erased_while_waiting_is_skipped(provider):
    campaign = launched(3)
    gone = Message.objects.order_by("number").first()
    gone.recipient.delete()

    books = work_off(campaign)

    assert (books.sent, books.skipped) == (2, 1)
    assert Message.objects.get(pk=gone.pk).skip_reason == SkipReason.ERASED


def test_connections_cut_at_random_lose_nobody_and_write_to_nobody_twice(provider, settings):
    settings.DISPATCH_WINDOW = 50
    provider.latency = 0.02
    provider.honours_keys = None
    campaign = launched(1500)
    over = Event()

    def cut() -> None:
        with connection.cursor() as cursor:
            while not over.wait(0.15):
                cursor.execute(CUT_ALL_OTHERS)
        connection.close()

    thread = Thread(target=cut)
    thread.start()
    try:
        engine.work(seconds=4)
    finally:
        over.set()
        thread.join()
        connection.close()

    books = work_off(campaign, shifts=40)
    assert (books.sent, wrong_with_the_books(campaign)) == (1500, [])
    assert set(provider.accepted.values()) == {1}


def test_finishing_and_retrying_at_once_never_leaves_a_finished_campaign_with_open_messages(provider):
    for _ in range(10):
        campaign = launched(4)
        work_off(campaign)
        Message.objects.filter(campaign=campaign, number=1).update(status=3, category=2)
        Batch.objects.filter(campaign=campaign).update(sent=3, failed=1, failed_by=[0, 1] + [0] * 8)
        Campaign.objects.filter(pk=campaign.pk).update(status=Campaign.Status.SENDING, finished_at=None)
        finisher = Thread(target=lambda pk=campaign.pk: (engine.finish_if_over(pk), connection.close()))
        finisher.start()
        operations.retry_failed(campaign, by=None)
        finisher.join()

        assert "open although the campaign is over" not in "".join(wrong_with_the_books(campaign))
        assert work_off(campaign).sent == 4


def test_a_batch_whose_counter_and_rows_differ_is_not_closed(provider, caplog):
    campaign = launched(3)
    Batch.objects.filter(campaign=campaign).update(pending=0, sent=3, handed_up_to=500, due_at=Now())
    Message.objects.filter(campaign=campaign).update(tries=5)

    engine.work(seconds=0.3)

    assert Batch.objects.get(campaign=campaign).due_at is not None
    assert "its counter and its rows differ" in caplog.text


def test_a_small_campaign_does_not_wait_for_a_big_one_of_the_same_priority(provider, settings):
    settings.BATCH_SIZE, settings.DISPATCH_WINDOW = 100, 120
    big = launched(3000)
    small = launched(50)

    work_off(big)

    its_people = set(small.workspace.recipients.values_list("email", flat=True))
    places = [place for place, call in enumerate(provider.calls) if call.to in its_people]
    assert len(places) == 50
    assert max(places) < 1500


def test_an_urgent_campaign_goes_before_all_others(provider, settings):
    settings.BATCH_SIZE = settings.DISPATCH_WINDOW = 50
    normal = launched(200)
    urgent = operations.launch(make_campaign(people=200, priority=Campaign.Priority.URGENT), by=None)

    work_off(urgent)

    first = {call.to for call in provider.calls[:150]}
    assert first <= set(urgent.workspace.recipients.values_list("email", flat=True))
    assert work_off(normal).sent == 200
