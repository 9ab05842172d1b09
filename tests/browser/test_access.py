"""Everybody can use every page: without scripts, without a mouse, on a small screen, and at rest."""

import pytest
from playwright.sync_api import Browser, Page, expect

from accounts.models import Membership, Role, User
from campaigns.models import Campaign
from tests.browser.conftest import log_in
from tests.browser.furnished import site
from tests.browser.test_screenshots import OVERFLOWING
from tests.dispatcher.outcomes import launched
from tests.house import House
from tests.make import make_campaign, make_member, make_recipients, make_workspace

__all__ = ["site"]

PEOPLE = 1000
IN_TIME = 60_000  # milliseconds for all of it to be sent
PHONE, DESK = 375, 1280


def test_nothing_is_wider_than_the_smallest_phone_and_one_region_alone_speaks_up_politely(chromium, site):
    address, pages = site
    page = chromium.new_context(viewport={"width": 320, "height": 640}, is_mobile=True, has_touch=True).new_page()
    log_in(page, address)
    wide, speaking = {}, {}

    for name, path in pages.items():
        page.goto(address + path)
        if found := page.evaluate(OVERFLOWING):
            wide[name] = found
        polite = page.evaluate("[...document.querySelectorAll('[aria-live=polite], [role=status]')].map(e => e.id)")
        if polite != ([] if name.startswith("unsubscribe") else ["notices"]):  # those pages stand alone
            speaking[name] = polite

    assert wide == {}
    assert speaking == {}


@pytest.fixture
def ann(transactional_db) -> User:
    workspace = make_workspace("Acme Kenya")
    return make_member(workspace, Role.OWNER, email="ann@example.com", name="Ann")


def open_house(chromium: Browser, house: House, width: int = DESK, **options) -> Page:
    """A page in which Ann is logged in."""
    options = {"viewport": {"width": width, "height": 800}, "is_mobile": width == PHONE} | options
    page = chromium.new_context(**options).new_page()
    log_in(page, house.address)
    return page


WATCH_SHIFTS = """
    window.shifts = [];
    new PerformanceObserver((list) => {
        for (const shift of list.getEntries())
            if (!shift.hadRecentInput)
                shifts.push([shift.value, ...shift.sources.map(({ node }) => node?.outerHTML?.slice(0, 90))]);
    }).observe({ type: "layout-shift", buffered: true });
"""


@pytest.mark.parametrize("width", [PHONE, DESK])
def test_nothing_jumps_while_a_thousand_messages_go_out(chromium, house, ann, width):
    page = open_house(chromium, house, width)
    page.add_init_script(WATCH_SHIFTS)
    campaign = make_campaign(ann.workspaces.get(), people=PEOPLE)
    page.goto(f"{house.address}/campaigns/{campaign.pk}/check/")

    page.get_by_role("button", name=f"Send {PEOPLE:,} emails").click()
    expect(page.locator(".pct strong")).to_have_text("100%", timeout=IN_TIME)
    page.wait_for_timeout(1000)

    shifts = page.evaluate("shifts")
    assert sum(shift[0] for shift in shifts) < 0.02, "\n".join(str(shift) for shift in shifts if shift[0] > 0.0005)


def test_a_button_keeps_the_focus_while_fragments_are_pushed(chromium, house, ann):
    page = open_house(chromium, house)
    campaign = launched(make_campaign(ann.workspaces.get(), people=PEOPLE))
    page.goto(f"{house.address}/campaigns/{campaign.pk}/")
    expect(page.locator("#live")).to_have_text("Live")
    pause = page.get_by_role("button", name="Pause")

    pause.focus()
    before = page.locator(".pct").inner_text()
    page.wait_for_function("before => document.querySelector('.pct').innerText !== before", arg=before)
    expect(pause).to_be_focused()

    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Resume")).to_be_focused()


def test_what_went_wrong_is_said_in_the_words_of_the_server_and_put_away_by_key_or_button(chromium, house, ann):
    page = open_house(chromium, house, PHONE, has_touch=True)
    campaign = launched(make_campaign(ann.workspaces.get(), people=3 * PEOPLE))
    page.goto(f"{house.address}/campaigns/{campaign.pk}/")
    expect(page.locator("#live")).to_have_text("Live")
    Membership.objects.filter(user=ann).update(role=Role.VIEWER)
    notice = page.locator("#toasts .flash")
    words = "As viewer of Acme Kenya you cannot send: that takes a marketer, an admin or an owner."

    page.get_by_role("button", name="Pause").press("Enter")
    expect(notice).to_contain_text(words)
    expect(page.locator("#alarms[role=alert]")).to_contain_text(words)
    assert uncovered(page)
    page.keyboard.press("Escape")
    expect(notice).to_have_count(0)

    page.get_by_role("button", name="Pause").press("Enter")
    notice.get_by_role("button", name="Dismiss").press("Enter")
    expect(notice).to_have_count(0)
    assert page.evaluate("document.activeElement.id") == "content"


