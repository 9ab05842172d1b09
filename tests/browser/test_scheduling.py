"""Scheduling in a real browser: a time, another time, none; a weekly series, its next one, its end; a filtered list."""

from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import Browser, Page, expect

from accounts.models import Role
from campaigns.models import Campaign, Recurrence
from tests.browser.conftest import log_in
from tests.house import House
from tests.make import make_campaign, make_member, make_recipients, make_workspace

Status = Campaign.Status


@pytest.fixture
def ann(transactional_db):
    workspace = make_workspace("Acme", time_zone="Europe/Athens")
    make_recipients(workspace, 3)
    return make_member(workspace, Role.OWNER, email="ann@example.com", name="Ann")


@pytest.fixture
def page(chromium: Browser, house: House, ann) -> Page:
    return log_in(chromium.new_context().new_page(), house.address)


def is_told(page: Page, sentence: str) -> None:
    expect(page.locator("#toasts").get_by_text(sentence)).to_be_visible()


def in_days(days: int) -> str:
    return str(timezone.now().date() + timedelta(days=days))


def open_schedule(page: Page, house: House, campaign: Campaign) -> None:
    page.goto(f"{house.address}/campaigns/{campaign.pk}/check/")
    page.get_by_text("Send it later, or again and again").click()


def test_a_campaign_is_scheduled_moved_and_pulled_back(page, house, ann):
    campaign = make_campaign(ann.workspaces.get(), name="Spring")

    open_schedule(page, house, campaign)
    page.get_by_label("Day", exact=True).fill(in_days(2))
    page.get_by_label("Time", exact=True).fill("14:30")
    expect(page.locator("#instant")).to_contain_text("at 14:30 Europe/Athens")
    page.get_by_role("button", name="Schedule", exact=True).click()
    is_told(page, "Scheduled. It starts on")
    expect(page.locator(".badge").first).to_have_text("Scheduled")

    page.get_by_role("link", name="Change time").click()
    expect(page.get_by_label("Time", exact=True)).to_have_value("14:30")
    page.get_by_label("Time zone").select_option("America/New_York")
    expect(page.locator("#instant")).to_contain_text("14:30 America/New_York")
    page.get_by_role("button", name="Change time").click()
    expect(page.locator(".why").first).to_contain_text("14:30 America/New_York")

    page.get_by_role("button", name="Unschedule").click()
    expect(page.get_by_text("Nothing has been sent yet.")).to_be_visible()
    campaign.refresh_from_db()
    assert (campaign.status, campaign.scheduled_at) == (Status.DRAFT, None)


def test_a_weekly_series_is_made_edited_once_and_ended(page, house, ann):
    campaign = make_campaign(ann.workspaces.get(), name="News")

    open_schedule(page, house, campaign)
    page.get_by_label("Day", exact=True).fill(in_days(1))
    expect(page.get_by_text("Monday", exact=True)).to_be_hidden()
    page.get_by_label("Repeat").select_option("Every week")
    page.get_by_text("Monday", exact=True).click()
    page.get_by_text("Thursday", exact=True).click()
    expect(page.locator("#instant")).to_contain_text("Every Monday and Thursday at 09:00 Europe/Athens")
    page.get_by_role("button", name="Schedule", exact=True).click()
    expect(page.get_by_text("Every Monday and Thursday at 09:00 Europe/Athens.", exact=True)).to_be_visible()

    page.get_by_role("link", name="Edit", exact=True).click()
    page.locator("#body").fill("Only this week")
    expect(page.get_by_label("Only this one")).to_be_checked()
    page.get_by_role("button", name="Save", exact=True).click()
    is_told(page, "Your changes are saved.")

    page.get_by_role("link", name="See the series").click()
    page.get_by_role("link", name="Skip the next one").click()
    expect(page.get_by_text("Something was changed for this one only:")).to_be_visible()
    page.get_by_role("button", name="Skip it").click()
    is_told(page, "Skipped. The next one is on")
    page.get_by_role("link", name="See or edit it").click()
    expect(page.get_by_text("This is number 2.")).to_be_visible()
    expect(page.get_by_text("Dear {first_name|friend}")).to_be_visible()

    page.get_by_role("link", name="See the series").click()
    page.get_by_role("link", name="End the series").click()
    page.get_by_role("button", name="End the series").click()
    is_told(page, "What was sent of it stays as it is.")
    series = Recurrence.objects.get()
    assert series.ended_at and not series.occurrences.filter(status=Status.SCHEDULED).exists()


