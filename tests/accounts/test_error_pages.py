"""What is shown when something is wrong: what happened and what to do, never how the house is built."""

import pytest
from django.test import Client
from django.urls import reverse
from django.views import defaults

from accounts.models import Role
from tests.make import make_member, make_user, make_workspace

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("member", [True, False])
def test_a_page_that_is_not_there_leads_back(client, member):
    client.force_login(make_member() if member else make_user())

    answer = client.get("/nowhere/")

    assert answer.status_code == 404
    assert "There is nothing here" in answer.content.decode()


def test_strangers_get_the_same_page_without_the_way_around(client):
    html = client.get("/nowhere/").content.decode()

    assert "There is nothing here" in html
    assert "<nav" not in html


def test_a_role_that_may_not_is_told_so(client):
    client.force_login(make_member(role=Role.VIEWER))

    answer = client.get(reverse("campaign-new"))

    assert answer.status_code == 403
    assert "you cannot write" in answer.content.decode()


def test_a_member_who_is_lost_still_sees_where_he_works_and_what_needs_attention(client):
    workspace = make_workspace("Acme Kenya")
    client.force_login(make_member(workspace))

    html = client.get("/campaigns/999999/").content.decode()

    assert "Acme Kenya" in html and reverse("attention") in html


def test_a_sentence_about_a_role_says_who_may(client):
    client.force_login(make_member(make_workspace("Acme"), role=Role.EDITOR))

    html = client.get(reverse("settings")).content.decode()

    assert "As editor of Acme you cannot change settings and members: that takes an admin or an owner." in html


def test_a_fault_of_ours_shows_no_stack(rf):
    html = defaults.server_error(rf.get("/")).content.decode()

    assert "it is our fault" in html
    assert "Traceback" not in html


def test_a_request_that_cannot_be_understood_gets_a_page(rf):
    html = defaults.bad_request(rf.get("/"), ValueError("secret")).content.decode()

    assert "could not be understood" in html
    assert "secret" not in html


@pytest.mark.parametrize("name", ["login", "campaign-new"])
def test_no_page_holds_a_script_or_style_the_policy_would_refuse(name):
    browser = Client()
    if name != "login":
        browser.force_login(make_member())

    answer = browser.get(reverse(name))

    html = answer.content.decode()
    assert "default-src 'self'" in answer.headers["Content-Security-Policy"]
    for forbidden in (" style=", "<style", " onclick=", " hx-on", "javascript:", "<script>"):
        assert forbidden not in html
