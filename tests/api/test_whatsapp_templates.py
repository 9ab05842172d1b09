"""/whatsapp-templates: written, changed, decided by the provider, copied and put away."""

import pytest

from accounts.models import Role
from campaigns.models import TemplateStatus
from tests.api.calls import Program, error_of
from tests.make import make_whatsapp_template, make_workspace

pytestmark = pytest.mark.django_db
TEXT = {"name": "spring_offer", "base_template": "Hi {{1}}, spring is here."}


@pytest.fixture
def program() -> Program:
    return Program(make_workspace(), Role.MARKETER)


def test_a_template_is_written_as_a_draft_and_decided_step_by_step(program):
    written = program.post("/api/whatsapp-templates", TEXT)
    path = f"/api/whatsapp-templates/{written.json()['id']}"

    assert (written.status_code, written.json()["status"], written.json()["variables"]) == (201, "draft", ["1"])
    for status, reason in (("submitted", ""), ("rejected", "too pushy")):
        answer = program.post(f"{path}/status", {"status": status, "reason": reason})
        assert (answer.status_code, answer.json()["status"]) == (200, status)
    told = [(row["to_status"], row["reason"], row["by"]) for row in program.walk(f"{path}/history")]
    key = f"API key {program.key}"
    assert told == [("rejected", "too pushy", key), ("submitted", "", key), ("draft", "", key)]
    assert TemplateStatus.objects.count() == 3


def test_what_the_provider_would_reject_is_told_by_field(program):
    answer = program.post("/api/whatsapp-templates", {"name": "Spring!", "base_template": "{{1}}", "header": "x" * 61})

    assert (answer.status_code, error_of(answer)["code"]) == (400, "VALIDATION_ERROR")
    assert set(error_of(answer)["details"]) == {"name", "base_template", "header"}


def test_a_name_that_is_taken_in_its_language_is_a_duplicate(program):
    program.post("/api/whatsapp-templates", TEXT)

    again = program.post("/api/whatsapp-templates", TEXT)

    assert (again.status_code, error_of(again)["code"]) == (409, "DUPLICATE")
    assert program.post("/api/whatsapp-templates", TEXT | {"language": "sw"}).status_code == 201


def test_a_decision_that_does_not_follow_or_lacks_its_reason_is_refused(program):
    path = f"/api/whatsapp-templates/{program.post('/api/whatsapp-templates', TEXT).json()['id']}/status"

    assert program.post(path, {"status": "paused", "reason": "complaints"}).status_code == 409
    program.post(path, {"status": "submitted"})
    answer = program.post(path, {"status": "rejected"})
    assert (answer.status_code, list(error_of(answer)["details"])) == (400, ["reason"])


def test_another_text_has_to_be_approved_anew_and_takes_a_marketer(program):
    path = f"/api/whatsapp-templates/{make_whatsapp_template(program.workspace).pk}"
    editor = Program(program.workspace, Role.EDITOR)

    refused = editor.patch(path, {"base_template": "Hello {{1}}, hello."})
    assert (refused.status_code, error_of(refused)["code"]) == (403, "FORBIDDEN")
    assert editor.patch(path, {"provider_id": "4711"}).json()["status"] == "approved"
    changed = program.patch(path, {"base_template": "Hello {{1}}, hello."}).json()

    assert (changed["status"], changed["provider_id"]) == ("draft", "4711")
    assert changed["base_template"] == "Hello {{1}}, hello."


def test_templates_are_copied_and_put_away(program):
    template = make_whatsapp_template(program.workspace, name="offer")
    path = f"/api/whatsapp-templates/{template.pk}"

    copy = program.post(f"{path}/duplicate")
    away = program.patch(path, {"archived": True})

    assert (copy.status_code, copy.json()["name"], copy.json()["status"]) == (201, "offer_2", "draft")
    assert away.json()["archived"] is True
    assert [row["id"] for row in program.walk("/api/whatsapp-templates")] == [copy.json()["id"]]
    assert [row["id"] for row in program.walk("/api/whatsapp-templates", archived="true")] == [template.pk]
