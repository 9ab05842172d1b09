"""The way in and out."""

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import Role
from tests.make import make_campaign, make_member, make_user, make_workspace

pytestmark = pytest.mark.django_db

PASSWORD = "a-long-enough-password"


@pytest.fixture
def ann():
    return make_member(make_workspace("Acme"), Role.MARKETER, email="ann@example.com", name="Ann", password=PASSWORD)


def log_in(browser, **changes):
    return browser.post(reverse("login"), {"username": "ann@example.com", "password": PASSWORD} | changes)


def logged_in(browser):
    return "_auth_user_id" in browser.session


@pytest.mark.parametrize("email", ["ann@example.com", "ANN@Example.com", " ann@example.com "])
def test_an_email_address_in_any_case_and_the_password_open_the_door(ann, client, email):
    answer = log_in(client, username=email)

    assert answer.headers["Location"] == reverse("campaigns")
    assert logged_in(client)


def test_a_wrong_password_and_an_unknown_address_get_the_same_answer(ann, client):
    wrong = log_in(client, password="wrong").content.decode()
    unknown = log_in(client, username="ben@example.com").content.decode()

    assert "do not go together" in wrong
    assert "do not go together" in unknown
    assert not logged_in(client)


@pytest.mark.parametrize("typed", [{"username": ""}, {"username": "ann"}, {"password": ""}, {"username": "a\x00@b.c"}])
def test_what_is_missing_or_mistyped_is_told_in_a_sentence(ann, client, typed):
    answer = log_in(client, **typed)

    assert answer.status_code == 200
    assert 'class="error"' in answer.content.decode()


@pytest.mark.parametrize(
    "next_page", ["//evil.example/", "https://evil.example/", "javascript:alert(1)", "/\\evil.example"]
)
def test_logging_in_never_leads_to_another_site(ann, client, next_page):
    assert log_in(client, next=next_page).headers["Location"] == reverse("campaigns")


def test_logging_in_leads_on_to_the_page_asked_for(ann, client):
    wanted = reverse("campaign-new")

    sent_to = client.get(wanted).headers["Location"]
    answer = log_in(client, next=wanted)

    assert sent_to == f"{reverse('login')}?next={wanted}"
    assert answer.headers["Location"] == wanted


def test_a_fragment_asked_for_without_a_session_sends_its_whole_page_to_the_login(client):
    address = "http://testserver/campaigns/7/edit/?x=1"
    headers = {"HX-Request": "true", "HX-Current-URL": address}

    answer = client.get(reverse("campaign-pick"), headers=headers, follow=True)

    assert answer.headers["HX-Redirect"] == f"{reverse('login')}?next=/campaigns/7/edit/%3Fx%3D1"
    assert b"<form" not in answer.content


def test_a_fragment_cannot_send_the_login_on_to_another_site(client):
    headers = {"HX-Request": "true", "HX-Current-URL": "https://evil.example/x"}

    answer = client.get(reverse("login"), headers=headers)

    assert "evil" not in answer.headers["HX-Redirect"]


def test_logging_out_takes_a_press_of_the_button(ann, client):
    client.force_login(ann)

    assert client.get(reverse("logout")).status_code == 405
    assert logged_in(client)
    assert client.post(reverse("logout")).headers["Location"] == reverse("login")
    assert not logged_in(client)


@pytest.mark.parametrize("name", ["campaign-new", "campaign-preview", "campaign-pick"])
def test_nothing_is_shown_to_strangers(client, name):
    assert client.get(reverse(name)).headers["Location"].startswith(reverse("login"))


def test_a_press_without_the_token_of_the_page_changes_nothing(ann):
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(ann)
    campaign = make_campaign(ann.workspaces.get())

    answer = browser.post(reverse("campaign-delete", args=[campaign.pk]))

    assert answer.status_code == 403
    assert "This page had grown too old" in answer.content.decode()
    campaign.refresh_from_db()


def test_a_user_without_a_workspace_is_told_whom_to_ask(client):
    client.force_login(make_user())

    answer = client.get(reverse("campaign-new"))

    assert answer.status_code == 403
    assert "ask an owner to invite you" in answer.content.decode()


def test_a_changed_password_ends_every_other_session(ann, client):
    client.force_login(ann)
    ann.set_password("another-long-password")
    ann.save(update_fields=["password"])

    assert client.get(reverse("campaign-new")).status_code == 302
