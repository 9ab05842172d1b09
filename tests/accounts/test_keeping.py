"""What somebody typed is never lost to a session that ended or began anew."""

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import Role
from tests.make import make_campaign, make_member, make_workspace

pytestmark = pytest.mark.django_db

TYPED = {
    "name": "Spring",
    "channel": "email",
    "subject": "Hello",
    "body": "\r\nDear <all>",
    "audience": "some",
    "then": "check",
}
HERE = {"Sec-Fetch-Site": "same-origin"}


@pytest.fixture
def ann():
    return make_member(make_workspace("Acme"), Role.EDITOR, name="Ann")


@pytest.fixture
def strict():
    return Client(enforce_csrf_checks=True)


def test_a_form_somebody_is_writing_in_stays_where_it_is_when_the_session_ends(client):
    headers = {"HX-Request": "true", "HX-Current-URL": "http://testserver/campaigns/new/", "X-Stays": "true"}

    for answer in (
        client.post(reverse("campaign-preview"), TYPED, headers=headers, follow=True),
        client.get(reverse("campaign-pick"), {"q": "a"}, headers=headers, follow=True),
    ):
        assert answer.status_code == 401
        assert "HX-Redirect" not in answer.headers
        assert answer.content == b""


def test_the_fragments_of_the_campaign_form_ask_to_stay(client, ann):
    client.force_login(ann)

    html = client.get(reverse("campaign-new")).content.decode()

    assert """hx-headers='{"X-Stays": "true"}'""" in html


def test_saved_after_the_session_ended_the_text_comes_back_on_a_page_that_can_save_it(client, ann):
    campaign = make_campaign(ann.workspaces.get())
    address = reverse("campaign-edit", args=[campaign.pk])

    answer = client.post(address, TYPED, headers=HERE)

    html = answer.content.decode()
    assert answer.status_code == 401
    assert f'action="{address}"' in html
    assert '<textarea name="body" hidden>\n\r\nDear &lt;all&gt;</textarea>' in html
    assert '<textarea name="then" hidden>\ncheck</textarea>' in html
    assert "Save it now" in html
    campaign.refresh_from_db()
    assert campaign.name != "Spring"


def test_saved_with_the_token_of_an_old_login_the_text_comes_back_with_a_fresh_one(strict, ann):
    strict.force_login(ann)
    old = TYPED | {"csrfmiddlewaretoken": "x" * 64}

    answer = strict.post(reverse("campaign-new"), old, headers=HERE)

    html = answer.content.decode()
    assert answer.status_code == 403
    assert "Save it now" in html
    assert "x" * 64 not in html
    token = html.split('name="csrfmiddlewaretoken" value="')[-1].split('"')[0]
    again = strict.post(reverse("campaign-new"), TYPED | {"csrfmiddlewaretoken": token}, headers=HERE)
    assert again.status_code == 302
    assert ann.workspaces.get().campaigns.get().name == "Spring"


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site", "Origin": "http://testserver"},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Referer": "http://testserver.evil.example/"},
        {},
    ],
)
@pytest.mark.parametrize("logged_in", [True, False])
def test_what_another_site_posted_is_never_offered_to_be_saved(strict, ann, headers, logged_in):
    if logged_in:
        strict.force_login(ann)

    answer = strict.post(reverse("campaign-new"), TYPED, headers=headers)

    assert answer.status_code == 403
    assert b"Save it now" not in answer.content


def test_only_forms_are_kept_and_no_button_that_does_something(strict, ann):
    strict.force_login(ann)
    campaign = make_campaign(ann.workspaces.get())

    answer = strict.post(reverse("campaign-delete", args=[campaign.pk]), {"x": "y"}, headers=HERE)

    assert answer.status_code == 403
    assert b"Save it now" not in answer.content


@pytest.mark.parametrize("name", ["campaign-new", "person-new", "group-new", "import-new"])
def test_the_pages_of_forms_are_kept_by_the_browser_and_shown_to_no_stranger(client, ann, name):
    assert client.get(reverse(name)).headers["Location"] == f"{reverse('login')}?next={reverse(name)}"

    client.force_login(ann)

    assert "no-store" not in client.get(reverse(name)).headers.get("Cache-Control", "")


def test_the_account_menu_is_called_by_what_it_shows(client, ann):
    client.force_login(ann)

    assert 'aria-label="Acme · Ann, your account"' in client.get(reverse("people")).content.decode()
