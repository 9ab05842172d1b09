"""Priority: chosen while writing, changed at any time until it is over, and shown where it is not the usual one."""

import pytest
from django.urls import reverse

from accounts.models import AuditEntry, Role
from campaigns.models import Campaign
from dispatcher import operations
from tests.dispatcher.outcomes import launched, sent
from tests.make import make_campaign, make_member, make_workspace

pytestmark = pytest.mark.django_db
Priority = Campaign.Priority


@pytest.fixture
def workspace(client):
    workspace = make_workspace()
    client.force_login(make_member(workspace, name="Ann"))
    return workspace


def html_of(client, campaign) -> str:
    return client.get(reverse("campaign", args=[campaign.pk])).content.decode()


def test_it_is_changed_while_sending_and_told(client, workspace):
    campaign = launched(make_campaign(workspace, people=2), *sent())

    answer = client.post(reverse("change_priority", args=[campaign.pk]), {"priority": "urgent"}, follow=True)

    campaign.refresh_from_db()
    assert campaign.priority == Priority.URGENT
    assert "is now urgent" in answer.content.decode() and "<b>Urgent</b>" in html_of(client, campaign)
    assert "<b>Urgent</b>" in client.get("/").content.decode()
    entry = AuditEntry.objects.get(verb="change_priority")
    assert (entry.actor, entry.changes) == ("Ann", {"priority": ["normal", "urgent"]})


def test_the_usual_priority_is_not_mentioned(client, workspace):
    html = html_of(client, make_campaign(workspace))

    assert "Urgent" not in html and "Low priority" not in html


def test_the_same_priority_again_changes_nothing(workspace):
    campaign = make_campaign(workspace)

    operations.change_priority(campaign, to=Priority.NORMAL, by=None)

    assert not AuditEntry.objects.exists() and not campaign.history.exists()


def test_what_is_over_has_no_priority_to_change(client, workspace):
    campaign = make_campaign(workspace, status=Campaign.Status.SENT)

    answer = client.post(reverse("change_priority", args=[campaign.pk]), {"priority": "low"}, follow=True)

    campaign.refresh_from_db()
    assert campaign.priority == Priority.NORMAL and "nothing of it waits to be sent" in answer.content.decode()


@pytest.mark.parametrize("word", ["", "highest", "1"])
def test_what_is_no_priority_asks_again(client, workspace, word):
    campaign = make_campaign(workspace)

    assert client.post(reverse("change_priority", args=[campaign.pk]), {"priority": word}).status_code == 200
    campaign.refresh_from_db()
    assert campaign.priority == Priority.NORMAL


def test_it_is_chosen_while_writing(client, workspace):
    client.force_login(make_member(workspace, Role.EDITOR))
    typed = {"name": "A", "channel": "email", "subject": "S", "body": "B", "audience": "everyone", "priority": "low"}

    client.post(reverse("campaign-new"), typed)
    campaign = Campaign.objects.get()
    assert campaign.priority == Priority.LOW

    form = client.get(reverse("campaign-edit", args=[campaign.pk])).content.decode()
    assert '<option value="low" selected>' in form
    client.post(reverse("campaign-edit", args=[campaign.pk]), typed | {"priority": ""})
    campaign.refresh_from_db()
    assert campaign.priority == Priority.LOW  # a form without the choice leaves it as it was


def test_an_editor_does_not_change_it_while_sending(client, workspace):
    campaign = launched(make_campaign(workspace, people=2))
    client.force_login(make_member(workspace, Role.EDITOR))

    assert client.post(reverse("change_priority", args=[campaign.pk]), {"priority": "low"}).status_code == 403
