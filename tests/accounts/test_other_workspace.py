"""What was typed on a page of one workspace never lands in another."""

import re
from pathlib import Path

import pytest
from django.conf import settings
from django.urls import reverse

from accounts.models import Membership, Role
from people.models import Recipient
from tests.make import make_campaign, make_member, make_workspace

pytestmark = pytest.mark.django_db
HERE = {"Sec-Fetch-Site": "same-origin"}
GRACE = {"email": "grace@example.com"}
# Forms of the way in and out, of the own account, and the one that leads from one workspace to another.
OF_NO_WORKSPACE = {
    *("_top.html", "accounts/other_workspace.html", "accounts/join.html", "accounts/account.html"),
    *("accounts/change_password.html", "accounts/new_recovery_codes.html", "accounts/new_workspace.html"),
    *("accounts/two_factor.html", "accounts/two_factor_off.html"),
}


@pytest.fixture
def acme():
    return make_workspace("Acme")


@pytest.fixture
def bolt():
    return make_workspace("Bolt")


@pytest.fixture
def ann(acme, bolt, client):
    """An owner of both, who works in Bolt."""
    user = make_member(acme, Role.OWNER, email="ann@example.com")
    Membership.objects.create(workspace=bolt, user=user, role=Role.OWNER)
    client.force_login(user)
    work_in(client, bolt)
    return user


def work_in(client, workspace) -> None:
    client.post(reverse("switch-workspace"), {"workspace": workspace.pk})


def drawn(client, name: str) -> dict:
    """The hidden fields of the page."""
    page = client.get(reverse(name)).content.decode().split("<main")[1]
    return dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', page))


def test_a_page_says_for_which_workspace_it_was_drawn(client, ann, bolt):
    assert drawn(client, "person-new")["workspace"] == str(bolt.pk)
    assert f'"X-Workspace": "{bolt.pk}"' in client.get(reverse("person-new")).content.decode()
    assert client.post(reverse("person-new"), drawn(client, "person-new") | GRACE).status_code == 302


def test_what_was_typed_for_another_tab_is_refused_and_kept(client, ann, acme, bolt):
    page = drawn(client, "person-new")
    work_in(client, acme)

    answer = client.post(reverse("person-new"), page | GRACE, headers=HERE)

    html = answer.content.decode()
    assert answer.status_code == 409
    assert "This page belongs to Bolt; you are working in Acme now." in html
    assert 'name="email" hidden>\ngrace@example.com' in html
    assert not Recipient.objects.exists()
    work_in(client, bolt)
    assert client.post(reverse("person-new"), page | GRACE, headers=HERE).status_code == 302
    assert Recipient.objects.get().workspace == bolt


def test_settings_of_one_workspace_are_not_saved_over_those_of_another(client, ann, acme, bolt):
    page = drawn(client, "settings") | {"name": "Bolt", "time_zone": "UTC", "retry_policy": 2}
    work_in(client, acme)

    assert client.post(reverse("settings"), page).status_code == 409

    acme.refresh_from_db()
    assert (acme.name, acme.retry_policy) == ("Acme", 1)


@pytest.mark.parametrize("says", [True, False])
def test_after_a_removal_nothing_falls_into_another_workspace(client, ann, bolt, says):
    page = drawn(client, "person-new") if says else {}
    bolt.memberships.all().delete()

    answer = client.post(reverse("person-new"), page | GRACE, headers=HERE)

    html = answer.content.decode()
    assert answer.status_code == 409
    assert "in which you no longer work" in html
    assert "grace@example.com" in html
    assert "Bolt" not in html.split("<main")[1]
    assert not Recipient.objects.exists()
    assert client.post(reverse("person-new"), drawn(client, "person-new") | GRACE).status_code == 302


def test_a_button_of_a_live_page_is_refused_in_a_sentence(client, ann, acme, bolt):
    campaign = make_campaign(acme)
    headers = {"HX-Request": "true", "X-Workspace": str(bolt.pk)}
    work_in(client, acme)

    answer = client.post(reverse("pause", args=[campaign.pk]), headers=headers)

    assert answer.status_code == 409
    assert "data-says>Nothing was saved. This page belongs to Bolt" in answer.content.decode()


def test_the_name_of_a_strange_workspace_is_not_told(client, ann):
    other = make_workspace("Secret Ltd")

    answer = client.post(reverse("person-new"), GRACE | {"workspace": other.pk})

    assert answer.status_code == 409
    assert "Secret" not in answer.content.decode()


def test_the_own_account_is_open_from_every_page(client, ann, acme):
    page = {"X-Workspace": "0"}

    assert client.post(reverse("account"), {"name": "Ann"}, headers=page).status_code == 302
    assert client.post(reverse("switch-workspace"), {"workspace": acme.pk}, headers=page).status_code == 302
    assert client.post(reverse("logout"), headers=page).status_code == 302


def test_every_form_behind_the_login_carries_its_workspace():
    root = Path(settings.BASE_DIR) / "templates"
    bare = {str(path.relative_to(root)) for path in root.rglob("*.html") if "{% csrf_token %}" in path.read_text()}

    assert {name for name in bare if not name.startswith(("registration/", "admin/"))} == OF_NO_WORKSPACE
