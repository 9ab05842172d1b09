import pytest
from django.urls import reverse

from campaigns.models import Campaign
from people import groups
from people.groups import group_named
from people.models import Group
from tests.make import make_campaign, make_group, make_recipients, make_workspace

pytestmark = pytest.mark.django_db


def test_groups_are_listed_with_the_number_of_their_people(client, workspace):
    make_group(workspace, *make_recipients(workspace, 3), name="Nairobi")
    make_group(workspace, name="Empty")

    response = client.get(reverse("groups"))

    assert {group.name: group.people for group in response.context["groups"]} == {"Nairobi": 3, "Empty": 0}


def test_a_huge_group_is_counted_only_so_far(client, workspace, monkeypatch):
    monkeypatch.setattr(groups, "COUNTED", 2)
    make_group(workspace, *make_recipients(workspace, 5))

    assert client.get(reverse("groups")).context["groups"][0].people == 3


def test_a_workspace_without_groups_says_what_to_do_next(client):
    assert reverse("group-new") in client.get(reverse("groups")).content.decode()


def test_a_group_can_be_made_renamed_and_described(client, workspace):
    client.post(reverse("group-new"), {"name": " Nairobi ", "description": "customers"})
    group = workspace.groups.get()
    client.post(reverse("group-edit", args=[group.pk]), {"name": "Mombasa", "description": ""})

    group.refresh_from_db()
    assert (group.name, group.description) == ("Mombasa", "")


@pytest.mark.parametrize("name", ["", "  ", "x" * 101, "a\x0bb", "NAIROBI"])
def test_a_name_that_cannot_be_is_refused_and_kept_in_the_form(client, workspace, name):
    make_group(workspace, name="Nairobi")

    response = client.post(reverse("group-new"), {"name": name, "description": "Kept"})

    assert response.status_code == 422
    assert 'value="Kept"' in response.content.decode()
    assert workspace.groups.count() == 1


def test_a_group_cannot_take_the_name_of_another(client, workspace):
    make_group(workspace, name="Nairobi")
    group = make_group(workspace, name="Mombasa")

    response = client.post(reverse("group-edit", args=[group.pk]), {"name": "nairobi", "description": ""})

    group.refresh_from_db()
    assert response.status_code == 422
    assert group.name == "Mombasa"


def test_a_group_is_deleted_only_after_a_question_and_its_people_stay(client, workspace):
    group = make_group(workspace, *make_recipients(workspace, 2))
    address = reverse("group-delete", args=[group.pk])

    assert "2 people are in it" in client.get(address).content.decode()
    assert Group.objects.filter(pk=group.pk).exists()

    client.post(address)
    assert not Group.objects.filter(pk=group.pk).exists()
    assert workspace.recipients.count() == 2


@pytest.mark.parametrize("status", [Campaign.Status.DRAFT, Campaign.Status.PREPARING])
@pytest.mark.parametrize("use", ["groups", "excluded_groups"])
def test_a_group_a_campaign_still_needs_is_not_deleted(client, workspace, use, status):
    group = make_group(workspace)
    getattr(make_campaign(workspace, name="Spring", status=status), use).add(group)

    response = client.post(reverse("group-delete", args=[group.pk]))

    assert response.status_code == 409
    assert "“Spring” still uses" in response.content.decode()
    assert Group.objects.filter(pk=group.pk).exists()


def test_a_group_only_finished_campaigns_used_can_be_deleted(client, workspace):
    group = make_group(workspace)
    make_campaign(workspace, status=Campaign.Status.SENT).groups.add(group)

    assert client.post(reverse("group-delete", args=[group.pk])).status_code == 302
    assert not Group.objects.filter(pk=group.pk).exists()


def test_a_group_of_another_workspace_is_not_found(client):
    other = make_group(make_workspace())

    for name in ("group-edit", "group-delete"):
        address = reverse(name, args=[other.pk])
        assert client.get(address).status_code == client.post(address, {"name": "Mine"}).status_code == 404
    assert client.get(reverse("people"), {"group": other.pk}).status_code == 404
    assert Group.objects.get(pk=other.pk).name == other.name


def test_a_group_asked_for_by_name_is_made_once(workspace):
    assert group_named(workspace, "Nairobi", by=None) == group_named(workspace, " nairobi ", by=None)
