"""Send, undo, send again, in a real browser: nobody gets anything before the seconds are over, then everybody once."""

from collections import Counter

import pytest
from playwright.sync_api import Browser, Page, expect

from accounts.models import Role
from campaigns.models import Campaign
from simulator.models import Call
from tests.browser.conftest import log_in
from tests.house import House
from tests.make import make_campaign, make_member, make_workspace

SECONDS = 4


@pytest.fixture
def campaign(transactional_db) -> Campaign:
    workspace = make_workspace("Acme Kenya", undo_seconds=SECONDS, typed_above=10)
    make_member(workspace, Role.MARKETER, email="ann@example.com", name="Ann")
    return make_campaign(workspace, people=20, name="Spring")


def send(page: Page, number: str) -> None:
    page.get_by_role("textbox", name="Type how many people get it").fill(number)
    page.get_by_role("button", name="Send 20 emails").click()


def test_what_was_sent_is_undone_in_time_and_sent_again(chromium: Browser, house: House, campaign: Campaign):
    page = log_in(chromium.new_context().new_page(), house.address)
    page.goto(f"{house.address}/campaigns/{campaign.pk}/check/")

    send(page, "21")
    expect(page.get_by_text("You typed “21”, but 20 people get it. Type how many people get it: 20.")).to_be_visible()
    send(page, "20")
    expect(page.get_by_text("It goes out in 4 seconds. Until then you can undo it.")).to_be_visible()
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_text("Undone: nobody got anything. It is a draft again.")).to_be_visible()
    page.wait_for_timeout(1000 * (SECONDS + 2))
    assert not Call.objects.exists()

    page.get_by_role("link", name="Check and send").click()
    send(page, "2 0")
    expect(page.locator("[id$=-why] b")).to_have_text("Starts in 3 s.")
    expect(page.locator("[id$=-why] b")).to_have_text("Starts in 1 s.")
    assert not Call.objects.exists()
    expect(page.get_by_role("button", name="Undo")).not_to_be_visible()
    expect(page.locator("[id$=-badge]")).to_contain_text("Sent")

    accepted = Counter(Call.objects.filter(accepted=True).values_list("address", flat=True))
    assert len(accepted) >= 15 and set(accepted.values()) == {1}
    assert house.manage("audit").returncode == 0
