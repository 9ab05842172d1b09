"""An admin in a real browser: a mail server set up, tried and used; and a bad day rehearsed."""

import re

import pytest
from playwright.sync_api import Browser, Page, expect

from accounts.models import Role
from campaigns.models import Campaign
from dispatcher import choose
from dispatcher.books import books_of
from people.channels import Channel
from tests.browser.conftest import log_in
from tests.dispatcher.mail_server import HERE, mail_server
from tests.house import House
from tests.make import make_campaign, make_member, make_workspace

pytestmark = pytest.mark.filterwarnings("ignore:Requiring AUTH")
IN_TIME = 60_000  # milliseconds for all of it to be sent


@pytest.fixture
def ann(transactional_db):
    return make_member(make_workspace("Acme Kenya"), Role.OWNER, email="ann@example.com", name="Ann")


@pytest.fixture
def page(chromium: Browser, house: House, ann) -> Page:
    return log_in(chromium.new_context().new_page(), house.address)


def choose_mail_server(page: Page, house: House, port: int, password: str) -> None:
    page.goto(f"{house.address}/settings/senders/")
    page.get_by_role("link", name="Change the sender of email").click()
    page.get_by_role("link", name="Mail server (SMTP)").click()
    page.get_by_label("Sender’s name").fill("Acme Kenya")
    page.get_by_label("Sender’s address").fill("news@acme.example")
    page.get_by_label("Mail server", exact=True).fill(HERE)
    page.get_by_label("Port").fill(str(port))
    page.get_by_label("Encryption").select_option("none")
    page.get_by_label("User name").fill("ann")
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Email goes out by Mail server (SMTP) from now on.")).to_be_visible()


def send(page: Page, house: House, campaign: Campaign) -> None:
    page.goto(f"{house.address}/campaigns/{campaign.pk}/check/")
    page.get_by_role("button", name=re.compile("^Send ")).first.click()
    expect(page).to_have_url(f"{house.address}/campaigns/{campaign.pk}/")


def test_a_mail_server_is_chosen_tried_and_used(page, house, ann):
    campaign = make_campaign(ann.workspaces.get(), people=25, body="Hi {first_name}, everything is 20 % off.")
    with mail_server(password="sesame") as sink:
        choose_mail_server(page, house, sink.port, "wrong")
        page.get_by_role("button", name="Send a test by email").click()
        expect(page.get_by_text("The server refused the password: check user name and password.")).to_be_visible()

        choose_mail_server(page, house, sink.port, "sesame")
        page.get_by_role("button", name="Send a test by email").click()
        expect(page.get_by_text("The test to ann@example.com was accepted.")).to_be_visible()
        assert sink.recipients == ["ann@example.com"]

        send(page, house, campaign)
        expect(page.locator("#content").get_by_text("Finished.")).to_be_visible(timeout=IN_TIME)

    assert sorted(sink.recipients[1:]) == sorted(campaign.workspace.recipients.values_list("email", flat=True))
    assert books_of(campaign).sent == 25


def test_a_bad_day_is_rehearsed_and_ends(page, house, ann):
    workspace = ann.workspaces.get()
    campaign = make_campaign(workspace, people=120, channel=Channel.SMS, subject="")
    perfect = {"profile": "perfect", "seed": 1, "honours_keys": True, "retry_after": 1}
    nothing = dict.fromkeys(("busy", "hang", "drop", "garbage"), 0)
    choose.choose(
        workspace,
        Channel.SMS,
        sender="simulated",
        from_name="",
        from_address="",
        limit=None,
        options=perfect | nothing,
        by=ann,
    )
    page.goto(f"{house.address}/settings/senders/")
    page.get_by_role("button", name="Begin an outage").click()
    expect(page.locator("#outage-left")).to_contain_text("The simulated provider is down")

    send(page, house, campaign)
    expect(page.get_by_text("The sender cannot be reached.")).to_be_visible()
    expect(page.get_by_text("503 Service Unavailable: an outage is rehearsed")).to_be_visible()
    assert books_of(campaign).pending == 120

    watching = page.context.new_page()
    watching.goto(f"{house.address}/settings/senders/")
    watching.get_by_role("button", name="End the outage now").click()
    expect(watching.get_by_text("The outage is over.").first).to_be_visible()
    expect(page.locator("#content").get_by_text("Finished.")).to_be_visible(timeout=IN_TIME)
    assert books_of(campaign).sent == 120


def test_an_outage_counts_down_and_ends_by_itself(page, house, ann, monkeypatch):
    monkeypatch.setattr(choose, "OUTAGE_SECONDS", 8)
    page.goto(f"{house.address}/settings/senders/")
    choose.begin_outage(ann.workspaces.get(), by=ann)
    page.reload()
    expect(page.locator("#outage-left")).to_contain_text("The simulated provider is down")
    expect(page.locator("#outage-left")).to_have_text("The simulated provider answers.")
