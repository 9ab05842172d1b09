"""People are moved between groups by mouse and by keyboard, and segments are built with a count that keeps up."""

import pytest
from django.urls import reverse
from playwright.sync_api import Page, expect

from accounts.models import Role, Workspace
from people import consent
from people.models import Group
from tests.browser.conftest import log_in
from tests.make import make_group, make_member, make_recipient, make_recipients, make_workspace


@pytest.fixture
def workspace(transactional_db) -> Workspace:
    workspace = make_workspace("Acme Kenya")
    make_member(workspace, Role.EDITOR, email="ann@example.com", name="Ann")
    return workspace


@pytest.fixture
def page(chromium, web, workspace) -> Page:
    return log_in(chromium.new_page(), web)


def names(group: Group) -> set[str]:
    return set(group.recipients.values_list("first_name", flat=True))


def column(page: Page, group: Group):
    return page.get_by_role("form", name=group.name)


def test_people_are_dragged_from_group_to_group_and_back_by_undo(page, web, workspace):
    ann, ben, cyd = (make_recipient(workspace, first_name=name) for name in ("Ada", "Ben", "Cyd"))
    here, there = make_group(workspace, ann, ben, cyd, name="Here"), make_group(workspace, name="There")
    consent.leave_group(cyd, there, how=consent.How.PREFERENCES, by=None)
    page.goto(web + reverse("group-board"))

    page.get_by_text("Ada").drag_to(column(page, there))
    expect(page.locator("#said")).to_contain_text("1 person was moved from “Here” to “There”.")
    expect(column(page, there).get_by_text("Ada")).to_be_visible()
    assert (names(here), names(there)) == ({"Ben", "Cyd"}, {"Ada"})
    expect(page.locator("#announcements")).to_contain_text("1 person was moved")

    page.get_by_role("button", name="Undo").click()
    expect(page.locator("#said")).to_have_text("That is undone.")
    assert (names(here), names(there)) == ({"Ada", "Ben", "Cyd"}, set())

    for name in ("Ben", "Cyd"):
        page.get_by_label(name).check()
    page.locator("li", has_text="Ben").drag_to(column(page, there))
    expect(page.locator("#said")).to_contain_text("1 person has left “There” by their own wish")
    assert (names(here), names(there)) == ({"Ada", "Cyd"}, {"Ben"})


def test_the_same_is_done_by_keyboard_alone(page, web, workspace):
    people = [make_recipient(workspace, first_name=name) for name in ("Ada", "Ben", "Cyd")]
    here, there = make_group(workspace, *people, name="Here"), make_group(workspace, name="There")
    page.goto(web + reverse("group-board"))

    press_until(page, "input[name=people]")
    page.keyboard.press("Space")
    press_until(page, "select[name=to]")
    page.keyboard.type("There")
    press_until(page, f"#move-{here.pk}")
    page.keyboard.press("Enter")
    expect(page.locator("#said")).to_contain_text("1 person was moved from “Here” to “There”.")
    expect(page.locator(f"#move-{here.pk}")).to_be_focused()
    assert (names(here), names(there)) == ({"Ada", "Ben"}, {"Cyd"})

    press_until(page, "#undo", key="Shift+Tab")
    page.keyboard.press("Enter")
    expect(page.locator("#said")).to_have_text("That is undone.")
    assert (names(here), names(there)) == ({"Ada", "Ben", "Cyd"}, set())


def press_until(page: Page, selector: str, key: str = "Tab") -> None:
    """Go on from focus to focus until it is on this."""
    for _ in range(60):
        page.keyboard.press(key)
        if page.evaluate("selector => document.activeElement.matches(selector)", selector):
            return
    raise AssertionError(f"{selector} cannot be reached by keyboard")


def test_all_that_match_are_moved_on_a_phone_after_a_question(chromium, web, workspace):
    group, target = (
        make_group(workspace, *make_recipients(workspace, 1_010), name="Big"),
        make_group(workspace, name="T"),
    )
    window = chromium.new_context(viewport={"width": 375, "height": 700}, is_mobile=True, has_touch=True)
    page = log_in(window.new_page(), web)
    page.goto(web + reverse("group-people", args=[group.pk]))

    page.get_by_label("This page").tap()
    expect(page.locator("[data-marked]")).to_have_text("50 marked")
    page.get_by_label("All 1,010 that match").tap()
    page.get_by_label("To which group").select_option("T")
    page.get_by_role("button", name="Move").tap()
    expect(page.get_by_role("heading", level=1)).to_have_text("Move 1,010 people from “Big” to “T”?")
    page.get_by_role("button", name="Move them").tap()

    expect(page.locator("#notices")).to_contain_text("1,010 people were moved")
    assert (group.recipients.count(), target.recipients.count()) == (0, 1_010)
    window.close()


def test_a_segment_is_built_row_by_row_with_a_count_that_keeps_up(page, web, workspace):
    for place in ("Nairobi", "Nairobi", "Thika"):
        make_recipient(workspace, location=place)
    make_group(workspace, workspace.recipients.first(), name="Members")
    page.goto(web + reverse("segment-new"))
    sample = page.locator("#sample")

    page.get_by_label("Name", exact=True).fill("Nairobi")
    page.get_by_label("Compared with").fill("nairobi")
    expect(sample).to_contain_text("2 people fit now")

    page.get_by_role("button", name="Add row").click()
    second = page.locator("#b0r1-field")
    expect(second).to_be_focused()
    second.select_option("Group")
    page.locator("select#b0r1-value").select_option("Members")
    expect(sample).to_contain_text("1 person fits now")
    expect(sample).to_contain_text("People whose location is “nairobi” and who are in “Members”.")

    page.locator("#b0-match").select_option("any")
    expect(sample).to_contain_text("2 people fit now")
    page.get_by_role("button", name="Remove this row").last.click()
    expect(page.locator("#b0r1-field")).to_have_count(0)
    expect(sample).to_contain_text("People whose location is “nairobi”.")

    page.get_by_label("Compared with").press("Enter")
    expect(page.get_by_role("link", name="Nairobi", exact=True)).to_be_visible()
    assert workspace.segments.get().name == "Nairobi"
