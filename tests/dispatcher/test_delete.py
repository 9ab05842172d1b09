"""Delete: a campaign that is over goes for good, with all its messages; its totals stay in the audit log."""

import tracemalloc
import uuid
from datetime import timedelta
from threading import Thread

import pytest
from django.db import connection
from django.urls import reverse
from django.utils import timezone

from accounts.models import AuditEntry, Role
from campaigns.authoring import Scheduled, delete_campaign, update_campaign
from campaigns.models import Campaign
from dispatcher import operations, shelf
from dispatcher.audit import strays
from dispatcher.models import Attempt, Batch, Category, Message, Settlement
from simulator.models import Call
from tests.dispatcher.outcomes import failed, launched, sent
from tests.make import make_campaign, make_member, make_workspace

pytestmark = pytest.mark.django_db
Status = Campaign.Status


@pytest.fixture
def workspace(client):
    workspace = make_workspace()
    client.force_login(make_member(workspace, Role.ADMIN))
    return workspace


def over(workspace, *, people: int = 3, **fields) -> Campaign:
    campaign = launched(make_campaign(workspace, people=people, **fields), *sent(people - 1), *failed(Category.BOUNCED))
    Batch.objects.filter(campaign=campaign).update(due_at=None)
    Campaign.objects.filter(pk=campaign.pk).update(status=Status.SENT, finished_at=timezone.now())
    campaign.refresh_from_db()
    return campaign


def press(client, campaign, name: str):
    return client.post(reverse("campaign-delete", args=[campaign.pk]), {"name": name}, follow=True)


def test_it_goes_with_all_that_belongs_to_it_and_nothing_else(client, workspace):
    campaign, other = over(workspace, name="Spring"), over(make_workspace())
    for one in (campaign, other):
        message = Message.objects.filter(campaign=one).first()
        Attempt.objects.create(message=message, key=message.key, outcome=2, category=Category.BOUNCED)
        Settlement.objects.create(campaign=one, settled=3)

    answer = press(client, campaign, "Spring")

    assert "Its totals stay in the audit log" in answer.content.decode()
    assert list(Campaign.objects.all()) == [other]
    for model in (Batch, Settlement):
        assert set(model.objects.values_list("campaign", flat=True)) == {other.pk}
    assert set(Message.objects.values_list("campaign", flat=True)) == {other.pk}
    assert Attempt.objects.count() == 1
    assert workspace.recipients.count() == 3


def test_the_totals_stay_in_the_audit_log(client, workspace):
    campaign = over(workspace, name="Spring")

    press(client, campaign, "Spring")

    entry = AuditEntry.objects.get(verb="delete")
    assert (entry.about_id, entry.about) == (campaign.pk, "Spring")
    told = {name: old for name, (old, _) in entry.changes.items()}
    assert (told["total"], told["sent"], told["failed"], told["status"]) == (3, 2, 1, "sent")
    assert told["failed_by"] == {"bounced": 1}


@pytest.mark.parametrize("typed", ["", "spring", "Spring 2"])
def test_another_name_deletes_nothing(client, workspace, typed):
    campaign = over(workspace, name="Spring")

    answer = press(client, campaign, typed)

    assert answer.status_code == 422 and "not the name of this campaign" in answer.content.decode()
    assert Message.objects.filter(campaign=campaign).count() == 3


def test_nothing_is_deleted_while_anything_is_open(client, workspace):
    campaign = over(workspace, name="Spring")
    operations.retry_failed(campaign, by=None)

    assert press(client, campaign, "Spring").status_code == 409
    with pytest.raises(shelf.NotOver):
        shelf.delete(campaign, typed="Spring", by=None)
    assert Message.objects.filter(campaign=campaign).count() == 3


def test_a_cancelled_campaign_with_an_open_batch_is_kept(workspace):
    campaign = over(workspace)
    Campaign.objects.filter(pk=campaign.pk).update(status=Status.CANCELLED)
    Batch.objects.filter(campaign=campaign).update(due_at=timezone.now())

    with pytest.raises(shelf.NotOver, match="not all of it is closed"):
        shelf.delete(campaign, typed=campaign.name, by=None)


