"""Attention: whatever needs a person appears in one place, says why, and goes away by the right act."""

from datetime import timedelta

import pytest
from django.db import connection
from django.db.models import F
from django.db.models.functions import Now
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from accounts.models import Role
from campaigns.models import Campaign
from dispatcher import attention, clock, dismissals, engine, operations, workers
from dispatcher.attention import LAPSES, attention_of
from dispatcher.models import Batch, Category, ChosenSender, Heartbeat, Pace
from dispatcher.senders.parcel import Unsure
from dispatcher.worker import GentleWorker
from people.channels import Channel
from people.models import Import
from tests.dispatcher.outcomes import failed, launched, sent, unknown
from tests.dispatcher.sending import send, work_off
from tests.make import logged_in, make_campaign, make_member, make_recipients, make_workspace

pytestmark = pytest.mark.django_db
Status = Campaign.Status


@pytest.fixture
def workspace():
    return make_workspace()


@pytest.fixture
def client(workspace):
    return logged_in(workspace, Role.MARKETER)


def ids(workspace) -> list[str]:
    return [item.id for item in attention_of(workspace).shown]


def press(client, campaign: Campaign, verb: str) -> None:
    answer = client.post(reverse(verb, args=[campaign.pk]), {"back": "attention"})
    assert (answer.status_code, answer["Location"]) == (303, reverse("attention"))


def scheduled_to_fail(workspace) -> Campaign:
    campaign = make_campaign(workspace, people=1, body="Hi {nickname}")
    operations.schedule(campaign, at=timezone.now(), by=None)
    clock.start_schedules()
    campaign.refresh_from_db()
    return campaign


def test_nothing_needs_anybody_in_a_workspace_where_all_went_well(workspace, client):
    launched(make_campaign(workspace, people=2), *sent(2))

    page = client.get(reverse("attention")).content.decode()

    assert "Nothing needs you" in page
    assert attention_of(workspace).count == 0


# --- launches that failed ---


def test_a_schedule_that_could_not_start_is_listed_with_the_reason(workspace, client, caplog):
    campaign = scheduled_to_fail(workspace)

    page = client.get(reverse("attention")).content.decode()

    assert ids(workspace) == [f"launch-{campaign.pk}"]
    assert "nickname" in page
    assert "could not be started" in caplog.text
    assert "nickname" in client.get(reverse("campaigns")).content.decode()


def test_a_schedule_missed_by_more_than_a_day_is_listed(workspace, caplog):
    campaign = make_campaign(workspace, people=1)
    operations.schedule(campaign, at=timezone.now() - timedelta(days=3), by=None)

    clock.start_schedules()

    assert ids(workspace) == [f"launch-{campaign.pk}"]
    assert "was not started" in caplog.text


def test_a_failed_launch_leaves_the_list_when_it_is_dismissed(workspace, client):
    campaign = scheduled_to_fail(workspace)

    press_launch_away(client, campaign)

    assert ids(workspace) == []
    assert "Nothing has been sent yet" in client.get(reverse("campaign", args=[campaign.pk])).content.decode()


def press_launch_away(client, campaign) -> None:
    answer = client.post(reverse("dismiss_launch", args=[campaign.pk]))
    assert answer.status_code == 303


def test_dismissing_a_launch_twice_says_that_somebody_was_faster(workspace, client):
    campaign = scheduled_to_fail(workspace)
    press_launch_away(client, campaign)

    answer = client.post(reverse("dismiss_launch", args=[campaign.pk]), follow=True)

    assert "somebody was faster" in answer.content.decode()


def test_a_failed_launch_leaves_the_list_when_somebody_edits_it(workspace):
    campaign = scheduled_to_fail(workspace)

    Campaign.objects.filter(pk=campaign.pk).update(body="Hi there", written_at=Now())

    assert ids(workspace) == []


def test_a_failed_launch_leaves_the_list_when_it_is_scheduled_again(workspace):
    campaign = scheduled_to_fail(workspace)

    operations.schedule(campaign, at=timezone.now() + timedelta(hours=1), by=None)

    assert ids(workspace) == []


