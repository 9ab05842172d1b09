"""From a CSV file to a balanced campaign in a real browser, watched by a second one, with workers killed on the way."""

import time
from collections import Counter

import pytest
from playwright.sync_api import Browser, Page, expect

from accounts.models import Role
from campaigns.models import Campaign
from dispatcher.books import Books, books_of
from dispatcher.models import Message
from simulator.models import Call
from tests.browser.conftest import log_in
from tests.browser.frames import Heard, never_falls
from tests.dispatcher.outcomes import launched
from tests.house import House, kill
from tests.make import make_campaign, make_member, make_workspace

PEOPLE = 1000
IN_TIME = 60_000  # milliseconds for all of it to be sent


@pytest.fixture
def ann(transactional_db):
    return make_member(make_workspace("Acme Kenya"), Role.OWNER, email="ann@example.com", name="Ann")


def enter(chromium: Browser, house: House) -> Page:
    return log_in(chromium.new_context().new_page(), house.address)


def upload(page: Page, people: int) -> None:
    rows = [f"person{n}@example.com,First{n},Nairobi" for n in range(people)]
    file = "\n".join(["email,first_name,location", *rows]).encode()
    page.get_by_role("link", name="Import people").click()
    page.get_by_label("Choose a CSV, TSV or XLSX file").set_input_files(
        {"name": "people.csv", "mimeType": "text/csv", "buffer": file}
    )
    page.get_by_role("button", name="Continue").click()
    page.get_by_role("button", name="Check the list").click()
    page.get_by_role("button", name=f"Import {people:,} rows").click(timeout=30_000)
    expect(page.get_by_text(f"Created {people:,}")).to_be_visible(timeout=30_000)


def write(page: Page, house: House) -> None:
    page.goto(f"{house.address}/campaigns/new/")
    page.get_by_label("Name", exact=True).fill("Spring launch")
    page.get_by_label("Subject", exact=True).fill("{first_name}, spring is here")
    page.locator("#body").fill("Hi {first_name|there}, everything is 20% off in {location|our shop}.")
    page.get_by_text("Everyone", exact=True).click()
    page.get_by_role("button", name="Save and check").click()


def pressed_send(page: Page) -> None:
    page.get_by_role("button", name=f"Send {PEOPLE:,} emails").click()
    expect(page.get_by_text("Campaign dispatch started! Watch the progress below.")).to_be_visible()


def mark(page: Page) -> None:
    """A mark that any navigation would wipe away."""
    page.evaluate("window.untouched = true")


def is_marked(page: Page) -> bool:
    return page.evaluate("window.untouched === true")


def percent(page: Page) -> int:
    return int(page.locator(".pct strong").inner_text().rstrip("%"))


def wait_for_percent(page: Page, least: int) -> None:
    page.wait_for_function(
        "least => parseInt(document.querySelector('.pct strong')?.textContent) >= least", arg=least, timeout=IN_TIME
    )


def everybody_is_accounted_for(campaign: Campaign, house: House) -> Books:
    """Nobody twice, nobody missing, by our books and by the provider's own."""
    audit = house.manage("audit")
    assert audit.returncode == 0, audit.stdout + audit.stderr
    books = books_of(campaign)
    assert (books.total, books.pending) == (PEOPLE, 0) and books.balances
    accepted = Counter(Call.objects.filter(accepted=True).values_list("address", flat=True))
    assert set(accepted.values()) == {1}
    sent = Message.objects.filter(campaign=campaign, status=Message.Status.SENT)
    assert set(sent.values_list("address", flat=True)) <= accepted.keys()
    assert len(accepted) - books.sent <= books.unknown
    return books


def told_the_truth(heard: Heard) -> None:
    assert len(heard.books()) > 5
    for total, *parts in heard.books():
        assert total == sum(parts) == PEOPLE
    assert all("do not balance" not in frame for frame in heard.frames)
    assert never_falls(heard.done())


@pytest.mark.usefixtures("ann")
def test_a_list_is_uploaded_a_campaign_written_checked_sent_paused_and_watched(chromium, house):
    page, other = enter(chromium, house), enter(chromium, house)
    heard, heard_by_other = Heard.of(page), Heard.of(other)
    upload(page, PEOPLE)
    write(page, house)
    other.reload()
    mark(other)

    pressed_send(page)
    mark(page)
    campaign = Campaign.objects.get()
    expect(page.locator("#live")).to_have_text("Live")
    expect(other.locator(".camp .badge")).to_have_text("Sending", timeout=10_000)

    wait_for_percent(page, 10)
    page.get_by_role("button", name="Pause").click()
    expect(page.locator("[id$=-why]")).to_contain_text("Paused by Ann")
    expect(page.locator("[id$=-why]")).not_to_contain_text("in flight", timeout=10_000)
    held = percent(page)
    assert 10 <= held < 100
    time.sleep(1.5)
    assert percent(page) == held
    assert books_of(campaign).in_flight == 0
    expect(other.locator(".camp .badge")).to_have_text("Paused")

    page.get_by_role("button", name="Resume").click()
    expect(page.locator(".pct strong")).to_have_text("100%", timeout=IN_TIME)
    expect(page.locator("[id$=-why]")).to_contain_text("Finished.", timeout=10_000)
    expect(page.locator(".sum .ok")).to_be_visible()
    expect(other.locator(".camp .badge")).to_contain_text("Sent", timeout=10_000)
    expect(other.locator("[role=progressbar]")).to_have_attribute("aria-valuenow", str(PEOPLE))

    assert is_marked(page) and is_marked(other)
    told_the_truth(heard)
    assert never_falls(heard_by_other.done()) and heard_by_other.done()[-1] == PEOPLE
    books = everybody_is_accounted_for(campaign, house)
    assert books.unknown == 0
    assert Message.objects.filter(campaign=campaign).values("recipient").distinct().count() == PEOPLE


