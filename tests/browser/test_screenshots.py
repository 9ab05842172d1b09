"""Every page in a real browser, narrow and wide, by day and by night: it fits, obeys the policy and can be pressed.

With SCREENSHOTS=DIR in the environment a picture of each is left there.
"""

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from django.conf import settings
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import Page

from accounts.api_keys import make_key, revoke_key
from accounts.members import invite
from accounts.models import Role
from campaigns.authoring import create_campaign
from campaigns.models import Campaign, Channel
from dispatcher import engine, operations, recurring, senders, shelf
from dispatcher.models import Category
from dispatcher.senders.parcel import Refused, Unsure
from people import imports
from people.models import Recipient
from tests.browser.conftest import await_answer
from tests.dispatcher.outcomes import failed, launched, sent
from tests.dispatcher.scripted import Script
from tests.dispatcher.shift import database_url
from tests.make import make_group, make_member, make_recipient, make_recipients, make_series, make_workspace

PASSWORD = "a-long-enough-password"
LIST = """email;first_name;phone;city
zoe@example.com;Zoë;+254722111222;Thika
zoe@example.com;Zoë;+254722111222;Thika
not an address;Nobody;;
ünal@example.com;Ünal;0712 345 678;
"""
EMPTY = ("campaigns", "people", "groups", "imports", "attention", "dead-letters", "queue")
NAMES = "Alice Johnson,Brian Otieno,Carol Wanjiru,David Mwangi,Esther Achieng,Felix Kamau,Grace Njeri,Ian Mutua"

OVERFLOWING = """() => document.documentElement.scrollWidth <= innerWidth ? [] :
    [...document.querySelectorAll("body *")].filter(e => e.getBoundingClientRect().right > innerWidth + 1)
    .map(e => e.outerHTML.slice(0, 120))"""
PRESSED = ".btn, .chip, .choice, .option, nav a, summary, main button, select"
TOO_SMALL = f"""() => [...document.querySelectorAll("{PRESSED}")]
    .filter(e => e.checkVisibility() && !e.closest(".picked") && e.getBoundingClientRect().height < 43.5)
    .map(e => e.outerHTML.slice(0, 120))"""


@pytest.fixture
def site(transactional_db, monkeypatch) -> Iterator[tuple[str, dict[str, str]]]:
    """The address of a server, and the pages of a workspace in which everything happened once."""
    pages = furnish(monkeypatch)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    env = {k: v for k, v in os.environ.items() if k != "DJANGO_ALLOW_ASYNC_UNSAFE"} | {"DATABASE_URL": database_url()}
    command = [sys.executable, "manage.py", "serve", "--port", str(port)]
    server = subprocess.Popen(command, cwd=settings.BASE_DIR, env=env)
    try:
        await_answer(f"http://127.0.0.1:{port}{reverse('login')}")
        yield f"http://127.0.0.1:{port}", pages
    finally:
        # Before the database is flushed: an open connection of the server would block that.
        server.terminate()
        server.wait(10)