def test_a_draft_that_a_person_took_back_needs_nobody(workspace):
    campaign = make_campaign(workspace, people=1)
    ann = make_member(workspace)
    operations.schedule(campaign, at=timezone.now() + timedelta(hours=1), by=ann)

    operations.unschedule(campaign, by=ann)

    assert ids(workspace) == []


# --- campaigns paused by the machine ---


@pytest.fixture
def paused_by_itself(workspace, provider, settings):
    """The provider answered nobody, and may not be asked twice."""
    settings.DISPATCH_WINDOW = 10
    provider.honours_keys = None
    campaign = make_campaign(workspace, people=60)
    for person in workspace.recipients.all():
        provider.answers[person.email] = [Unsure("no answer")]
    operations.launch(campaign, by=None)
    engine.work(seconds=1)
    campaign.refresh_from_db()
    return campaign


def test_a_campaign_that_paused_by_itself_is_listed_until_it_is_resumed(workspace, client, caplog, paused_by_itself):
    assert paused_by_itself.status == Status.PAUSED
    assert "was paused" in "".join(record.getMessage() for record in caplog.get_records("setup"))
    assert f"paused-{paused_by_itself.pk}" in ids(workspace)

    press(client, paused_by_itself, "resume")

    assert f"paused-{paused_by_itself.pk}" not in ids(workspace)


def test_a_pause_by_a_person_needs_nobody(workspace):
    campaign = launched(make_campaign(workspace, people=2))

    operations.pause(campaign, by=make_member(workspace))

    assert ids(workspace) == []


def test_cancelling_from_here_asks_first_and_leads_back(workspace, client):
    campaign = launched(make_campaign(workspace, people=2))
    operations.pause(campaign, by=None, reason="silent")

    page = client.get(reverse("attention")).content.decode()
    question = client.get(reverse("confirm", args=[campaign.pk, "cancel"]), {"back": "attention"}).content.decode()

    assert reverse("confirm", args=[campaign.pk, "cancel"]) in page
    assert 'name="back" value="attention"' in question
    press(client, campaign, "cancel")
    assert ids(workspace) == []


# --- unknown messages ---


def test_unknown_messages_are_listed_until_somebody_decides(workspace, client):
    campaign = launched(make_campaign(workspace, people=3), *sent(1), *unknown(2))
    assert ids(workspace) == [f"unknown-{campaign.pk}"]

    press(client, campaign, "assume_delivered")

    assert ids(workspace) == []


def test_one_unknown_decided_leaves_the_others(workspace, client):
    campaign = launched(make_campaign(workspace, people=3), *sent(1), *unknown(2))

    client.post(reverse("assume_delivered", args=[campaign.pk]), {"numbers": "2"})

    assert [item.words for item in attention_of(workspace).shown] == ["1 unknown."]


def test_sending_unknown_again_warns_that_it_may_arrive_twice(workspace, client):
    campaign = launched(make_campaign(workspace, people=2), *unknown(2))

    question = client.get(reverse("confirm", args=[campaign.pk, "send_again"]), {"back": "attention"}).content.decode()
    press(client, campaign, "send_again")

    assert "twice" in question
    assert ids(workspace) == []


def test_unknown_messages_of_a_cancelled_campaign_cannot_be_sent_again(workspace):
    campaign = launched(make_campaign(workspace, people=2), *unknown(2))
    Campaign.objects.filter(pk=campaign.pk).update(status=Status.CANCELLED, finished_at=Now())

    (item,) = attention_of(workspace).shown

    assert [act.words for act in item.acts] == ["Assume delivered", "Show them"]


# --- dead letters ---