@pytest.mark.parametrize("victim", ["work-horse", "its parent"])
def test_a_worker_killed_while_sending_loses_nobody_and_writes_to_nobody_twice(chromium, house, ann, victim):
    workspace = ann.workspaces.get()
    page = enter(chromium, house)
    heard = Heard.of(page)
    campaign = make_campaign(workspace, people=PEOPLE)
    page.goto(f"{house.address}/campaigns/{campaign.pk}/check/")
    pressed_send(page)
    mark(page)

    wait_for_percent(page, 20)
    worker, horse = house.horse()
    parent = house.processes[worker].pid
    kill(horse if victim == "work-horse" else parent)

    expect(page.locator(".pct strong")).to_have_text("100%", timeout=IN_TIME)
    expect(page.locator("[id$=-why]")).to_contain_text("Over at", timeout=15_000)
    assert is_marked(page)
    told_the_truth(heard)
    books = everybody_is_accounted_for(campaign, house)
    assert books.unknown <= int(house.environment["DISPATCH_WINDOW"])
    if victim != "work-horse":
        assert house.processes[worker].pid != parent  # started again


def test_a_page_without_its_socket_says_so_and_asks_until_it_comes_back(chromium, house, ann):
    workspace = ann.workspaces.get()
    page = enter(chromium, house)
    campaign = launched(make_campaign(workspace, people=PEOPLE))
    page.goto(f"{house.address}/campaigns/{campaign.pk}/")
    expect(page.locator("#live")).to_have_text("Live")
    expect(page.locator("main.is-cut-off")).to_have_count(0)

    page.context.set_offline(True)
    expect(page.locator("#live")).to_contain_text("as of", timeout=2_000)
    kill(house.processes["web"].pid)
    expect(page.locator("#live")).to_contain_text("Reconnecting, as of", timeout=15_000)
    said = page.evaluate("getComputedStyle(document.querySelector('.why'), '::after').content")
    assert said.startswith('"As of ')
    page.get_by_role("button", name="Pause").click()
    expect(page.get_by_text("“Pause” did not reach the server")).to_be_visible()
    assert "typed" not in page.locator("#toasts").inner_text()

    page.context.set_offline(False)
    expect(page.locator("#live")).to_have_text("Live", timeout=IN_TIME)
    expect(page.locator("main.is-cut-off")).to_have_count(0)
    expect(page.locator(".pct strong")).to_have_text("100%", timeout=IN_TIME)


def test_a_page_without_scripts_is_read_and_pressed_all_the_same(chromium, house, ann):
    workspace = ann.workspaces.get()
    cookies = enter(chromium, house).context.cookies()
    window = chromium.new_context(java_script_enabled=False)
    window.add_cookies(cookies)
    page = window.new_page()
    campaign = make_campaign(workspace, people=PEOPLE)

    page.goto(f"{house.address}/campaigns/{campaign.pk}/check/")
    pressed_send(page)
    page.get_by_role("button", name="Pause").click()
    expect(page.locator("[id$=-why]")).to_contain_text("Ann")
    page.get_by_role("link", name="Cancel…").click()
    page.get_by_role("button", name="Cancel the campaign").click()

    expect(page.locator(".badge").first).to_contain_text("Cancell")
    campaign.refresh_from_db()
    assert campaign.status == Campaign.Status.CANCELLED


def test_what_is_in_hand_stays_in_hand_while_numbers_tick(chromium, house, ann):
    workspace = ann.workspaces.get()
    page = enter(chromium, house)
    campaign = launched(make_campaign(workspace, people=3 * PEOPLE))
    page.goto(f"{house.address}/campaigns/{campaign.pk}/")
    wait_for_percent(page, 5)

    page.get_by_role("link", name="Next").focus()
    before = percent(page)
    wait_for_percent(page, before + 10)
    assert page.evaluate("document.activeElement.id") == "people-next"

    page.keyboard.press("Enter")
    expect(page.get_by_text("26 to 50 of 3,000")).to_be_visible()
    assert page.url.endswith("?page=2")
    wait_for_percent(page, percent(page) + 5)
    expect(page.get_by_text("26 to 50 of 3,000")).to_be_visible()

    # Pressed slowly: several frames come while the button is down.
    page.get_by_role("button", name="Pause").hover()
    page.mouse.down()
    page.wait_for_timeout(700)
    page.mouse.up()
    expect(page.get_by_role("button", name="Resume")).to_be_visible()
    expect(page.locator("[id$=-why]")).to_contain_text("Paused by Ann")


