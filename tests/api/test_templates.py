"""/templates: written, listed, changed in versions, archived and deleted."""

import pytest

from accounts.models import Role
from campaigns import library
from tests.api.calls import Program, error_of
from tests.campaigns.test_library import make_template
from tests.make import make_workspace

pytestmark = pytest.mark.django_db
WELCOME = {"name": "Welcome", "subject": "Hi {first_name}", "format": "markdown", "base_template": "# Hello"}


@pytest.fixture
def program() -> Program:
    return Program(make_workspace(), Role.EDITOR)


def test_a_template_is_written_changed_in_versions_and_read_back(program):
    written = program.post("/api/templates", WELCOME)
    path = f"/api/templates/{written.json()['id']}"
    changed = program.patch(path, {"base_template": "# Bye", "version": 1})

    assert (written.status_code, changed.status_code) == (201, 200)
    assert (written.json()["version"], written.json()["channel"], written.json()["archived"]) == (1, "email", False)
    assert (changed.json()["version"], changed.json()["base_template"]) == (2, "# Bye")
    assert (changed.json()["subject"], changed.json()["format"]) == ("Hi {first_name}", "markdown")
    assert program.get(path).json() == changed.json()
    versions = program.get(f"{path}/versions").json()
    assert [(each["version"], each["base_template"]) for each in versions] == [(2, "# Bye"), (1, "# Hello")]


def test_templates_are_listed_by_channel_and_without_the_archive(program):
    for name, channel in (("Welcome", "email"), ("Offer", "sms"), ("Old", "sms")):
        body = {"name": name, "channel": channel, "base_template": "Hi"}
        number = program.post("/api/templates", body).json()["id"]
    program.patch(f"/api/templates/{number}", {"archived": True})
    make_template(name="Elsewhere")

    def names(**query) -> list[str]:
        return [each["name"] for each in program.get("/api/templates", **query).json()["data"]]

    assert names() == ["Offer", "Welcome"]
    assert names(channel="sms") == ["Offer"]
    assert names(archived="true") == ["Old"]
    program.patch(f"/api/templates/{number}", {"archived": False})
    assert names(channel="sms") == ["Old", "Offer"]


def test_what_cannot_be_is_refused_with_the_field(program):
    program.post("/api/templates", WELCOME)

    taken = program.post("/api/templates", WELCOME | {"name": "WELCOME"})
    unknown = program.post("/api/templates", WELCOME | {"name": "Other", "base_template": "{nobody_has_this}"})
    empty = program.post("/api/templates", WELCOME | {"name": "Other", "base_template": " "})

    assert (taken.status_code, error_of(taken)["code"]) == (409, "DUPLICATE")
    assert (unknown.status_code, error_of(unknown)["code"]) == (400, "INVALID_TEMPLATE")
    assert (empty.status_code, error_of(empty)["code"]) == (400, "VALIDATION_ERROR")
    assert [*error_of(empty)["details"]] == ["base_template"]


def test_a_version_written_since_is_not_followed_unseen(program):
    number = program.post("/api/templates", WELCOME).json()["id"]
    program.patch(f"/api/templates/{number}", {"base_template": "Ann's"})

    late = program.patch(f"/api/templates/{number}", {"base_template": "Ben's", "version": 1})

    assert (late.status_code, error_of(late)["code"]) == (409, "CONFLICT")


def test_two_changes_at_once_keep_each_other(program, monkeypatch):
    path = f"/api/templates/{program.post('/api/templates', WELCOME).json()['id']}"
    change = library.change_template

    def meanwhile(*given, **fields):
        monkeypatch.undo()
        program.patch(path, {"name": "Karibu", "subject": "Ann's"})
        return change(*given, **fields)

    monkeypatch.setattr(library, "change_template", meanwhile)
    both = program.patch(path, {"base_template": "Ben's"}).json()

    assert (both["name"], both["subject"], both["base_template"]) == ("Karibu", "Ann's", "Ben's")
    assert both["format"] == "markdown"


def test_a_deleted_template_is_gone(program):
    number = program.post("/api/templates", WELCOME).json()["id"]

    assert program.delete(f"/api/templates/{number}").status_code == 204
    gone = program.get(f"/api/templates/{number}")
    assert (gone.status_code, error_of(gone)["code"]) == (404, "TEMPLATE_NOT_FOUND")


def test_a_template_is_copied_and_an_older_version_brought_back(program):
    path = f"/api/templates/{program.post('/api/templates', WELCOME).json()['id']}"
    program.patch(path, {"base_template": "Hello!"})

    copy = program.post(f"{path}/duplicate")
    restored = program.post(f"{path}/restore", {"version": 1})

    assert (copy.status_code, copy.json()["version"], copy.json()["base_template"]) == (201, 1, "Hello!")
    assert (restored.status_code, restored.json()["version"]) == (200, 3)
    assert restored.json()["base_template"] == WELCOME["base_template"]
    unknown = program.post(f"{path}/restore", {"version": 9})
    assert (unknown.status_code, error_of(unknown)["code"]) == (404, "VERSION_NOT_FOUND")
