"""Every page in a real browser, narrow and wide, by day and by night: it fits, obeys the policy and can be pressed.

With SCREENSHOTS=DIR in the environment a picture of each is left there.
"""

import os
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.urls import reverse
from playwright.sync_api import Page

from accounts.models import Role
from campaigns.authoring import create_campaign
from people.models import Recipient
from tests.browser.conftest import log_in
from tests.browser.furnished import NAMES, site, walk
from tests.make import make_member, make_recipients, make_workspace

__all__ = ["site"]

OVERFLOWING = """() => document.documentElement.scrollWidth <= innerWidth ? [] :
    [...document.querySelectorAll("body *")].filter(e => e.getBoundingClientRect().right > innerWidth + 1)
    .map(e => e.outerHTML.slice(0, 120))"""
PRESSED = ".btn, .chip, .choice, .option, nav a, summary, main button, select"
TOO_SMALL = f"""() => [...document.querySelectorAll("{PRESSED}")]
    .filter(e => e.checkVisibility() && !e.closest(".picked") && e.getBoundingClientRect().height < 43.5)
    .map(e => e.outerHTML.slice(0, 120))"""
RULES = {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}
CONTRAST = {"type": "rule", "values": ["color-contrast"]}  # all that by night is not as by day
AXE = Axe()


def violations(page: Page, rules: dict) -> list[str]:
    """What axe finds on the page, with the first elements it means."""
    found = AXE.run(page, options={"runOnly": rules, "resultTypes": ["violations"]})
    return [
        f"{one['id']}: {one['help']}: {node['html'][:160]} {node['failureSummary'][:300]}"
        for one in found.response["violations"]
        for node in one["nodes"][:3]
    ]


# The narrowest light and the widest dark; all six for the pictures.
LOOKS = [(375, "light"), (1280, "dark")]
if "SCREENSHOTS" in os.environ:
    LOOKS = [(width, theme) for width in (375, 768, 1280) for theme in ("light", "dark")]


@pytest.mark.parametrize(("width", "theme"), LOOKS)
def test_every_page_fits_obeys_the_policy_and_can_be_used_by_everybody(chromium, site, width, theme):
    address, pages = site
    phone = width < 640
    window = chromium.new_context(
        viewport={"width": width, "height": 800},
        color_scheme=theme,
        is_mobile=phone,
        has_touch=phone,
        reduced_motion="reduce",  # colours on their way from one to another are nobody's contrast
    )
    page = window.new_page()
    complaints: list[str] = []
    page.on("console", lambda line: complaints.append(line.text) if line.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))

    def look_at(name: str, path: str) -> None:
        complaints.append(f"-- {name}")
        page.goto(address + path)
        page.wait_for_timeout(150)  # for the socket to open and the first drawing to come
        picture(page, f"{name}-{width}-{theme}")
        complaints.extend(page.evaluate(OVERFLOWING))
        if phone:
            complaints.extend(page.evaluate(TOO_SMALL))
        if width != 768:
            complaints.extend(violations(page, RULES if theme == "light" else CONTRAST))

    walk(page, address, pages, look_at)
    window.close()

    expected = ("-- ", "Failed to load resource: the server responded with a status of 4")
    assert [line for line in complaints if not line.startswith(expected)] == [], complaints


def picture(page: Page, name: str, *, full_page: bool = True) -> None:
    if folder := os.environ.get("SCREENSHOTS"):
        Path(folder).mkdir(parents=True, exist_ok=True)
        page.screenshot(path=Path(folder) / f"{name}.png", full_page=full_page)


def test_the_page_of_a_campaign_that_is_being_sent_is_live(chromium, house):
    workspace = make_workspace("Acme Kenya", time_zone="Africa/Nairobi")
    ann = make_member(workspace, Role.OWNER, email="ann@example.com", name="Ann Mwende")
    names = [name.split() for name in NAMES.split(",")]
    for n, person in enumerate(people := make_recipients(workspace, 1000)):
        person.first_name, person.last_name = names[n % len(names)]
        person.email = f"{person.first_name}.{person.last_name}.{n}@example.com".lower()
    Recipient.objects.bulk_update(people, ["first_name", "last_name", "email"])
    body = "Hi {first_name|there},\n\nthis week everything is 20% off."
    campaign = create_campaign(
        workspace, by=ann, name="Spring launch", subject="{first_name}, spring is here", body=body, everyone=True
    )
    page = chromium.new_page(viewport={"width": 1120, "height": 740}, color_scheme="light")
    log_in(page, house.address)
    page.goto(f"{house.address}{reverse('check', args=[campaign.pk])}")

    page.get_by_role("button", name="Send 1,000 emails").click()
    page.wait_for_function("() => parseInt(document.querySelector('.pct strong')?.textContent) >= 60", timeout=60_000)

    page.keyboard.press("Escape")  # puts the notice away
    assert page.locator("#live").inner_text() == "Live"
    assert page.locator("[id$=-why]").inner_text().startswith("Sending.")
    picture(page, "live", full_page=False)
