"""From the first word to the test in the inbox: read as anybody, tried out, and run dry, by keyboard and by mouse."""

from django.urls import reverse
from playwright.sync_api import expect

from accounts.models import Role
from dispatcher.models import DryRun, Message, Trial
from tests.browser.conftest import log_in
from tests.make import make_campaign, make_member, make_recipient, make_workspace


def test_a_campaign_is_read_as_anybody_tried_out_and_run_dry(chromium, house):
    workspace = make_workspace("Acme Kenya")
    make_member(workspace, Role.EDITOR, email="ann@example.com")
    for name in ("Alice", "Brian", "Bartholomew"):
        make_recipient(workspace, first_name=name)
    make_recipient(workspace, first_name="Olga", opted_out=True)
    campaign = make_campaign(workspace, subject="Hi {first_name}", body="Dear {first_name}, hello.")
    page = log_in(chromium.new_page(), house.address)

    page.goto(f"{house.address}{reverse('check', args=[campaign.pk])}")
    following = page.get_by_role("link", name="Next person")
    following.focus()
    page.keyboard.press("Enter")
    expect(page.locator("#reading .bubble")).to_contain_text("Dear Brian")
    page.keyboard.press("Enter")  # the cursor stays where it was
    expect(page.locator("#reading")).to_contain_text("3 of 3")
    page.get_by_label("Search whose text is shown").fill("ali")
    page.locator("#reading-found").get_by_role("link", name="Alice").click()
    expect(page.locator("#reading .bubble")).to_contain_text("Dear Alice")
    expect(page.locator(".htmx-request, .htmx-settling, .htmx-added")).to_have_count(0)
    page.get_by_label("Which people first").select_option("longest")
    expect(page.locator("#reading .bubble")).to_contain_text("Dear Bartholomew")

    page.get_by_role("link", name="Send a test of this").click()
    page.get_by_role("button", name="Send the test").click()
    expect(page.locator("#sent")).to_contain_text("ann@example.com")
    assert Trial.objects.count() == 1

    page.goto(f"{house.address}{reverse('dry_run', args=[campaign.pk])}")
    page.get_by_role("button", name="Start the dry run").click()
    expect(page.locator("#dry-run")).to_contain_text("people would get a message, of 4 chosen")
    expect(page.get_by_role("button", name="Run it again")).to_be_enabled()
    assert (DryRun.objects.count(), Message.objects.count()) == (1, 0)

    page.goto(f"{house.address}{reverse('campaign-edit', args=[campaign.pk])}")
    page.get_by_label("Search whose text is shown").fill("brian")
    page.locator("#readers-found .match").click()
    expect(page.locator("#preview")).to_contain_text("As Brian reads it")
    page.locator("#body").fill("Good morning, {first_name}!")
    expect(page.locator("#preview")).to_contain_text("Good morning, Brian!")
    page.get_by_role("button", name="Next person").click()
    expect(page.locator("#preview")).to_contain_text("Good morning, Bartholomew!")
    page.close()
