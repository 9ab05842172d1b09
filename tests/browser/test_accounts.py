"""Members and logins in real browsers: invited, joined, a second factor set up, used, lost and locked out."""

import base64
import re
import time

import pytest
from django.urls import reverse
from django_otp.oath import TOTP
from playwright.sync_api import Browser, Page, expect

from accounts.models import Role
from tests.browser.conftest import log_in
from tests.make import make_member, make_workspace

PASSWORD = "a-long-enough-password"
NINAS = "a-password-of-her-own"


class App:
    """The authenticator on somebody's phone: each code is shown once, as the server takes each once."""

    def __init__(self, key: str) -> None:
        self.totp = TOTP(base64.b32decode(key.replace(" ", "")))
        self.used = 0

    def code(self) -> str:
        # The server also takes the code that comes next, so the test need not wait for it.
        now = int(time.time()) // 30
        self.used = max(now, self.used + 1)
        self.totp.time = self.used * 30
        while self.used > int(time.time()) // 30 + 1:
            time.sleep(0.5)
        return f"{self.totp.token():06}"


@pytest.fixture
def acme(transactional_db):
    workspace = make_workspace("Acme Kenya", time_zone="Africa/Nairobi")
    make_member(workspace, Role.OWNER, email="ann@example.com", name="Ann Mwende", password=PASSWORD)
    return workspace


def page_of(chromium: Browser) -> Page:
    page = chromium.new_context(viewport={"width": 375, "height": 800}).new_page()
    page.complaints = []
    page.on("console", lambda line: page.complaints.append(line.text) if line.type == "error" else None)
    return page


def give_password(page: Page, web: str, email: str, password: str) -> None:
    page.goto(web + reverse("login"))
    page.get_by_label("Email address").fill(email)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Log in").click()


def give_code(page: Page, code: str) -> None:
    page.get_by_label("Code").fill(code)
    page.get_by_role("button", name="Log in").click()


def log_out(page: Page) -> None:
    page.locator("summary").filter(has_text=re.compile("Ann|Nina")).click()
    page.get_by_role("button", name="Log out", exact=True).click()


def test_invited_joined_and_secured_by_a_second_factor(chromium, web, acme):
    ann, nina = page_of(chromium), page_of(chromium)
    give_password(ann, web, "ann@example.com", PASSWORD)
    ann.locator("summary").filter(has_text="Ann").click()
    ann.get_by_role("link", name="Settings and members").click()
    ann.get_by_role("link", name="Members", exact=True).click()
    ann.get_by_label("Email address").fill("nina@example.com")
    ann.get_by_label("Role").select_option(label="Editor: also writes campaigns and keeps people")
    ann.get_by_role("button", name="Invite").click()
    link = ann.get_by_label("Link for nina@example.com").input_value()

    nina.goto(link)
    nina.get_by_label("Your name").fill("Nina")
    nina.get_by_label("Choose a password").fill("password")
    nina.get_by_role("button", name="Join").click()
    expect(nina.get_by_text("too common")).to_be_visible()
    nina.get_by_label("Choose a password").fill(NINAS)
    nina.get_by_role("button", name="Join").click()
    expect(nina.get_by_text("Welcome to Acme Kenya.").first).to_be_attached()

    nina.goto(web + reverse("two-factor"))
    app = App(nina.locator(".key").inner_text())
    expect(nina.get_by_alt_text("QR code with the key below")).to_be_visible()
    assert nina.evaluate("document.querySelector('.qr').naturalWidth") > 50
    nina.get_by_label("Code").fill(app.code())
    nina.get_by_role("button", name="Turn on").click()
    codes = nina.locator(".codes li").all_inner_texts()
    assert len(codes) == 10
    nina.get_by_role("link", name="I have kept them").click()
    log_out(nina)

    give_password(nina, web, "nina@example.com", NINAS)
    expect(nina.get_by_role("heading", name="Your code")).to_be_visible()
    assert nina.get_by_label("Code").get_attribute("autocomplete") == "one-time-code"
    give_code(nina, "12345x")
    expect(nina.get_by_text("That code is not right")).to_be_visible()
    nina.goto(web + reverse("campaigns"))
    expect(nina).to_have_url(re.compile("/login/"))
    give_password(nina, web, "nina@example.com", NINAS)
    give_code(nina, app.code())
    expect(nina.get_by_role("heading", name="Campaigns", exact=True)).to_be_visible()
    log_out(nina)

    give_password(nina, web, "nina@example.com", NINAS)
    time.sleep(1.1)  # django-otp makes recovery codes wait a second after the wrong one
    give_code(nina, codes[0].upper())
    expect(nina.get_by_role("heading", name="Campaigns", exact=True)).to_be_visible()

    ann.goto(web + reverse("members"))
    expect(ann.get_by_role("row", name=re.compile("Nina"))).to_contain_text("on")
    policy = [line for line in ann.complaints + nina.complaints if "status of 4" not in line]
    assert policy == []


def test_five_wrong_passwords_lock_this_browser_out_and_say_for_how_long(chromium, web, acme):
    page = page_of(chromium)

    for _ in range(5):
        give_password(page, web, "ann@example.com", "a wrong password")
    expect(page.get_by_role("heading", name="Too many tries")).to_be_visible()
    expect(page.get_by_text("Try again in 15 minutes")).to_be_visible()
    give_password(page, web, "ann@example.com", PASSWORD)

    expect(page.get_by_role("heading", name="Too many tries")).to_be_visible()


@pytest.mark.parametrize("width", [320, 375, 641, 700, 768, 820, 900, 1280])
def test_the_name_in_the_account_menu_can_be_read_at_every_width(chromium, web, acme, width):
    page = page_of(chromium)
    page.set_viewport_size({"width": width, "height": 800})
    log_in(page, web)
    expect(page.get_by_role("heading", name="Campaigns", exact=True)).to_be_visible()
    page.locator("#attention-count").evaluate("count => count.innerHTML = '<b>12</b>'")

    name = page.locator(".menu .who").evaluate("name => [name.clientWidth, name.scrollWidth]")

    assert name[0] == name[1]
    assert page.evaluate("document.documentElement.scrollWidth") == width
