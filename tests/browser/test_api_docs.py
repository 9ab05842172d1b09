"""The page that describes the API, in a browser: it draws itself, and its buttons really call the API."""

import re

from playwright.sync_api import Browser, expect

from accounts.models import ApiKey, Role
from tests.browser.test_screenshots import OVERFLOWING, picture
from tests.make import make_recipient, make_workspace


def test_the_api_can_be_read_and_tried_out_with_a_key_from_its_page(chromium, web):
    workspace = make_workspace("Acme Kenya")
    alice = make_recipient(workspace, first_name="Alice", last_name="Johnson")
    _, secret = ApiKey.make(workspace, "docs", Role.VIEWER)

    for width, theme in ((375, "light"), (1280, "dark")):
        try_out(chromium, f"{web}/api/docs", secret, alice.pk, width, theme)


def try_out(chromium: Browser, address: str, secret: str, customer: int, width: int, theme: str) -> None:
    page = chromium.new_page(viewport={"width": width, "height": 800}, color_scheme=theme)
    complaints: list[str] = []
    page.on("console", lambda line: complaints.append(line.text) if line.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))

    page.goto(address)
    expect(page.get_by_role("link", name="openapi.json").first).to_be_visible()
    page.get_by_role("button", name="Authorize", exact=True).click()
    page.get_by_label("auth-bearer-value").fill(secret)
    page.get_by_role("button", name="Apply credentials").click()
    page.get_by_role("button", name="Close", exact=True).click()
    picture(page, f"api-docs-{width}-{theme}", full_page=False)
    page.get_by_role("button", name=re.compile("Look at a customer")).first.click()
    page.get_by_placeholder("customer_id").fill(str(customer))
    page.get_by_role("button", name="Execute").click()

    expect(page.locator(".live-responses-table")).to_contain_text("Johnson")
    expect(page.locator(".live-responses-table .response-col_status").last).to_contain_text("200")
    page.locator(".live-responses-table").scroll_into_view_if_needed()
    picture(page, f"api-docs-tried-{width}-{theme}", full_page=False)
    assert page.evaluate(OVERFLOWING) == []
    assert complaints == []
    page.close()
