"""The wizard of an import in a real browser: by mouse with a file that comes in parts, and by keyboard alone."""

import re

import pytest
from playwright.sync_api import expect

from accounts.models import Role
from people.models import Recipient
from tests.browser.conftest import log_in
from tests.make import make_group, make_member, make_workspace

PEOPLE = 3_000  # with a note each that makes the file larger than one part of two megabytes


@pytest.fixture
def workspace(transactional_db):
    workspace = make_workspace("Acme Kenya", region="KE")
    make_member(workspace, Role.OWNER, email="ann@example.com", name="Ann")
    make_group(workspace, name="Nairobi")
    return workspace


def test_a_list_is_imported_by_mouse_and_by_keyboard_and_undone(chromium, house, workspace, tmp_path):
    page = log_in(chromium.new_context().new_page(), house.address)
    page.goto(f"{house.address}/people/import/")
    file = tmp_path / "many.csv"
    rows = (f"person{n}@example.com,First{n},{'x' * 1500}\n" for n in range(PEOPLE))
    file.write_text("Adresse,Vorname,Notiz\n" + "".join(rows) + "nobody,No,\n")

    page.get_by_label("Choose a CSV, TSV or XLSX file").set_input_files(file)
    page.route("**/complete/", lose_its_first_answer, times=1)
    page.get_by_role("button", name="Continue").click()
    page.get_by_label("“Vorname” is").select_option("First name")
    page.get_by_label("“Notiz” is").select_option("Do not import")
    page.get_by_label("Nairobi").check()
    page.get_by_role("button", name="Check the list").click()
    expect(page.get_by_role("heading", name="Email addresses that cannot be used")).to_be_visible(timeout=60_000)
    page.get_by_role("button", name=f"Import the {PEOPLE:,} good rows, give me the bad one").click()
    page.get_by_role("link", name="Undo").click(timeout=60_000)
    assert Recipient.objects.filter(groups__name="Nairobi").count() == PEOPLE
    page.get_by_role("button", name="Undo the import").click()
    expect(page.get_by_text("undone", exact=True)).to_be_visible(timeout=60_000)
    assert not Recipient.objects.exists()

    page.goto(f"{house.address}/people/import/")
    page.get_by_label("or paste addresses or CSV text").focus()
    page.keyboard.type("ben@example.com, Ben\n0712 345 678, Cy\nnot somebody")
    tab_to(page, "Continue")
    page.keyboard.press("Enter")
    page.wait_for_url("**/columns/")
    tab_to(page, "Check the list")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Rows without any address")).to_be_visible(timeout=30_000)
    tab_to(page, "Import the 2 good rows, give me the bad one")
    page.keyboard.press("Enter")
    expect(page.get_by_text("done", exact=True)).to_be_visible(timeout=30_000)
    with page.expect_download() as download:
        tab_to(page, "Download the rejected rows")
        page.keyboard.press("Enter")
    assert "not somebody" in download.value.path().read_text()
    assert set(Recipient.objects.values_list("email", "phone")) == {("ben@example.com", ""), ("", "+254712345678")}


def lose_its_first_answer(route) -> None:
    route.fetch()
    route.abort()


def tab_to(page, words: str) -> None:
    """Press Tab until the element that says this has the focus."""
    for _ in range(60):
        page.keyboard.press("Tab")
        if re.fullmatch(re.escape(words), page.evaluate("document.activeElement.textContent.trim()")):
            return
    raise AssertionError(f"Tab does not reach “{words}”")
