"""Writing a campaign in another language, as a marketer does."""

from django.urls import reverse
from playwright.sync_api import expect

from accounts.models import Role
from people.models import AttributeName
from tests.browser.conftest import log_in
from tests.make import make_campaign, make_member, make_recipient, make_workspace


def test_a_language_that_people_speak_is_written_seen_as_one_of_them_and_listed(chromium, web):
    workspace = make_workspace()
    make_member(workspace, Role.MARKETER, email="ann@example.com")
    AttributeName.objects.create(workspace=workspace, name="language")
    make_recipient(workspace, first_name="Bob")
    make_recipient(workspace, first_name="Zoe", attributes={"language": "Ελληνικά"})
    campaign = make_campaign(workspace, subject="Hello", body="Dear {first_name}")
    page = log_in(chromium.new_page(), web)
    page.goto(web + reverse("campaign-edit", args=[campaign.pk]))

    page.get_by_role("link", name="Other languages…").click()
    expect(page.get_by_label("Language", exact=True)).to_contain_text("Greek: 1 person")
    page.get_by_role("button", name="Write it").click()
    expect(page.locator("#preview")).to_contain_text("As Zoe reads it")
    page.get_by_label("Text", exact=True).fill("Αγαπητή {first_name}")
    expect(page.locator("#preview")).to_contain_text("Αγαπητή Zoe")
    page.get_by_role("button", name="Save Greek").click()

    expect(page.locator(".tongues")).to_contain_text("1 person reads it")
    assert campaign.wordings.get().language == "el"