def furnish(monkeypatch) -> dict[str, str]:
    """People, groups, and a campaign in each kind of state; returns the pages to look at by name."""
    provider = Script(honours_keys=False)
    monkeypatch.setitem(senders.SENDERS, "scripted", provider)
    monkeypatch.setattr(settings, "SENDERS", dict.fromkeys(("email", "sms", "whatsapp"), "scripted"))
    workspace = make_workspace("Acme Kenya", time_zone="Africa/Nairobi")
    ann = make_member(workspace, Role.OWNER, email="ann@example.com", name="Ann Mwende", password=PASSWORD)
    people = [
        make_recipient(
            workspace, first_name=first, last_name=last, location="Nairobi", preferred_product="Running Shoes"
        )
        for first, last in (name.split() for name in NAMES.split(",") * 5)
    ]
    customers = make_group(workspace, *people, name="Customers", description="Who bought something")
    make_group(workspace, name="Customers who bought something expensive a long time ago")
    make_recipient(workspace, first_name="Opted", last_name="Out", opted_out=True).groups.add(customers)
    provider.answers[people[2].email] = provider.answers[people[9].email] = [
        Refused("550 no such mailbox", category="bounced")
    ]
    provider.answers[people[3].email] = [Unsure("no answer in 10 s", category="timeout")]

    def write(name: str, **fields) -> Campaign:
        content = {"subject": "{first_name|there}, spring is here", "groups": [customers.pk]} | fields
        body = "Hi {first_name}, {preferred_product} are on sale in {location}."
        return create_campaign(workspace, by=ann, name=name, body=body, **content)

    over, paused = write("Spring launch"), write("Loyalty points, for all who have been with us for years")
    draft = write("Welcome series, May", channel=Channel.SMS, excluded=[people[0].pk], picked=[people[1].pk])
    write("Weekend offer", channel=Channel.WHATSAPP, scheduled_at=timezone.now() + timedelta(days=2))
    operations.launch(over, by=ann)
    engine.work(seconds=3)
    operations.launch(paused, by=ann)
    operations.pause(paused, by=ann, reason="wrong price?")
    sending = launched(write("Summer sale"), *sent(17), *failed(Category.PROVIDER_DOWN, 4))
    broken = write("Written in a hurry", groups=[])
    weekly = make_series(write("Weekly news", priority=Campaign.Priority.LOW), by=ann, count=10)
    recurring.skip_next(weekly, by=ann)
    ended = make_series(write("Ended series"), by=ann)
    recurring.end_series(ended, by=ann)
    old = launched(write("Last year's sale"), *sent(40), *failed(Category.TEMPLATE_ERROR))
    Campaign.objects.filter(pk=old.pk).update(status=Campaign.Status.SENT, finished_at=timezone.now())
    shelf.archive(old, by=ann)
    preparing = write("A very large audience")
    Campaign.objects.filter(pk=preparing.pk).update(status=Campaign.Status.PREPARING, launched_at=timezone.now())
    upload = imports.start_import(workspace, name="customers.csv", source=LIST, group=customers, by=ann)
    imports.carry_out(upload.pk)
    mary = make_member(workspace, Role.MARKETER, email="mary.wambui@example.com", name="Mary Wambui")
    member = workspace.memberships.get(user=mary)
    _, token = invite(workspace, "a-colleague-with-a-long-address@example.com", Role.EDITOR, by=ann)
    key, _ = make_key(workspace, name="Shop of Nairobi West", role=Role.MARKETER, by=ann)
    make_key(workspace, name="Till", role=Role.EDITOR, by=ann, expires_at=timezone.now() + timedelta(days=9))
    revoke_key(make_key(workspace, name="Old till", role=Role.VIEWER, by=ann)[0], by=ann)
    nobody = make_workspace("Nothing here yet")
    make_member(nobody, Role.VIEWER, email="vic@example.com", name="Vic", password=PASSWORD)
    return {
        "campaigns": reverse("campaigns"),
        "campaigns-filtered": f"{reverse('campaigns')}?channel=email&q=s",
        "campaigns-none": f"{reverse('campaigns')}?status=failed&q=winter",
        "campaigns-archived": f"{reverse('campaigns')}?show=archived",
        "campaign-archived": reverse("campaign", args=[old.pk]),
        "campaign-next": reverse("campaign", args=[weekly.occurrences.get(nth=2).pk]),
        "campaign-next-edit": reverse("campaign-edit", args=[weekly.occurrences.get(nth=2).pk]),
        "change-time": reverse("schedule", args=[weekly.occurrences.get(nth=2).pk]),
        "all-series": reverse("all-series"),
        "series": reverse("series", args=[weekly.pk]),
        "series-ended": reverse("series", args=[ended.pk]),
        "series-skip": reverse("skip_next", args=[weekly.pk]),
        "series-end": reverse("end_series", args=[weekly.pk]),
        "series-rule": reverse("change_rule", args=[weekly.pk]),
        "change-priority": reverse("change_priority", args=[sending.pk]),
        "delete-over": reverse("campaign-delete", args=[old.pk]),
        "campaign-sent": reverse("campaign", args=[over.pk]),
        "campaign-sending": reverse("campaign", args=[sending.pk]),
        "campaign-preparing": reverse("campaign", args=[preparing.pk]),
        "campaign-paused": reverse("campaign", args=[paused.pk]),
        "campaign-draft": reverse("campaign", args=[draft.pk]),
        "message": reverse("message", args=[over.pk, 1]),
        "confirm": reverse("confirm", args=[paused.pk, "cancel"]),
        "check": reverse("check", args=[draft.pk]),
        "check-schedule": f"{reverse('check', args=[draft.pk])}#schedule",
        "check-refused": reverse("check", args=[broken.pk]),
        "campaign-new": reverse("campaign-new"),
        "campaign-edit": reverse("campaign-edit", args=[draft.pk]),
        "campaign-delete": reverse("campaign-delete", args=[draft.pk]),
        "not-editable": reverse("campaign-edit", args=[over.pk]),
        "people": reverse("people"),
        "person": reverse("person-edit", args=[people[0].pk]),
        "groups": reverse("groups"),
        "group": reverse("group-edit", args=[customers.pk]),
        "imports": reverse("imports"),
        "import-new": reverse("import-new"),
        "import": reverse("import", args=[upload.pk]),
        "account": reverse("account"),
        "change-password": reverse("change-password"),
        "two-factor": reverse("two-factor"),
        "workspace-new": reverse("workspace-new"),
        "settings": reverse("settings"),
        "audit-log": reverse("audit-log"),
        "audit-log-accounts": reverse("audit-log") + "?part=accounts",
        "api-keys": reverse("api-keys"),
        "revoke-key": reverse("revoke-key", args=[key.pk]),
        "audit-log-filtered": reverse("audit-log") + "?kind=campaign&verb=launch",
        "senders": reverse("senders"),
        "sender-smtp": reverse("sender", args=["email"]) + "?sender=smtp",
        "sender-simulated": reverse("sender", args=["sms"]) + "?sender=simulated",
        "members": reverse("members"),
        "member": reverse("member", args=[member.pk]),
        "member-remove": reverse("member-remove", args=[member.pk]),
        "join": reverse("join", args=[token]),
        "attention": reverse("attention"),
        "dead-letters": reverse("dead-letters"),
        "dead-letters-of": reverse("dead-letters-of", args=[over.pk]),
        "dead-letters-dismiss": reverse("dismiss"),
        "queue": reverse("queue"),
        "not-found": "/nowhere/",
    }


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [375, 768, 1280])
def test_every_page_fits_obeys_the_policy_and_can_be_pressed(chromium, site, width, theme):
    address, pages = site
    phone = width < 640
    window = chromium.new_context(
        viewport={"width": width, "height": 800}, color_scheme=theme, is_mobile=phone, has_touch=phone
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

    look_at("login", reverse("login"))
    look_at("forgot-password", reverse("forgot-password"))
    look_at("forgot-password-sent", reverse("forgot-password-sent"))
    log_in(page, address, "ann@example.com")
    for name, path in pages.items():
        look_at(name, path)
    window.clear_cookies()
    log_in(page, address, "vic@example.com")
    for name in EMPTY:
        look_at(f"empty-{name}", pages[name])
    window.close()

    expected = ("-- ", "Failed to load resource: the server responded with a status of 4")
    assert [line for line in complaints if not line.startswith(expected)] == [], complaints


def log_in(page: Page, address: str, email: str) -> None:
    page.goto(address + reverse("login"))
    page.get_by_label("Email address").fill(email)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    page.wait_for_url(address + reverse("campaigns"))


def picture(page: Page, name: str, *, full_page: bool = True) -> None:
    if folder := os.environ.get("SCREENSHOTS"):
        Path(folder).mkdir(parents=True, exist_ok=True)
        page.screenshot(path=Path(folder) / f"{name}.png", full_page=full_page)


def test_the_page_of_a_campaign_that_is_being_sent_is_live(chromium, house):
    workspace = make_workspace("Acme Kenya", time_zone="Africa/Nairobi")
    ann = make_member(workspace, Role.OWNER, email="ann@example.com", name="Ann Mwende", password=PASSWORD)
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
    log_in(page, house.address, "ann@example.com")
    page.goto(f"{house.address}{reverse('check', args=[campaign.pk])}")

    page.get_by_role("button", name="Send 1,000 emails").click()
    page.wait_for_function("() => parseInt(document.querySelector('.pct strong')?.textContent) >= 60", timeout=60_000)

    page.keyboard.press("Escape")  # puts the notice away
    assert page.locator("#live").inner_text() == "Live"
    assert page.locator("[id$=-why]").inner_text().startswith("Sending.")
    picture(page, "live", full_page=False)