@pytest.mark.django_db(transaction=True)
def test_a_retry_and_a_delete_at_once_leave_no_half_campaign(workspace):
    campaign = over(workspace, name="Spring")
    outcomes: list[object] = []

    def attempt(verb) -> None:
        try:
            outcomes.append(verb())
        except Exception as error:
            outcomes.append(error)
        finally:
            connection.close()

    threads = [
        Thread(target=attempt, args=[lambda: operations.retry_failed(campaign, by=None)]),
        Thread(target=attempt, args=[lambda: shelf.delete(campaign, typed="Spring", by=None)]),
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    left = Campaign.objects.filter(pk=campaign.pk).first()
    if left:
        assert left.status == Status.SENDING and Message.objects.filter(campaign=campaign).count() == 3
    else:
        assert not Message.objects.filter(campaign=campaign).exists()
    assert any(isinstance(outcome, shelf.NotOver | Campaign.DoesNotExist) for outcome in outcomes)


@pytest.mark.parametrize("role", [Role.VIEWER, Role.EDITOR, Role.MARKETER])
def test_only_who_manages_deletes_what_was_sent(client, workspace, role):
    campaign = over(workspace, name="Spring")
    client.force_login(make_member(workspace, role))

    assert client.get(reverse("campaign-delete", args=[campaign.pk])).status_code == 403
    assert press(client, campaign, "Spring").status_code == 403
    assert 'id="delete"' not in client.get(reverse("campaign", args=[campaign.pk])).content.decode()
    assert Campaign.objects.filter(pk=campaign.pk).exists()


def test_every_row_that_points_at_a_message_or_a_campaign_is_thought_of():
    """What is not deleted set by set here would be read into memory, row by row, by the last statement."""
    small = {
        "campaigns_statuschange",
        "campaigns_split",
        "campaigns_wording",
        "campaigns_linking",
        "dispatcher_messagefile",
        "dispatcher_trial",
    }
    pointing = {
        relation.related_model._meta.db_table
        for model in (Campaign, Message, Batch)
        for relation in model._meta.related_objects
        if not relation.many_to_many
    }

    assert pointing - small - set(shelf.ROWS) == set()


def test_many_messages_are_not_read_to_be_deleted(workspace):
    campaign = over(workspace, people=2_000)
    statements = []

    def look(execute, sql, params, many, context):
        statements.append(sql)
        return execute(sql, params, many, context)

    tracemalloc.start()
    with connection.execute_wrapper(look):
        shelf.delete(campaign, typed=campaign.name, by=None)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert len(statements) < 40 and peak < 2_000_000


@pytest.mark.parametrize("name", ["Spring  sale", "Spring\u00a0 sale"])
@pytest.mark.parametrize("typed", ["Spring sale", " Spring   sale "])
def test_spaces_that_a_page_does_not_show_need_not_be_typed(client, workspace, name, typed):
    campaign = over(workspace, name=name)

    press(client, campaign, typed)

    assert not Campaign.objects.filter(pk=campaign.pk).exists()


def scheduled(workspace) -> Campaign:
    return operations.schedule(make_campaign(workspace, people=1), at=timezone.now() + timedelta(days=1), by=None)


def test_who_may_not_send_cannot_delete_what_is_scheduled(client, workspace):
    campaign = scheduled(workspace)
    client.force_login(make_member(workspace, Role.EDITOR))
    address = reverse("campaign-delete", args=[campaign.pk])

    for answer in (client.get(address), client.post(address)):
        assert answer.status_code == 403 and "ask one of them to unschedule it" in answer.content.decode()
    for page in ("campaign", "campaign-edit"):
        assert address not in client.get(reverse(page, args=[campaign.pk])).content.decode()
    assert Campaign.objects.filter(pk=campaign.pk).exists()

    client.force_login(make_member(workspace, Role.MARKETER))
    for page in ("campaign", "campaign-edit"):
        assert address in client.get(reverse(page, args=[campaign.pk])).content.decode()
    client.post(address)
    assert not Campaign.objects.filter(pk=campaign.pk).exists()


def test_a_draft_that_was_scheduled_since_is_not_deleted_or_changed_by_who_may_not_send(workspace):
    with pytest.raises(Scheduled):
        delete_campaign(scheduled(workspace), by=None, only_drafts=True)
    with pytest.raises(Scheduled):
        update_campaign(scheduled(workspace), by=None, only_drafts=True, body="Another text")


def test_an_editor_deletes_a_draft(client, workspace):
    campaign = make_campaign(workspace)
    client.force_login(make_member(workspace, Role.EDITOR))
    address = reverse("campaign-delete", args=[campaign.pk])

    assert address in client.get(reverse("campaign-edit", args=[campaign.pk])).content.decode()
    client.post(address)

    assert not Campaign.objects.filter(pk=campaign.pk).exists()


def test_the_simulated_provider_forgets_its_messages_so_that_the_two_ledgers_agree(client, workspace):
    Call.objects.all().delete()  # of messages whose test is over: the provider keeps what it heard
    campaign, other = over(workspace, name="Spring"), over(make_workspace())
    for one in (campaign, other):
        for message in Message.objects.filter(campaign=one):
            Attempt.objects.create(message=message, key=uuid.uuid4(), outcome=2, category=Category.BOUNCED)
        keys = [*Message.objects.filter(campaign=one).values_list("key", flat=True)]
        keys += Attempt.objects.filter(message__campaign=one).values_list("key", flat=True)
        for key in keys:
            Call.objects.create(key=key, honours_key=True, accepted=True, channel="email", address="a@example.com")

    press(client, campaign, "Spring")

    assert list(strays()) == []
    assert Call.objects.count() == 6