def test_the_list_is_filtered_while_typing_stays_live_and_keeps_its_address(page, house, ann):
    workspace = ann.workspaces.get()
    make_campaign(workspace, name="Spring letter")
    make_campaign(workspace, name="Summer letter")
    page.goto(house.address)
    expect(page.locator("article")).to_have_count(2)

    page.get_by_label("Search campaigns by name").press_sequentially("spring", delay=30)
    expect(page.locator("article")).to_have_count(1)
    expect(page.get_by_text("Only “spring” in name or subject")).to_be_visible()
    expect(page).to_have_url(f"{house.address}/?q=spring")
    expect(page.get_by_label("Search campaigns by name")).to_be_focused()
    expect(page.locator("#live")).to_have_text("Live")

    found = Campaign.objects.get(name="Spring letter")
    page.evaluate("window.untouched = true")
    with_another_hand(found, house)
    expect(page.locator("article .badge")).to_have_text("Scheduled")
    assert page.evaluate("window.untouched === true")

    page.reload()
    expect(page.locator("article")).to_have_count(1)
    page.get_by_role("link", name="Clear").click()
    expect(page.locator("article")).to_have_count(2)


def with_another_hand(campaign: Campaign, house: House) -> None:
    """Scheduled by another process, which tells those who watch."""
    code = (
        "from datetime import timedelta; from django.utils import timezone; from campaigns.models import Campaign;"
        "from dispatcher import operations;"
        f"operations.schedule(Campaign.objects.get(pk={campaign.pk}), at=timezone.now() + timedelta(days=2), by=None)"
    )
    done = house.manage("shell", "-c", code)
    assert done.returncode == 0, done.stderr


def test_without_javascript_the_list_is_filtered_and_a_campaign_scheduled(chromium, house, ann):
    page = log_in(chromium.new_context(java_script_enabled=False).new_page(), house.address)
    campaign = make_campaign(ann.workspaces.get(), name="Spring letter")
    make_campaign(ann.workspaces.get(), name="Summer letter")

    page.goto(house.address)
    page.get_by_label("Search campaigns by name").fill("spring")
    page.get_by_role("button", name="Show").click()
    expect(page.locator("article")).to_have_count(1)
    open_schedule(page, house, campaign)
    page.get_by_label("Day", exact=True).fill(in_days(3))
    page.get_by_label("Repeat").select_option("Every few days")
    page.get_by_label("Days from one to the next").fill("0")
    page.get_by_role("button", name="Schedule", exact=True).click()
    expect(page.get_by_text("Give the days as a number from 1 to 366.")).to_be_visible()
    expect(page.get_by_label("Day", exact=True)).to_have_value(in_days(3))
    page.get_by_label("Days from one to the next").fill("3")
    page.get_by_role("button", name="Schedule", exact=True).click()

    is_told(page, "Scheduled. Every 3 days at 09:00 Europe/Athens, first on")


def test_on_a_phone_the_filter_is_folded_until_it_is_wanted(chromium, house, ann):
    page = log_in(chromium.new_context(viewport={"width": 375, "height": 667}).new_page(), house.address)
    search = page.get_by_label("Search campaigns by name")

    expect(search).to_be_hidden()
    page.get_by_text("Search and filter").click()
    expect(search).to_be_visible()

    page.goto(f"{house.address}/?q=spring")
    expect(search).to_have_value("spring")
    page.set_viewport_size({"width": 1280, "height": 800})
    page.goto(house.address)
    expect(search).to_be_visible()
    expect(page.get_by_text("Search and filter")).to_be_hidden()


@pytest.mark.parametrize(("role", "is_told"), [(Role.VIEWER, False), (Role.EDITOR, True)])
def test_only_who_writes_is_told_to_bring_people_in(page, house, ann, role, is_told):
    ann.memberships.update(role=role)
    page.goto(house.address)

    expect(page.get_by_text("Bring in the people")).to_be_visible(visible=is_told)
    expect(page.get_by_text("once somebody has written one")).to_be_visible(visible=not is_told)


def test_the_button_that_sends_now_steps_back_while_it_is_scheduled(page, house, ann):
    campaign = make_campaign(ann.workspaces.get(), name="News")
    page.goto(f"{house.address}/campaigns/{campaign.pk}/check/")
    send = page.get_by_role("button", name="Send 3 emails")
    before = send.evaluate("one => getComputedStyle(one).backgroundColor")
    schedule = page.get_by_role("button", name="Schedule", exact=True)

    page.get_by_text("Send it later, or again and again").click()

    expect(schedule).to_be_visible()
    expect(send).not_to_have_css("background-color", before)  # it fades
    expect(schedule).to_have_css("background-color", before)
