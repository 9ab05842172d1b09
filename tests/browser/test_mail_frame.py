"""An email is shown as it is sent, in a frame in which nothing that anybody wrote can run, load or send anything."""

from collections.abc import Iterator

import pytest
from django.urls import reverse
from playwright.sync_api import Browser, Page, Route, expect

from accounts.models import Role, User
from campaigns.authoring import create_campaign
from campaigns.mail.compiling import compiled
from campaigns.models import Campaign, Format
from tests.browser.conftest import log_in
from tests.campaigns.mail import hostile
from tests.make import make_member, make_recipient, make_workspace

PAYLOADS = [payload.replace("\x00", "") for payload in hostile.PAYLOADS]  # no row could hold it


@pytest.fixture
def ann(transactional_db) -> User:
    workspace = make_workspace("Acme Kenya")
    return make_member(workspace, Role.OWNER, email="ann@example.com", name="Ann")


class Watched:
    """A logged in page, with all that it did behind our back."""

    def __init__(self, chromium: Browser, address: str) -> None:
        self.page = chromium.new_page()
        self.did: list[str] = []
        self.said: list[str] = []
        log_in(self.page, address)
        self.page.on("dialog", lambda dialog: (self.did.append(f"dialog {dialog.message}"), dialog.dismiss()))
        # What the policy refuses is never asked for, so it is not heard of here.
        self.page.route(lambda url: not url.startswith(address), self.asked)
        self.page.on("popup", lambda popup: self.did.append(f"popup {popup.url}"))
        self.page.on("console", lambda line: self.said.append(line.text) if line.type == "error" else None)

    def asked(self, route: Route) -> None:
        self.did.append(f"request {route.request.url}")
        route.fulfill(body="")


@pytest.fixture
def watched(chromium, web, ann) -> Iterator[Watched]:
    watched = Watched(chromium, web)
    yield watched
    watched.page.close()


def hostile_campaign(workspace, ann: User) -> Campaign:
    """Every payload in the body, and in the names that stand in text, attributes and addresses of it."""
    for payload in PAYLOADS[:30]:
        make_recipient(workspace, first_name=payload[:100], last_name=payload[:100])
    places = (
        '<p title="{first_name}">{first_name|<b>}</p><a href="{last_name}">x</a><a href="https://x.org/{last_name}">'
    )
    body = f"{places}</a>{''.join(f'<div>{payload}</div>' for payload in PAYLOADS if 'plaintext' not in payload)}"
    made = compiled(Format.HTML, body)
    assert made.problems
    campaign = create_campaign(
        workspace, by=ann, name="Hostile", subject="{first_name}", body="x", format=Format.HTML, everyone=True
    )
    Campaign.objects.filter(pk=campaign.pk).update(body=body, html=made.html, plain=made.plain)
    return campaign


def test_what_is_compiled_runs_nothing_and_breaks_no_policy(watched, web, ann):
    campaign = hostile_campaign(ann.workspaces.get(), ann)
    people = ann.workspaces.get().recipients.all()

    for person in people:
        watched.page.goto(f"{web}{reverse('campaign-mail', args=[campaign.pk])}?person={person.pk}")
    watched.page.goto(f"{web}{reverse('check', args=[campaign.pk])}")
    watched.page.goto(f"{web}{reverse('campaign-edit', args=[campaign.pk])}")
    watched.page.wait_for_timeout(500)

    assert watched.did == []
    assert watched.said == []


def test_the_frame_alone_would_hold_what_nobody_sanitised_also_when_it_is_opened_by_itself(watched, web, ann):
    workspace = ann.workspaces.get()
    make_recipient(workspace)
    campaign = create_campaign(
        workspace, by=ann, name="Raw", subject="x", body="<p>x</p>", format=Format.HTML, everyone=True
    )
    frame = f"{web}{reverse('campaign-mail', args=[campaign.pk])}"

    for nth in range(0, len(PAYLOADS), 8):
        raw = "".join(payload for payload in PAYLOADS[nth : nth + 8] if "{" not in payload)
        raw = raw.replace("src=x", "src=data:x")  # a picture from our own server would be shown
        Campaign.objects.filter(pk=campaign.pk).update(html=f"<!DOCTYPE html><html><body>{raw}</body></html>")
        watched.page.goto(frame)
        watched.page.goto(f"{web}{reverse('check', args=[campaign.pk])}")

    assert watched.did == []
    assert any("script" in line for line in watched.said)  # the browser had something to refuse


def test_the_editor_shows_what_is_typed_as_it_will_be_sent(watched, web, ann):
    make_recipient(ann.workspaces.get(), first_name="Alice")
    page: Page = watched.page
    page.goto(web + reverse("campaign-new"))

    page.get_by_label("Name", exact=True).fill("News")
    page.get_by_label("Written as").select_option("mjml")
    page.get_by_role("button", name="Start from an example").click()
    email = page.frame_locator(".mail-frame iframe").last
    expect(email.get_by_text("Hello Alice")).to_be_visible()
    page.get_by_text("Its text part").click()
    page.get_by_role("button", name="Dark").click()
    page.get_by_role("button", name="Desktop").click()
    page.get_by_label("Subject").fill("Hi {first_name}")
    expect(page.locator("#preview .subject")).to_have_text("Hi Alice")
    expect(page.locator("#preview .bubble")).to_be_visible()  # open still, though all was drawn anew
    page.locator("#body").fill("<mjml><mj-body><mj-section><mj-column><mj-tex>x</mj-tex></mj-column>")
    expect(page.get_by_text("Line 1: <mj-section> is never closed.")).to_be_visible()
    page.get_by_role("button", name="Save draft").click()

    expect(page.get_by_text("It is saved, and cannot be sent like this.")).to_be_visible()
    assert watched.did == [] and watched.said == []
