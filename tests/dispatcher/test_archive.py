"""Archive: what is over leaves the list and is kept; what is tried again comes back."""

import re

import pytest
from django.db import IntegrityError, transaction
from django.urls import reverse
from django.utils import timezone

from accounts.models import AuditEntry, Role
from campaigns.models import Campaign
from dispatcher import operations, shelf
from dispatcher.models import Category
from tests.dispatcher.outcomes import failed, launched, sent
from tests.make import make_campaign, make_member, make_workspace

pytestmark = pytest.mark.django_db
Status = Campaign.Status


@pytest.fixture
def workspace(client):
    workspace = make_workspace()
    client.force_login(make_member(workspace))
    return workspace


def over(workspace, **fields) -> Campaign:
    campaign = launched(make_campaign(workspace, people=2, **fields), *sent(), *failed(Category.TIMEOUT))
    Campaign.objects.filter(pk=campaign.pk).update(status=Status.SENT, finished_at=timezone.now())
    campaign.refresh_from_db()
    return campaign


def shown(client, query: str = "") -> list[str]:
    return re.findall(r'<h[23]><a href="/campaigns/\d+/">(.*?)</a>', client.get(f"/{query}").content.decode())


def test_an_archived_campaign_leaves_every_list_but_its_own(client, workspace):
    make_campaign(workspace, name="draft")
    archived = over(workspace, name="old")
    shelf.archive(archived, by=None)

    assert shown(client) == ["draft"] and shown(client, "?show=finished") == []
    assert shown(client, "?show=archived") == ["old"]
    html = client.get("/?show=archived").content.decode()
    assert re.search(r"Archived <b>1</b>", html) and re.search(r"All <b>1</b>", html)


def test_the_page_says_that_it_is_archived_and_takes_it_out_again(client, workspace):
    campaign = over(workspace)
    page = reverse("campaign", args=[campaign.pk])

    client.post(reverse("archive", args=[campaign.pk]))
    html = client.get(page).content.decode()
    assert "<b>archived</b>" in html and 'id="unarchive"' in html and 'id="archive"' not in html

    client.post(reverse("unarchive", args=[campaign.pk]))
    html = client.get(page).content.decode()
    assert "<b>archived</b>" not in html and 'id="archive"' in html
    assert list(AuditEntry.objects.filter(verb__contains="archive").values_list("verb", flat=True)) == [
        "archive",
        "unarchive",
    ]


@pytest.mark.parametrize("status", [Status.DRAFT, Status.SENDING, Status.PAUSED, Status.CANCELLED])
def test_what_is_not_over_is_not_archived(workspace, status):
    campaign = make_campaign(workspace, status=status)

    with pytest.raises(shelf.NotOver, match="only campaigns that are over can be archived"):
        shelf.archive(campaign, by=None)

    campaign.refresh_from_db()
    assert campaign.archived_at is None


def test_the_database_keeps_what_is_going_on_out_of_the_archive(workspace):
    campaign = over(workspace)
    shelf.archive(campaign, by=None)

    with pytest.raises(IntegrityError, match="only_what_is_over_is_archived"), transaction.atomic():
        Campaign.objects.filter(pk=campaign.pk).update(status=Status.SENDING)


def test_an_archived_campaign_that_is_retried_is_back_in_the_list(client, workspace):
    campaign = over(workspace, name="again")
    shelf.archive(campaign, by=None)

    assert operations.retry_failed(campaign, by=None) == 1

    campaign.refresh_from_db()
    assert (campaign.status, campaign.archived_at) == (Status.SENDING, None)
    assert shown(client) == ["again"]


def test_archiving_twice_is_told_once(workspace):
    campaign = over(workspace)

    shelf.archive(campaign, by=None)
    shelf.archive(campaign, by=None)

    assert AuditEntry.objects.filter(verb="archive").count() == 1
    assert campaign.history.filter(reason="archived").count() == 1


@pytest.mark.parametrize("role", [Role.VIEWER, Role.EDITOR])
def test_archiving_is_for_those_who_send(client, workspace, role):
    campaign = over(workspace)
    client.force_login(make_member(workspace, role))

    assert client.post(reverse("archive", args=[campaign.pk])).status_code == 403
    assert 'id="archive"' not in client.get(reverse("campaign", args=[campaign.pk])).content.decode()
