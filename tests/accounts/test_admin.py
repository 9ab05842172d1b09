"""The back office: what it shows, and what it leaves to those who own it."""

import pytest
from django.urls import reverse

from accounts.models import ApiKey, User
from campaigns.models import Campaign
from tests.make import make_campaign, make_member, make_workspace

pytestmark = pytest.mark.django_db


@pytest.fixture
def office(client):
    client.force_login(User.objects.create_superuser("root@example.com", "a-long-enough-password"))
    return client


def test_every_list_and_form_opens(office):
    campaign = make_campaign(make_workspace(), people=1)
    key, _ = ApiKey.make(campaign.workspace, "till")
    rows = {
        "accounts_user": make_member(campaign.workspace),
        "accounts_workspace": campaign.workspace,
        "accounts_apikey": key,
        "campaigns_campaign": campaign,
    }

    for name, row in rows.items():
        assert office.get(reverse(f"admin:{name}_changelist"), {"q": "a"}).status_code == 200
        assert office.get(reverse(f"admin:{name}_change", args=[row.pk])).status_code == 200
    assert office.get(reverse("admin:accounts_user_add")).status_code == 200


def test_a_user_is_added_with_an_email_address(office):
    typed = {"email": "new@example.com", "name": "New", "usable_password": "true"}
    inlines = {f"memberships-{part}_FORMS": 0 for part in ("TOTAL", "INITIAL")}
    passwords = dict.fromkeys(("password1", "password2"), "a-long-enough-password")

    office.post(reverse("admin:accounts_user_add"), typed | passwords | inlines)

    assert User.objects.get(email="new@example.com").check_password("a-long-enough-password")


def test_the_digest_of_a_key_can_be_neither_changed_nor_made_here(office):
    key, _ = ApiKey.make(make_workspace(), "till")
    typed = {"name": "Till 2", "role": 1, "digest": "0" * 64, "prefix": "x"}

    office.post(reverse("admin:accounts_apikey_change", args=[key.pk]), typed)

    changed = ApiKey.objects.get(pk=key.pk)
    assert (changed.name, changed.digest, changed.prefix) == ("Till 2", key.digest, key.prefix)
    assert office.get(reverse("admin:accounts_apikey_add")).status_code == 403


def test_a_campaign_is_renamed_here_and_nothing_else_of_it_is_touched(office):
    campaign = make_campaign(body="Dear {first_name}")
    typed = {"name": "Renamed", "priority": 1, "status": Campaign.Status.SENT, "body": "{bogus}"}
    inlines = {f"history-{part}_FORMS": 0 for part in ("TOTAL", "INITIAL")}

    office.post(reverse("admin:campaigns_campaign_change", args=[campaign.pk]), typed | inlines)

    campaign.refresh_from_db()
    assert (campaign.name, campaign.priority) == ("Renamed", Campaign.Priority.URGENT)
    assert (campaign.status, campaign.body) == (Campaign.Status.DRAFT, "Dear {first_name}")
