"""A text message is counted while it is typed, in the words of the server, and written simpler by one press."""

import pytest
from django.urls import reverse
from playwright.sync_api import Page, expect

from accounts.models import Role, Workspace
from campaigns.counting import count_of
from people.channels import Channel
from people.models import ConsentSettings, Recipient
from tests.browser.conftest import log_in
from tests.make import make_member, make_recipient, make_workspace

TEXTS = [
    "",
    "Hi {first_name|there}, 50% off [today]",
    "a" * 152 + "€" + "a" * 152,
    "🙂" * 67,
    "Żółć\nund Grüße",
    "x" * 161 + " {unsubscribe_link}",
    "x" * 1601,
]


@pytest.fixture
def workspace(transactional_db) -> Workspace:
    workspace = make_workspace("Acme Kenya")
    make_member(workspace, Role.EDITOR, email="ann@example.com", name="Ann")
    make_recipient(workspace, first_name="Łukasz")
    return workspace


@pytest.fixture
def page(chromium, web, workspace) -> Page:
    page = log_in(chromium.new_page(), web)
    page.goto(web + reverse("campaign-new"))
    return choose_sms(page)


def choose_sms(page: Page) -> Page:
    page.get_by_text("SMS", exact=True).click()
    expect(page.locator("#counter[data-channel=sms]")).to_be_visible()
    return page


@pytest.mark.parametrize("has_link", [True, False])
def test_the_browser_counts_in_the_words_of_the_server(page, workspace, has_link):
    ConsentSettings.objects.update_or_create(workspace=workspace, defaults={"sms_link": has_link})
    page.reload()
    choose_sms(page)
    page.route("**/campaigns/preview/", lambda route: route.abort())

    for text in TEXTS:
        page.get_by_label("Text", exact=True).fill(text)
        told = count_of(workspace, Channel.SMS, text, Recipient.objects.all(), None).line
        expect(page.locator("#count")).to_have_text(told)


def test_one_press_writes_simple_characters_and_another_takes_it_back(page):
    field, count = page.get_by_label("Text", exact=True), page.locator("#count")
    field.fill("“It’s on” – {first_name|dear Zoë}…")
    expect(count).to_contain_text("UCS-2")

    page.get_by_role("button", name="Write simple characters instead").click()
    expect(field).to_have_value('"It\'s on" - {first_name|dear Zoe}...')
    expect(count).to_contain_text("GSM-7")
    expect(page.get_by_text("With people’s own words: no more parts for the one person")).to_be_visible()

    page.get_by_role("button", name="Take it back").click()
    expect(field).to_have_value("“It’s on” – {first_name|dear Zoë}…")
    expect(count).to_contain_text("UCS-2")

    page.get_by_role("button", name="Write simple characters instead").click()
    field.press("Control+z")
    expect(field).to_have_value("“It’s on” – {first_name|dear Zoë}…")
