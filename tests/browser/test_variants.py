"""Two variants in a real browser: set up, written, watched while they are sent, and the better one sent to the rest."""

from django.urls import reverse
from playwright.sync_api import expect

from accounts.models import Role
from campaigns.models import Split
from dispatcher import operations
from tests.browser.conftest import log_in
from tests.make import make_campaign, make_member, make_workspace


def test_the_winner_of_two_variants_is_sent_to_those_who_wait(chromium, house):
    workspace = make_workspace("Acme Kenya")
    make_member(workspace, Role.OWNER, email="ann@example.com", name="Ann")
    campaign = make_campaign(workspace, people=120, subject="Spring is here", body="Hello {first_name}")
    page = log_in(chromium.new_page(), house.address)

    page.goto(house.address + reverse("campaign", args=[campaign.pk]))
    page.get_by_role("link", name="Variants").click()
    page.get_by_label("Get a variant at once, in percent").fill("50")
    page.get_by_role("button", name="Save variants").click()
    page.get_by_label("Subject").fill("20 % off")
    expect(page.locator("#preview")).to_contain_text("20 % off")
    page.get_by_role("button", name="Save Variant B").click()
    expect(page.get_by_text("20 % off")).to_be_visible()

    operations.launch(campaign, by=None)
    page.goto(house.address + reverse("campaign", args=[campaign.pk]))
    expect(page.get_by_text("Waiting for the winner.")).to_be_visible()
    expect(page.get_by_text("Too few to tell")).to_be_visible()
    page.get_by_role("link", name="Send B…").click()
    page.get_by_role("button", name="Send B to the other").click()

    expect(page.locator("[id$=-variants]")).to_contain_text("B was chosen for the other")
    expect(page.locator("[id$=-badge]")).to_contain_text("Sent")
    assert Split.of(campaign).winner == 2