def test_dead_letters_are_listed_until_they_are_dismissed_or_tried_again(workspace, client):
    one = launched(make_campaign(workspace, people=3), *failed(Category.TIMEOUT, 2), *sent())
    other = launched(make_campaign(workspace), *failed(Category.BOUNCED, 1), *sent(2))
    assert ids(workspace) == [f"dead-{other.pk}", f"dead-{one.pk}"]

    client.post(reverse("retry_dead"), {"campaign": one.pk, "category": "timeout", "back": "attention"})
    client.post(reverse("dismiss"), {"campaign": other.pk})

    assert ids(workspace) == []


def test_only_what_a_retry_can_help_is_offered_to_be_tried_again(workspace):
    launched(make_campaign(workspace, people=3), *failed(Category.TIMEOUT, 2), *failed(Category.BOUNCED))

    (item,) = attention_of(workspace).shown
    retry = item.acts[0]

    assert (retry.words, retry.fields[1:]) == ("Retry 2", (("category", "timeout"),))


# --- the machine ---


def due_for_a_while(campaign: Campaign) -> None:
    Batch.objects.filter(campaign=campaign, due_at__isnull=False).update(due_at=F("due_at") - timedelta(minutes=1))


@pytest.fixture
def ticking():
    Heartbeat.objects.update_or_create(name="clock", defaults={"at": timezone.now()})


@pytest.fixture
def worker(request):
    """A worker that Redis knows, of the queue the test names."""
    worker = GentleWorker(getattr(request, "param", "dispatch"))
    worker.register_birth()
    yield worker
    worker.register_death()


def test_a_missing_worker_is_listed_while_something_is_due(workspace, ticking, worker, monkeypatch):
    campaign = launched(make_campaign(workspace, people=2))
    assert ids(workspace) == []
    due_for_a_while(campaign)
    assert ids(workspace) == []

    worker.register_death()
    monkeypatch.setattr(workers, "_asked", (float("-inf"), None))

    assert ids(workspace) == ["no-dispatch"]


def test_a_missing_clock_is_listed_while_something_is_due(workspace, worker):
    campaign = launched(make_campaign(workspace, people=2))
    due_for_a_while(campaign)
    assert ids(workspace) == ["no-clock"]

    clock.beat()

    assert ids(workspace) == []


def test_a_missing_clock_is_listed_while_a_schedule_is_overdue(workspace):
    campaign = make_campaign(workspace, people=1)
    operations.schedule(campaign, at=timezone.now() - timedelta(minutes=1), by=None)

    assert ids(workspace) == ["no-clock"]


@pytest.mark.parametrize("worker", ["chores"], indirect=True)
def test_a_missing_worker_for_imports_is_listed_while_an_import_waits(workspace, ticking, worker, monkeypatch):
    long_ago = timezone.now() - timedelta(minutes=1)
    upload = Import.objects.create(workspace=workspace, name="a.csv", status=Import.Status.WAITING)
    Import.objects.filter(pk=upload.pk).update(created_at=long_ago)
    assert ids(workspace) == []

    worker.register_death()
    monkeypatch.setattr(workers, "_asked", (float("-inf"), None))

    assert ids(workspace) == ["no-chores"]


def test_a_redis_that_does_not_answer_is_said_while_something_is_due(workspace, ticking, monkeypatch):
    due_for_a_while(launched(make_campaign(workspace, people=2)))
    monkeypatch.setattr(workers, "_asked", (float("inf"), None))  # as if it had just not answered

    assert ids(workspace) == ["no-queue"]


def test_another_workspace_is_not_told(workspace, ticking):
    due_for_a_while(launched(make_campaign(make_workspace(), people=2)))

    assert ids(workspace) == []


def test_batches_that_lapse_again_and_again_are_listed(workspace, ticking, worker):
    campaign = launched(make_campaign(workspace, people=2))
    Batch.objects.filter(campaign=campaign).update(lapses=LAPSES - 1)
    assert ids(workspace) == []

    Batch.objects.filter(campaign=campaign).update(lapses=LAPSES)

    assert ids(workspace) == [f"lapses-{campaign.pk}"]


