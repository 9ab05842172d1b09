"""Pictures are added by hand and by mouse, and used."""

import pytest
from playwright.sync_api import expect

from accounts.models import Role
from campaigns.images import add_image
from tests.browser.conftest import log_in
from tests.campaigns.pictures import a_picture
from tests.make import make_member, make_workspace

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def page(chromium, web):
    workspace = make_workspace("Acme Kenya")
    make_member(workspace, Role.EDITOR, email="ann@example.com", name="Ann")
    window = chromium.new_context(viewport={"width": 1280, "height": 800})
    window.workspace = workspace
    yield log_in(window.new_page(), web)
    window.close()


def test_chosen_pictures_go_up_at_once_and_what_is_none_is_said_by_name(page, web):
    page.goto(f"{web}/images/")

    page.set_input_files(
        "#files",
        [
            {"name": "shoes.png", "mimeType": "image/png", "buffer": a_picture(colour="red")},
            {"name": "logo.svg", "mimeType": "image/svg+xml", "buffer": b"<svg><script>alert(1)</script></svg>"},
        ],
    )

    expect(page.get_by_role("heading", name="shoes.png")).to_be_visible()
    expect(page.get_by_role("alert").filter(has_text="logo.svg is not taken. SVG can hold scripts")).to_be_visible()
    assert page.get_by_text("There are no pictures yet").count() == 0
    page.reload()
    expect(page.get_by_role("heading", name="shoes.png")).to_be_visible()


def test_a_picture_far_too_large_is_told_its_size_and_what_is_the_most(page, web):
    page.goto(f"{web}/images/")

    page.set_input_files("#files", {"name": "huge.jpg", "mimeType": "image/jpeg", "buffer": bytes(16_500_000)})

    sentence = "huge.jpg is not taken. It has 15.8 MB; 5 MB is the most."
    expect(page.get_by_role("alert").filter(has_text=sentence)).to_be_visible()


def test_a_picture_is_dropped_anywhere_on_the_page(page, web):
    page.goto(f"{web}/images/")
    held = page.evaluate_handle(
        """bytes => {
            const held = new DataTransfer();
            held.items.add(new File([new Uint8Array(bytes)], "dropped.png", { type: "image/png" }));
            return held;
        }""",
        list(a_picture()),
    )

    page.dispatch_event("h1", "dragenter", {"dataTransfer": held})
    assert "is-over" in page.locator("form[data-drop]").get_attribute("class")
    page.dispatch_event("h1", "drop", {"dataTransfer": held})

    expect(page.get_by_role("heading", name="dropped.png")).to_be_visible()
    assert "is-over" not in page.locator("form[data-drop]").get_attribute("class")


def test_a_picture_is_put_where_the_cursor_is_by_keyboard(page, web):
    image = add_image(page.context.workspace, by=None, name="banner.png", data=a_picture(size=(1200, 300)))
    page.goto(f"{web}/campaigns/new/")
    page.get_by_label("Written as").select_option("html")
    page.locator("#body").fill("<p>before</p>after")
    page.evaluate("document.getElementById('body').setSelectionRange(13, 13)")
    page.get_by_label("Subject").fill("Spring")

    page.get_by_text("Put in a picture").focus()
    page.keyboard.press("Enter")
    page.get_by_role("button", name="banner.png").press("Enter")

    markup = f'<img src="{image.address}" alt="" width="600" style="max-width:100%;height:auto">'
    assert page.locator("#body").input_value() == f"<p>before</p>{markup}after"
    assert page.get_by_label("Subject").input_value() == "Spring"
