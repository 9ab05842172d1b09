"""The pictures of a workspace: who adds and sees them, what mail programs are given, and when they may be deleted."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import AuditEntry, Role
from campaigns import images
from campaigns.image_markup import markup_of
from campaigns.images import ImageInUse, add_image, change_image, uses_of
from campaigns.mail.compiling import compiled
from campaigns.models import Campaign, Format, Image, Wording
from campaigns.pictures import NotAPicture
from tests.campaigns.pictures import CANARY, a_picture, telling_a_place
from tests.make import logged_in, make_campaign, make_series, make_workspace

pytestmark = pytest.mark.django_db


def make_image(workspace=None, *, colour: str = "teal", **fields) -> Image:
    fields = {"name": "banner.png", "data": a_picture(colour=colour)} | fields
    return add_image(workspace or make_workspace(), by=None, **fields)


def sent_in(name: str, data: bytes) -> SimpleUploadedFile:
    return SimpleUploadedFile(name, data, content_type="text/html")


def showing(image: Image, **fields) -> Campaign:
    return make_campaign(image.workspace, body=f"Look: {image.address}", **fields)


# --- adding ---


def test_a_picture_is_added_whatever_its_name_and_declared_type_say(settings):
    settings.PUBLIC_URL = "https://mail.example.com"
    workspace = make_workspace()

    answer = logged_in(workspace, Role.EDITOR).post(
        reverse("image-add"), {"files": sent_in("../../x.html", telling_a_place("JPEG"))}, follow=True
    )

    image = workspace.images.get()
    assert (image.name, image.get_format_display(), image.width, image.height) == ("x.html", "JPEG", 60, 40)
    assert image.address == f"https://mail.example.com/i/{image.token}.jpg"
    assert "x.html” is here" in answer.content.decode()
    assert CANARY not in bytes(image.file.data) + bytes(image.file.small)


def test_those_that_are_too_many_at_once_are_told_of():
    workspace = make_workspace()
    files = [sent_in(f"{n}.png", a_picture(size=(n, 1))) for n in range(1, 23)]

    answer = logged_in(workspace, Role.EDITOR).post(reverse("image-add"), {"files": files}, follow=True)

    assert workspace.images.count() == 20
    assert "Still to add: 2, from “21.png” on." in answer.content.decode()


def test_some_are_taken_and_what_is_no_picture_is_named():
    workspace = make_workspace()

    answer = logged_in(workspace, Role.EDITOR).post(
        reverse("image-add"), {"files": [sent_in("a.png", a_picture()), sent_in("b.png", b"<svg/>")]}, follow=True
    )

    assert workspace.images.count() == 1
    assert "“b.png” is not taken. SVG can hold scripts" in answer.content.decode()


def test_a_script_is_answered_with_the_picture_or_a_sentence():
    browser = logged_in(make_workspace(), Role.EDITOR)
    browser.defaults["HTTP_X_REQUESTED_WITH"] = "XMLHttpRequest"

    taken = browser.post(reverse("image-add"), {"files": sent_in("a.png", a_picture())})
    refused = browser.post(reverse("image-add"), {"files": sent_in("a.png", bytes(5 * 1024**2 + 1))})

    assert (taken.status_code, refused.status_code) == (201, 422)
    assert "<h2>" in taken.content.decode()
    assert refused.content.decode() == "It has 5.1 MB; 5 MB is the most."


def test_the_same_picture_sent_in_twice_is_one():
    workspace = make_workspace()

    first, second = make_image(workspace), make_image(workspace, name="again.png")

    assert first == second
    assert AuditEntry.objects.count() == 1
    assert make_image(make_workspace()) != first


def test_a_workspace_cannot_fill_the_disk(monkeypatch):
    workspace = make_workspace()
    monkeypatch.setattr(images, "MOST_OF_ALL", make_image(workspace).size)

    with pytest.raises(NotAPicture, match="Delete some"):
        make_image(workspace, colour="red")


# --- served to whoever reads a mail ---


def test_a_picture_is_served_to_everybody_for_ever_without_a_cookie():
    image = make_image()
    reader = Client()

    answer = reader.get(image.path)

    assert answer.content == bytes(image.file.data)
    assert answer.headers["Content-Type"] == "image/png"
    assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert answer.headers["Content-Security-Policy"] == "default-src 'none'; sandbox"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Cross-Origin-Resource-Policy"] == "cross-origin"
    assert not answer.cookies
    assert "Cookie" not in answer.headers.get("Vary", "")
    assert reader.head(image.path).status_code == 200
    assert reader.post(image.path).status_code == 405
    assert reader.get(image.small_path).headers["Content-Type"] == "image/webp"


def test_serving_asks_the_database_once(django_assert_num_queries):
    path = make_image().path

    with django_assert_num_queries(1):
        Client().get(path)


@pytest.mark.parametrize("name", ["{token}", "{token}.html", "{token}.jpg", "x.png", ".png", "%7Btoken%7D.png"])
def test_any_other_address_shows_nothing(name):
    answer = Client().get(f"/i/{name.format(token=make_image().token)}")

    assert answer.status_code == 404
    assert answer.headers["Content-Type"].startswith("text/plain")
    assert not answer.cookies


# --- the pages ---


def test_the_list_shows_the_pictures_of_the_workspace_and_finds_them_by_their_words():
    workspace = make_workspace()
    make_image(workspace, name="logo.png")
    make_image(workspace, name="shoes.png", colour="red")
    make_image(name="elsewhere.png")
    browser = logged_in(workspace, Role.VIEWER)

    page = browser.get(reverse("images")).content.decode()
    found = browser.get(reverse("images"), {"q": "SHOE"}).content.decode()

    assert "logo.png" in page and "shoes.png" in page and "elsewhere.png" not in page
    assert "shoes.png" in found and "logo.png" not in found
    assert "Add pictures" not in page


def test_every_picture_of_a_long_list_is_on_one_page(monkeypatch):
    workspace = make_workspace()
    monkeypatch.setattr("campaigns.image_views.SHOWN", 2)
    for colour in ("red", "green", "blue"):
        make_image(workspace, name=f"{colour}.png", colour=colour)
    browser = logged_in(workspace, Role.VIEWER)

    first = browser.get(reverse("images"))
    second = browser.get(reverse("images"), {"before": first.context["following"]})

    assert [image.name for image in first.context["images"]] == ["blue.png", "green.png"]
    assert [image.name for image in second.context["images"]] == ["red.png"]


def test_a_picture_is_described_and_named():
    image = make_image()

    logged_in(image.workspace, Role.EDITOR).post(
        reverse("image", args=[image.pk]), {"name": "Banner", "alt": "Two people running"}
    )

    image.refresh_from_db()
    assert (image.name, image.alt) == ("Banner", "Two people running")


def test_a_picture_needs_a_name_and_words_that_can_be_shown():
    image = make_image()
    browser = logged_in(image.workspace, Role.EDITOR)

    for typed in ({"name": "", "alt": "x"}, {"name": "x", "alt": "a\nb"}, {"name": "x" * 201, "alt": ""}):
        answer = browser.post(reverse("image", args=[image.pk]), typed)
        assert answer.status_code == 422, typed

    image.refresh_from_db()
    assert (image.name, image.alt) == ("banner.png", "")


# --- deleting ---


def test_a_picture_nothing_uses_is_deleted_and_its_address_shows_nothing():
    image = make_image()

    logged_in(image.workspace, Role.EDITOR).post(reverse("image-delete", args=[image.pk]))

    assert not Image.objects.exists()
    assert Client().get(image.path).status_code == 404


@pytest.mark.parametrize("status", [s for s in Campaign.Status if s not in (1, 8)])
def test_a_picture_of_what_was_sent_or_will_be_by_itself_stays(status):
    image = make_image()
    campaign = showing(image, name="Spring", scheduled_at=timezone.now())
    Campaign.objects.filter(pk=campaign.pk).update(status=status, launched_at=timezone.now())
    browser = logged_in(image.workspace, Role.OWNER)

    asked = browser.get(reverse("image-delete", args=[image.pk]))
    answer = browser.post(reverse("image-delete", args=[image.pk]))

    assert "Spring" in asked.content.decode() and "Delete image" not in asked.content.decode()
    assert answer.status_code == 409
    assert Image.objects.exists()


def test_a_picture_of_a_cancelled_campaign_stays_if_somebody_got_it():
    image = make_image()
    campaign = showing(image)
    Campaign.objects.filter(pk=campaign.pk).update(status=Campaign.Status.CANCELLED)
    assert not uses_of(image).is_kept

    Campaign.objects.filter(pk=campaign.pk).update(launched_at=timezone.now())

    assert uses_of(image).is_kept


def test_a_picture_in_the_words_of_one_variant_stays():
    image = make_image()
    campaign = make_campaign(image.workspace)
    Wording.objects.create(campaign=campaign, variant=2, body=f"Look: {image.address}")
    Campaign.objects.filter(pk=campaign.pk).update(status=Campaign.Status.SENDING)

    assert uses_of(image).kept_by == [campaign]


def test_a_picture_of_a_series_that_goes_on_stays():
    image = make_image()
    series = make_series(make_campaign(image.workspace, people=1, body=f"Look: {image.address}"))
    series.occurrences.all().delete()

    with pytest.raises(ImageInUse, match=series.name):
        images.delete_image(image, by=None, seen=[])


def test_a_picture_in_a_variant_of_a_series_that_goes_on_stays():
    image = make_image()
    campaign = make_campaign(image.workspace, people=1)
    Wording.objects.create(campaign=campaign, variant=2, body=f"Look: {image.address}")
    series = make_series(campaign)
    series.occurrences.all().delete()

    assert uses_of(image).series == [series]


def test_whoever_deletes_a_picture_is_told_which_drafts_lose_it():
    image = make_image()
    seen = showing(image, name="Draft of Ann")
    browser = logged_in(image.workspace, Role.EDITOR)

    assert "Draft of Ann" in browser.get(reverse("image-delete", args=[image.pk])).content.decode()

    showing(image, name="Draft of Ben")
    answer = browser.post(reverse("image-delete", args=[image.pk]), {"seen": [f"campaign {seen.pk}"]})
    assert answer.status_code == 409 and "Draft of Ben" in answer.content.decode()

    browser.post(reverse("image-delete", args=[image.pk]), {"seen": [*answer.context["uses"].losing]})
    assert not Image.objects.exists()


# --- put into a message ---


def test_a_picture_is_put_into_a_message_as_its_format_writes_one(settings):
    settings.PUBLIC_URL = "https://mail.example.com"
    image = make_image(data=a_picture(size=(1200, 300)))
    change_image(image, by=None, name="Banner", alt='Shoes "for you" [new] <b>')

    for format in (Format.MARKDOWN, Format.HTML, Format.MJML):
        markup = markup_of(image)[format.word]
        body = f"<mjml><mj-body><mj-section><mj-column>{markup}</mj-column></mj-section></mj-body></mjml>"
        made = compiled(format, body if format == Format.MJML else markup)
        assert not made.problems
        assert f'src="{image.address}"' in made.html
        assert "Shoes &quot;for you&quot; [new] &lt;b&gt;" in made.html
    assert markup_of(image)["text"] == image.address


def test_pictures_are_chosen_from_those_of_the_workspace():
    workspace = make_workspace()
    make_image(workspace, name="logo.png")
    make_image(workspace, name="shoes.png", colour="red")
    make_image(name="elsewhere.png", colour="blue")
    browser = logged_in(workspace, Role.EDITOR)

    every, some = (browser.get(reverse("image-choose"), asked).content.decode() for asked in ({}, {"picture": "LOGO"}))

    assert "logo.png" in every and "shoes.png" in every and "elsewhere.png" not in every
    assert "logo.png" in some and "shoes.png" not in some