def test_a_sender_that_cannot_be_reached_is_listed_until_it_can(workspace):
    chosen_and_wanted(workspace)
    pace = Pace.objects.create(workspace=workspace, sender="smtp", channel=1, trouble="Connection refused.")
    (item,) = attention_of(workspace).shown
    assert item.id == "sender-1-smtp"
    assert "Connection refused. It is tried again by itself; a test" in item.sentence

    Pace.objects.filter(pk=pace.pk).update(trouble="")

    assert ids(workspace) == []


def chosen_and_wanted(workspace) -> Campaign:
    """A campaign is being sent by email, for which the workspace has chosen a mail server."""
    ChosenSender.objects.create(workspace=workspace, channel=Channel.EMAIL, sender="smtp")
    return launched(make_campaign(workspace, people=1))


def test_a_sender_that_nothing_is_sent_by_now_needs_nobody(workspace):
    campaign = chosen_and_wanted(workspace)
    Pace.objects.create(workspace=workspace, sender="smtp", channel=1, trouble="Connection refused.")
    Pace.objects.create(workspace=workspace, sender="smtp", channel=2, trouble="Of another channel.")

    operations.cancel(campaign, by=None)

    assert [pk for pk in ids(workspace) if pk.startswith("sender")] == []


def test_a_sender_that_is_not_chosen_any_more_needs_nobody(workspace):
    chosen_and_wanted(workspace)
    Pace.objects.create(workspace=workspace, sender="smtp", channel=1, trouble="Connection refused.")

    ChosenSender.objects.update(sender="simulated")

    assert ids(workspace) == []


def test_an_import_that_failed_is_listed_until_the_list_is_brought_again(workspace):
    upload = Import.objects.create(
        workspace=workspace, name="a.csv", status=Import.Status.FAILED, error="Broken.", finished_at=timezone.now()
    )
    assert ids(workspace) == [f"import-{upload.pk}"]

    Import.objects.create(workspace=workspace, name="a.csv", status=Import.Status.DONE)

    assert ids(workspace) == []


# --- who sees it, and at what price ---


def test_the_most_urgent_comes_first(workspace, ticking):
    dead = launched(make_campaign(workspace, people=1), *failed())
    undecided = launched(make_campaign(workspace), *unknown())
    due_for_a_while(launched(make_campaign(workspace)))

    assert ids(workspace) == ["no-dispatch", f"unknown-{undecided.pk}", f"dead-{dead.pk}"]


def test_a_viewer_sees_it_and_can_press_nothing(workspace):
    launched(make_campaign(workspace, people=2), *unknown(), *failed())
    viewer = logged_in(workspace, Role.VIEWER)

    page = viewer.get(reverse("attention")).content.decode()

    main = page.partition("<main")[2]
    assert "1 unknown." in main
    assert "<button" not in main.partition('id="attention"')[2]
    assert "Show them" in main and "Send again" not in main


def test_an_archived_campaign_needs_nobody(workspace):
    campaign = launched(make_campaign(workspace, people=1), *failed())

    Campaign.objects.filter(pk=campaign.pk).update(status=Status.FAILED, archived_at=Now())

    assert ids(workspace) == []


def test_the_number_in_the_navigation_is_what_the_page_lists(workspace, client):
    launched(make_campaign(workspace, people=2), *unknown(), *failed())

    number = client.get(reverse("attention-count")).content.decode()
    page = client.get(reverse("attention")).content.decode()

    assert "<b>2</b>" in number
    assert "<b>2</b>" in page
    assert 'hx-trigger="load, every 30s"' in client.get(reverse("campaigns")).content.decode()


def test_a_dismissal_is_in_the_history_of_the_campaign(workspace):
    campaign = launched(make_campaign(workspace, people=1), *failed())

    dismissals.dismiss(campaign, by=make_member(workspace, name="Ann"))

    line = campaign.history.first()
    assert (line.reason, line.actor) == ("1 failed dismissed", "Ann")