def uncovered(page: Page) -> bool:
    """Whether the last thing on the page that can be pressed can be scrolled out from under the notices."""
    return page.evaluate(
        """() => {
            const last = [...document.querySelectorAll("main :is(a, button)")].findLast((e) => e.checkVisibility());
            scrollTo(0, document.documentElement.scrollHeight);
            const { left, top, width, height } = last.getBoundingClientRect();
            return last.contains(document.elementFromPoint(left + width / 2, top + height / 2));
        }"""
    )


def test_what_went_well_is_said_politely_and_gives_way_by_itself(chromium, house, ann):
    page = open_house(chromium, house)
    campaign = make_campaign(ann.workspaces.get())
    page.goto(f"{house.address}/campaigns/{campaign.pk}/delete/")

    page.get_by_role("button", name="Delete").click()

    expect(page.locator("#notices[aria-live=polite] .flash")).to_contain_text("deleted")
    expect(page.locator("#alarms .flash")).to_have_count(0)
    expect(page.locator("#toasts .flash")).to_have_count(0, timeout=12_000)


def test_what_is_pressed_twice_is_asked_for_once_and_shows_that_it_is_under_way(chromium, house, ann):
    page = open_house(chromium, house)
    campaign = make_campaign(ann.workspaces.get(), people=PEOPLE)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url) if request.method == "POST" else None)

    def slowly(route) -> None:
        page.wait_for_timeout(700)
        route.continue_()

    page.route("**/send/", slowly)
    page.route("**/pause/", slowly)
    page.goto(f"{house.address}/campaigns/{campaign.pk}/check/")
    page.get_by_role("button", name=f"Send {PEOPLE:,} emails").dblclick(no_wait_after=True)
    expect(page.locator("#live")).to_have_text("Live")
    page.get_by_role("button", name="Pause").dblclick()
    expect(page.locator("#pause.htmx-request")).to_be_visible()
    expect(page.get_by_role("button", name="Resume")).to_be_visible()

    assert [url.rsplit("/", 2)[1] for url in asked] == ["send", "pause"]


def test_without_scripts_a_campaign_is_written_checked_sent_and_read(chromium, house, ann):
    make_recipients(ann.workspaces.get(), 20)
    page = open_house(chromium, house, java_script_enabled=False)

    page.get_by_role("link", name="New campaign").first.click()
    page.get_by_label("Name", exact=True).fill("Spring launch")
    page.get_by_label("Subject", exact=True).fill("{first_name}, spring is here")
    page.locator("#body").fill("Hi {first_name|there}, everything is 20% off.")
    page.get_by_text("Everyone", exact=True).click()
    page.get_by_role("button", name="Save and check").click()
    page.get_by_role("button", name="Send 20 emails").click()
    expect(page.get_by_text("Campaign dispatch started!")).to_be_visible()

    while Campaign.objects.get().status in (Campaign.Status.PREPARING, Campaign.Status.SENDING):
        page.wait_for_timeout(200)
    page.reload()
    expect(page.locator(".pct strong")).to_have_text("100%")
    expect(page.get_by_text("the books balance")).to_be_visible()

    for name in ("People", "Groups", "Campaigns"):
        page.get_by_role("navigation", name="Main").get_by_role("link", name=name).click()
        expect(page.get_by_role("heading", level=1)).to_contain_text(name)
    page.locator("summary").first.click()
    page.get_by_role("button", name="Log out").click()
    expect(page.get_by_role("button", name="Log in")).to_be_visible()


def test_who_asks_for_less_motion_sees_none_and_who_forces_colours_sees_what_is_chosen(chromium, house, ann):
    campaign = launched(make_campaign(ann.workspaces.get(), people=3 * PEOPLE))
    page = open_house(chromium, house, reduced_motion="reduce", forced_colors="active")
    page.goto(f"{house.address}/campaigns/{campaign.pk}/")
    expect(page.locator("#live")).to_have_text("Live")
    page.get_by_role("button", name="Pause").hover()
    page.wait_for_timeout(500)

    assert page.evaluate("document.getAnimations().length") == 0
    outline = "e => getComputedStyle(e).outlineStyle"
    assert page.locator(".chip[aria-current]").evaluate(outline) == "solid"
    assert page.locator(".chip:not([aria-current])").first.evaluate(outline) == "none"


def test_what_was_wrong_with_a_field_is_no_longer_said_once_somebody_mends_it(chromium, web, ann):
    page = chromium.new_page()
    log_in(page, web)
    page.goto(f"{web}/campaigns/new/")
    page.get_by_role("button", name="Save and check").click()
    wrong = page.locator("#name-error")
    expect(wrong).to_have_text("Give the campaign a name.")

    page.get_by_label("Name", exact=True).fill("Spring")

    expect(wrong).to_be_hidden()
    expect(page.get_by_label("Name", exact=True)).not_to_have_attribute("aria-invalid", "true")