def focused(page: Page) -> str:
    return page.evaluate("document.activeElement.textContent.trim()")


def test_the_keyboard_goes_on_where_it_was_when_a_button_gives_way_to_another(chromium, house, ann):
    page = enter(chromium, house)
    campaign = launched(make_campaign(ann.workspaces.get(), people=PEOPLE))
    page.goto(f"{house.address}/campaigns/{campaign.pk}/")
    expect(page.locator("#live")).to_have_text("Live")

    for pressed, instead in (("Pause", "Resume"), ("Resume", "Pause")):
        page.get_by_role("button", name=pressed).focus()
        page.keyboard.press("Enter")
        expect(page.get_by_role("button", name=instead)).to_be_visible()
        assert focused(page) == instead

    page.get_by_role("link", name="Cancel…").focus()
    page.keyboard.press("Enter")
    assert focused(page) == "Keep sending"
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog")).not_to_be_visible()
    assert focused(page) == "Cancel…"

    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog")).to_be_visible()
    page.get_by_role("button", name="Cancel the campaign").press("Enter")
    expect(page.locator(".badge").first).to_contain_text("Cancell")
    expect(page.get_by_role("link", name="Cancel…")).to_have_count(0)
    assert page.evaluate("document.activeElement !== document.body")


def test_a_dialog_stays_open_and_keeps_up_while_numbers_tick(chromium, house, ann):
    page, other = enter(chromium, house), enter(chromium, house)
    campaign = launched(make_campaign(ann.workspaces.get(), people=2 * PEOPLE))
    for window in (page, other):
        window.goto(f"{house.address}/campaigns/{campaign.pk}/")
    page.get_by_role("link", name="Cancel…").click()
    wait_for_percent(page, percent(page) + 5)
    expect(page.get_by_role("button", name="Keep sending")).to_be_focused()

    other.get_by_role("button", name="Pause").click()

    expect(page.get_by_role("button", name="Keep it paused")).to_be_focused()


def test_a_draft_that_is_watched_follows_its_launch_and_the_first_words_give_way(chromium, house, ann):
    page, other = enter(chromium, house), enter(chromium, house)
    campaign = make_campaign(ann.workspaces.get(), people=PEOPLE)
    page.goto(f"{house.address}/campaigns/{campaign.pk}/")
    expect(page.get_by_role("link", name="Read it as the people will")).to_be_visible()
    mark(page)

    other.goto(f"{house.address}/campaigns/{campaign.pk}/check/")
    pressed_send(other)

    expect(page.get_by_role("link", name="Read it as the first person gets it")).to_be_visible(timeout=10_000)
    assert is_marked(page)
    expect(other.get_by_text("Campaign dispatch started!")).to_have_count(0, timeout=10_000)
    expect(other.locator(".pct strong")).to_have_text("100%", timeout=IN_TIME)


CONTRADICTION = """() => {
    const number = (element) => Number(element.textContent.replaceAll(",", ""));
    const sent = number(document.querySelector(".sum .dot.s + b"));
    return Math.abs(sent - number(document.getElementById("people-sent-count")));
}"""


def test_the_chips_never_contradict_the_sum_for_longer_than_a_drawing(chromium, house, ann):
    page = enter(chromium, house)
    campaign = launched(make_campaign(ann.workspaces.get(), people=PEOPLE))
    page.goto(f"{house.address}/campaigns/{campaign.pk}/")

    since, longest = time.monotonic(), 0.0
    while percent(page) < 100:
        if page.evaluate(CONTRADICTION) == 0:
            since = time.monotonic()
        longest = max(longest, time.monotonic() - since)
    assert longest < 2  # seconds: what a lost signal costs
    expect(page.locator("#people-sent-count")).to_have_text(page.locator(".sum .dot.s + b").inner_text())


def test_a_page_that_gets_no_socket_asks_every_few_seconds(chromium, house, ann):
    workspace = ann.workspaces.get()
    page = enter(chromium, house)
    page.route_web_socket("**/ws/**", lambda socket: socket.close())
    campaign = launched(make_campaign(workspace, people=PEOPLE))

    page.goto(f"{house.address}/campaigns/{campaign.pk}/")
    mark(page)

    expect(page.locator(".pct strong")).to_have_text("100%", timeout=IN_TIME)
    expect(page.locator("#live")).to_contain_text("As of", timeout=10_000)
    page.goto(house.address)
    other = launched(make_campaign(workspace, people=0))
    expect(page.locator(f"#campaign-{other.pk}-card")).to_be_visible(timeout=10_000)
