"""Workspaces: settings, a new one, and from one to another."""

import pytest
from django.core.exceptions import PermissionDenied
from django.test import Client
from django.urls import reverse

from accounts import workspaces
from accounts.forms import RETRY_WORDS
from accounts.models import AuditEntry, Membership, Role, Workspace
from dispatcher.verdicts import WAITS
from tests.make import make_campaign, make_member, make_user, make_workspace

pytestmark = pytest.mark.django_db

SETTINGS = {"name": "Acme", "time_zone": "Africa/Nairobi", "retry_policy": 1}


@pytest.fixture
def acme():
    return make_workspace("Acme", time_zone="UTC")


@pytest.fixture
def admin(acme):
    return make_member(acme, Role.ADMIN, name="Adam")


def browser_of(user) -> Client:
    browser = Client()
    browser.force_login(user)
    return browser


def test_an_admin_changes_the_settings_and_the_log_says_what(admin, acme):
    answer = browser_of(admin).post(reverse("settings"), SETTINGS | {"name": "Acme Kenya", "retry_policy": 2})

    acme.refresh_from_db()
    assert answer.headers["Location"] == reverse("settings")
    assert (acme.name, acme.time_zone, acme.retry_policy) == ("Acme Kenya", "Africa/Nairobi", 2)
    changes = AuditEntry.objects.get().changes
    assert changes["name"] == ["Acme", "Acme Kenya"] and changes["time_zone"] == ["UTC", "Africa/Nairobi"]


def test_saving_what_is_set_already_writes_nothing(admin, acme):
    browser_of(admin).post(reverse("settings"), SETTINGS | {"time_zone": "UTC"})

    assert not AuditEntry.objects.exists()


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("africa/nairobi", "Africa/Nairobi"),
        (" America/New York ", "America/New_York"),
        ("Berlin", "Europe/Berlin"),
        ("new york", "America/New_York"),
    ],
)
def test_a_time_zone_may_be_typed_as_people_write_it(admin, acme, typed, kept):
    browser_of(admin).post(reverse("settings"), SETTINGS | {"time_zone": typed})

    acme.refresh_from_db()
    assert acme.time_zone == kept


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"time_zone": "Narobi"}, "There is no such time zone. Did you mean Africa/Nairobi"),
        ({"time_zone": "Louisville"}, "Did you mean America/Kentucky/Louisville or America/Louisville?"),
        ({"time_zone": "../etc/passwd"}, "There is no such time zone"),
        ({"time_zone": ""}, "Choose a time zone"),
        ({"name": " "}, "Give the workspace a name"),
        ({"retry_policy": 9}, "Select a valid choice"),
    ],
)
def test_what_makes_no_sense_is_told_in_a_sentence(admin, acme, changes, sentence):
    answer = browser_of(admin).post(reverse("settings"), SETTINGS | changes)

    assert answer.status_code == 422
    assert sentence in answer.content.decode()
    acme.refresh_from_db()
    assert acme.time_zone == "UTC"


def test_the_words_of_a_retry_policy_are_what_it_does():
    for value, words in RETRY_WORDS:
        waits = WAITS[value]
        tries = "one try" if not waits else f"{len(waits) + 1} tries"
        assert tries in words
        assert all(str(wait) in words for wait in waits)


def test_who_has_no_second_factor_cannot_demand_it_and_shut_himself_out(admin, acme):
    answer = browser_of(admin).post(reverse("settings"), SETTINGS | {"requires_two_factor": "on"})

    assert answer.status_code == 422
    assert "Set up two-factor login in your own account first" in answer.content.decode()
    acme.refresh_from_db()
    assert not acme.requires_two_factor


def test_whoever_makes_a_workspace_owns_it_and_works_in_it(admin, client):
    client.force_login(admin)

    client.post(reverse("workspace-new"), {"name": "Beta", "time_zone": "Europe/Berlin"})

    beta = Workspace.objects.get(name="Beta")
    assert Membership.objects.get(workspace=beta).role == Role.OWNER
    assert client.get(reverse("campaigns")).status_code == 200
    assert AuditEntry.objects.get().workspace_id == beta.pk


@pytest.mark.parametrize("role", [None, Role.VIEWER, Role.EDITOR, Role.MARKETER])
def test_only_who_manages_some_workspace_makes_another(acme, role):
    user = make_member(acme, role) if role else make_user()
    browser = browser_of(user)

    assert browser.get(reverse("workspace-new")).status_code == 403
    assert browser.post(reverse("workspace-new"), {"name": "Beta", "time_zone": "UTC"}).status_code == 403
    with pytest.raises(PermissionDenied):
        workspaces.make_workspace("Beta", "UTC", by=user)
    assert reverse("workspace-new") not in browser.get(reverse("account")).content.decode()
    assert not Workspace.objects.filter(name="Beta").exists()


def test_a_superuser_and_who_manages_another_workspace_are_shown_the_way_to_a_new_one(acme):
    viewer = make_member(acme, Role.VIEWER)
    Membership.objects.create(workspace=make_workspace("Second"), user=viewer, role=Role.ADMIN)

    for user in (viewer, make_user(is_superuser=True)):
        assert reverse("workspace-new") in browser_of(user).get(reverse("account")).content.decode()
        assert browser_of(user).get(reverse("workspace-new")).status_code == 200


def test_the_menu_leads_from_one_workspace_to_another(admin, acme):
    beta = make_workspace("Beta")
    Membership.objects.create(workspace=beta, user=admin, role=Role.VIEWER)
    make_campaign(acme, name="Of Acme")
    make_campaign(beta, name="Of Beta")
    browser = browser_of(admin)

    assert "Of Acme" in browser.get(reverse("campaigns")).content.decode()
    browser.post(reverse("switch-workspace"), {"workspace": beta.pk})
    html = browser.get(reverse("campaigns")).content.decode()

    assert "Of Beta" in html and "Of Acme" not in html
    assert 'aria-current="true">Beta</button>' in html
    assert reverse("settings") not in html  # a viewer there


@pytest.mark.parametrize("asked", ["theirs", "", "x", "99999999999999999999999"])
def test_nobody_switches_to_a_workspace_of_others(admin, acme, asked):
    theirs = make_workspace("Theirs")
    browser = browser_of(admin)

    answer = browser.post(reverse("switch-workspace"), {"workspace": theirs.pk if asked == "theirs" else asked})

    assert answer.status_code == 403
    assert "Acme" in browser.get(reverse("people")).content.decode()


def test_who_is_in_one_workspace_is_shown_no_switch(admin):
    assert reverse("switch-workspace") not in browser_of(admin).get(reverse("people")).content.decode()


def test_who_is_shut_out_of_one_workspace_by_its_rule_can_go_on_in_another(admin, acme):
    beta = make_workspace("Beta")
    Membership.objects.create(workspace=beta, user=admin, role=Role.OWNER)
    Workspace.objects.filter(pk=acme.pk).update(requires_two_factor=True)
    browser = browser_of(admin)

    page = browser.get(reverse("campaigns"), follow=True)
    assert page.request["PATH_INFO"] == reverse("two-factor")
    assert reverse("switch-workspace") in page.content.decode()
    browser.post(reverse("switch-workspace"), {"workspace": beta.pk})

    assert browser.get(reverse("campaigns")).status_code == 200
