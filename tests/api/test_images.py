"""/images: pictures taken in, listed, described and deleted."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.http import HttpResponse

from accounts.models import Role
from campaigns.models import Image
from campaigns.pictures import MOST_BYTES
from tests.api.calls import Program, error_of
from tests.campaigns.pictures import a_picture
from tests.dispatcher.outcomes import launched, sent
from tests.make import make_campaign, make_workspace

pytestmark = pytest.mark.django_db


@pytest.fixture
def program() -> Program:
    return Program(make_workspace(), Role.EDITOR)


def add(program: Program, data: bytes | None = None, **form: str) -> HttpResponse:
    file = SimpleUploadedFile("banner.png", a_picture() if data is None else data)
    return program.call("post", "/api/images", data={"file": file} | form)


def shown_in(image: dict) -> str:
    return f'<p>Hi</p><img src="{image["address"]}" alt="A banner">'


def test_a_picture_is_taken_in_once_and_described(program):
    first, second = add(program, alt="Two people running"), add(program)

    assert (first.status_code, first.json()) == (201, second.json())
    image = first.json()
    assert (image["name"], image["alt"], image["format"]) == ("banner.png", "Two people running", "png")
    assert Image.objects.get().address == image["address"]
    changed = program.patch(f"/api/images/{image['id']}", {"name": "Banner"}).json()
    assert changed == image | {"name": "Banner"}
    assert program.walk("/api/images", q="bann") == [changed]


@pytest.mark.parametrize("data", [b"", b"no picture", b"x" * (MOST_BYTES + 1)])
def test_what_is_no_picture_is_told(program, data):
    answer = add(program, data)

    assert (answer.status_code, list(error_of(answer)["details"])) == (400, ["file"])
    assert not Image.objects.exists()


def test_a_description_that_cannot_be_is_told(program):
    assert add(program, alt="x" * 301).status_code == 400
    assert not Image.objects.exists()
    path = f"/api/images/{add(program).json()['id']}"

    for change, field in (({"name": ""}, "name"), ({"alt": "x" * 301}, "alt"), ({}, "body")):
        answer = program.patch(path, change)
        assert (answer.status_code, list(error_of(answer)["details"])) == (400, [field])


def test_a_picture_that_a_draft_shows_is_deleted_only_if_that_is_wanted(program):
    image = add(program).json()
    path = f"/api/images/{image['id']}"
    make_campaign(program.workspace, name="Spring", format=3, body=shown_in(image))

    assert program.get(f"{path}/uses").json() == {"kept_by": [], "drafts": ["Spring"], "templates": []}
    refused = program.delete(path)
    assert (refused.status_code, "even_if_used" in error_of(refused)["message"]) == (409, True)
    assert program.delete(f"{path}?even_if_used=true").status_code == 204
    assert not Image.objects.exists()


def test_a_picture_that_was_sent_stays(program):
    image = add(program).json()
    launched(make_campaign(program.workspace, people=1, name="Spring", format=3, body=shown_in(image)), *sent())

    answer = program.delete(f"/api/images/{image['id']}?even_if_used=true")

    assert (answer.status_code, "Spring" in error_of(answer)["message"]) == (409, True)
