"""The browser that is started, and how somebody logs in with it."""

import os

from django.urls import reverse
from playwright.sync_api import Page

CHROMIUM = os.environ.get("CHROMIUM_PATH", "/usr/bin/chromium")
FLAGS = [
    *("--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
]
PASSWORD = "a-long-enough-password"


def log_in(page: Page, address: str, email: str = "ann@example.com") -> Page:
    page.goto(address + reverse("login"))
    page.get_by_label("Email address").fill(email)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    page.wait_for_url(address + reverse("campaigns"))
    return page