def test_a_hundred_troubled_campaigns_cost_as_many_queries_as_one(workspace, ticking, worker):
    make_recipients(workspace, 2)

    def queries() -> int:
        with CaptureQueriesContext(
            connection,
        ) as captured:
            attention_of(workspace)
        return len(captured)

    def trouble() -> None:
        launched(make_campaign(workspace), *unknown(), *failed())
        due_for_a_while(launched(make_campaign(workspace)))
        operations.pause(launched(make_campaign(workspace)), by=None, reason="silent")
        scheduled_to_fail(workspace)

    trouble()
    for_one = queries()
    for _ in range(25):
        trouble()

    Heartbeat.objects.update(at=timezone.now())  # on a busy machine all this takes longer than a clock may be silent
    assert queries() == for_one
    assert attention_of(workspace).count > 100
    assert len(attention_of(workspace).shown) == 80


def test_what_a_lost_worker_had_in_hand_is_settled_while_paused(workspace, provider):
    """With a provider that honours keys it waits under its key; with another it becomes unknown at once."""
    provider.honours_keys = None
    campaign = launched(make_campaign(workspace, people=4))
    Batch.objects.filter(campaign=campaign).update(
        owner="lost", epoch=1, handed_up_to=2, first_intent_at=Now(), in_flight=2, due_at=Now()
    )
    operations.pause(campaign, by=None)

    clock.ring_if_due()
    engine.work(seconds=0.3)

    assert [message.get_status_display() for message in campaign.messages.order_by("number")] == [
        *["unknown"] * 2,
        *["pending"] * 2,
    ]
    assert not provider.calls
    assert not Batch.objects.exclude(owner="").exists()
    operations.resume(campaign, by=None)
    assert work_off(campaign).sent == 2


def test_a_paused_campaign_that_nobody_holds_is_left_alone(workspace, provider):
    campaign = launched(make_campaign(workspace, people=4))
    operations.pause(campaign, by=None)

    engine.work(seconds=0.2)

    assert campaign.batches.get().epoch == 0


def test_retries_that_helped_and_leases_taken_over_are_counted(workspace, provider):
    campaign = make_campaign(workspace, people=3)
    first = workspace.recipients.first()
    provider.answers[first.email] = [Unsure("no answer"), None]

    send(campaign)

    with connection.cursor() as cursor:
        cursor.execute("SELECT sum(settled), sum(helped), sum(lapses) FROM dispatcher_settlement")
        assert cursor.fetchone() == (3, 1, 0)


def test_a_lease_taken_over_is_counted(workspace, provider):
    campaign = launched(make_campaign(workspace, people=3))
    Batch.objects.filter(campaign=campaign).update(owner="lost", epoch=1, due_at=Now())

    work_off(campaign)

    with connection.cursor() as cursor:
        cursor.execute("SELECT sum(lapses) FROM dispatcher_settlement")
        assert cursor.fetchone() == (1,)


def test_however_long_the_history_only_what_is_shown_is_read(workspace, monkeypatch):
    monkeypatch.setattr(attention, "SHOWN", 2)
    make_recipients(workspace, 2)
    for _ in range(5):
        launched(make_campaign(workspace, body="A long text"), *unknown(), *failed())

    with CaptureQueriesContext(connection) as captured:
        found = attention_of(workspace)

    assert (found.count, len(found.shown), found.more) == (10, 4, 6)
    sql = [query["sql"] for query in captured]
    assert not any('"campaigns_campaign"."body"' in one for one in sql)
    (read,) = (one for one in sql if one.startswith('SELECT "campaigns_campaign"."id"'))
    assert read.partition(" IN (")[2].count(",") < 4


def test_the_number_counts_only_what_is_neither_dismissed_nor_tried_again(workspace, client):
    first, second, third = (
        launched(make_campaign(workspace, people=4), *failed(Category.TIMEOUT, 2), *failed()) for _ in range(3)
    )
    dismissals.dismiss(first, by=None)
    dismissals.dismiss(second, by=None, category=Category.TIMEOUT)
    operations.retry_failed(third, by=None)

    assert ids(workspace) == [f"dead-{second.pk}"]
    assert "<b>1</b>" in client.get(reverse("attention-count")).content.decode()
