"""Attention in a real browser: failures by a real provider's rules appear, and leave by what is pressed."""

from collections.abc import Iterator

import pytest
from django.conf import settings
from django.urls import reverse
from playwright.sync_api import Page, expect

from accounts.models import Role
from campaigns.models import Campaign
from dispatcher import engine, operations, senders
from dispatcher.senders.parcel import Busy, Refused, Unsure
from tests.browser.conftest import log_in
from tests.dispatcher.scripted import Script
from tests.make import make_campaign, make_member, make_workspace


@pytest.fixture
def provider(monkeypatch) -> Script:
    provider = Script(honours_keys=False)
    monkeypatch.setitem(senders.SENDERS, "scripted", provider)
    monkeypatch.setattr(settings, "SENDERS", dict.fromkeys(("email", "sms", "whatsapp"), "scripted"))
    return provider


@pytest.fixture
def campaign(transactional_db, provider) -> Campaign:
    """Over: two could not be handed over, one has no mailbox, one is unknown, two were sent."""
    workspace = make_workspace("Acme Kenya")
    make_member(workspace, Role.MARKETER, email="ann@example.com", name="Ann")
    campaign = make_campaign(workspace, people=6, name="Spring launch")
    answers = [Busy("503", category="provider_down")] * 2 + [Refused("550", category="bounced"), Unsure("no answer")]
    for person, answer in zip(workspace.recipients.order_by("pk"), answers, strict=False):
        provider.answers[person.email] = [answer]
    operations.launch(campaign, by=None)
    engine.work(seconds=6)
    campaign.refresh_from_db()
    return campaign


@pytest.fixture
def page(chromium, campaign, web) -> Iterator[Page]:
    """The attention page of a marketer, drawn by a real server."""
    window = chromium.new_context(base_url=web)
    page = log_in(window.new_page(), web)
    page.goto(reverse("attention"))
    yield page
    window.close()


def test_what_failed_is_tried_again_dismissed_and_put_back(page, campaign):
    count = page.locator("#attention-count b")
    dead, unknown = page.locator(f"#dead-{campaign.pk}"), page.locator(f"#unknown-{campaign.pk}")
    expect(count).to_have_text("2")
    expect(dead).to_contain_text("3 failed.")

    dead.get_by_role("button", name="Retry 2").click()
    expect(dead).to_contain_text("1 failed.")
    expect(page.locator("#toasts")).to_contain_text("Trying 2 messages again.")

    unknown.get_by_role("button", name="Assume delivered").click()
    expect(unknown).to_have_count(0)
    expect(count).to_have_text("1")

    dead.get_by_role("link", name="Dismiss…").click()
    page.get_by_role("button", name="Dismiss").click()
    expect(page.get_by_text("1 dismissed by Ann")).to_be_visible()
    expect(count).to_have_count(0)

    page.get_by_role("button", name="Put back").click()
    expect(page.get_by_text("Mailbox does not exist")).to_be_visible()
    expect(count).to_have_text("1")


def test_number_rooms_and_name_are_whole_at_every_width(page):
    count = page.locator("#attention-count b")
    expect(count).to_have_text("2")
    count.evaluate("count => { count.textContent = '99+' }")  # the widest it gets

    for width in (320, 375, 768, 961, 1101):
        page.set_viewport_size({"width": width, "height": 800})

        cut = page.evaluate("""() => [...document.querySelectorAll(".top nav, .top .who")]
            .filter(e => e.scrollWidth > e.clientWidth).map(e => e.innerText)""")
        assert (width, cut) == (width, [])


def test_the_list_freshens_by_itself_and_keeps_the_focus(page, campaign):
    button = page.locator(f"#unknown-{campaign.pk}").get_by_role("button", name="Assume delivered")
    button.focus()

    operations.retry_failed(campaign, by=None)

    expect(page.locator(f"#dead-{campaign.pk}")).to_have_count(0)
    expect(page.locator("#attention-count b")).to_have_text("1")
    expect(button).to_be_focused()


def test_the_queue_freshens_by_itself_and_a_table_stays_open(page, campaign):
    page.goto(reverse("queue"))
    page.get_by_text("As a table").click()
    expect(page.get_by_text("Nothing is being sent")).to_be_visible()

    operations.retry_failed(campaign, by=None)

    expect(page.locator("#queue")).to_contain_text("Spring launch")
    expect(page.locator("details.fold")).to_have_attribute("open", "")
