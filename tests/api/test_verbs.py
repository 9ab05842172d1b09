"""What may be asked of a campaign over the API: the verbs of its pages, with their refusals."""

from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.models import Role
from campaigns.models import Campaign, Wording
from dispatcher import operations
from dispatcher.finish import finish_if_over
from dispatcher.models import Category
from tests.api.calls import Program, error_of
from tests.api.test_campaigns import ahead
from tests.dispatcher.outcomes import failed, launched, sent
from tests.make import make_campaign, make_group, make_recipient, make_workspace

pytestmark = pytest.mark.django_db
Status = Campaign.Status


@pytest.fixture
def program() -> Program:
    return Program(make_workspace())


def test_what_was_saved_goes_to_whom_it_was_saved_for(program):
    first, second = (make_campaign(program.workspace, people=2) for _ in range(2))

    enqueued = program.post(f"/api/campaigns/{first.pk}/enqueue")
    queued = program.post("/api/campaigns/send", {"id": second.pk})

    assert (enqueued.status_code, enqueued.json()) == (200, {"ok": True, "created": 4, "campaignId": first.pk})
    assert (queued.status_code, queued.json()) == (200, {"status": "queued", "campaign_id": second.pk})
    assert second.messages.count() == 4
    again = program.post("/api/campaigns/send", {"id": second.pk})
    assert (again.status_code, error_of(again)["code"]) == (409, "CONFLICT")
    assert program.post("/api/campaigns/send", {"id": 999_999}).status_code == 404


def test_a_campaign_is_paused_resumed_and_cancelled(program):
    campaign = make_campaign(program.workspace, people=3)
    operations.launch(campaign, by=None)

    def status_after(verb: str) -> tuple[int, str]:
        answer = program.post(f"/api/campaigns/{campaign.pk}/{verb}")
        said = answer.json()
        return answer.status_code, said["status"] if answer.status_code == 200 else error_of(answer)["code"]

    assert status_after("resume") == (409, "CONFLICT")
    assert status_after("pause") == (200, "paused")
    assert status_after("resume") == (200, "sending")
    assert status_after("cancel") == (200, "cancelled")
    assert status_after("pause") == (409, "CONFLICT")
    assert campaign.history.first().actor == f"API key {program.key}"


def test_failed_messages_are_tried_again_all_or_those_of_one_cause(program):
    outcomes = *sent(2), *failed(Category.BOUNCED, 3), *failed(Category.TIMEOUT, 2)
    campaign = launched(make_campaign(program.workspace, people=7), *outcomes)
    path = f"/api/campaigns/{campaign.pk}/retry-failed"

    assert program.post(path, {"category": "timeout"}).json()["retried"] == 2
    rest = program.post(path).json()
    assert (rest["retried"], rest["campaign"]["stats"]["pending"]) == (3, 5)
    assert program.post(path, {"category": "sloth"}).status_code == 400


def test_a_campaign_is_scheduled_its_time_changed_and_unscheduled(program):
    campaign = make_campaign(program.workspace, people=1)
    path = f"/api/campaigns/{campaign.pk}"

    first = program.post(f"{path}/schedule", {"scheduled_at": ahead(days=1)}).json()
    second = program.post(f"{path}/schedule", {"scheduled_at": "2030-01-01T10:00", "timezone": "Africa/Nairobi"}).json()

    assert (first["status"], second["status"]) == ("scheduled", "scheduled")
    assert second["scheduled_at"] == "2030-01-01T07:00:00Z"
    assert program.post(f"{path}/unschedule").json()["status"] == "draft"
    assert program.post(f"{path}/unschedule").status_code == 409
    for body in ({}, {"scheduled_at": None}, {"scheduled_at": "2020-01-01T00:00:00Z"}, {"scheduled_at": "soon"}):
        assert program.post(f"{path}/schedule", body).status_code == 400


def test_a_copy_is_a_new_draft(program):
    campaign = make_campaign(program.workspace, people=1)

    answer = program.post(f"/api/campaigns/{campaign.pk}/duplicate")

    assert answer.status_code == 201
    assert answer.json()["id"] != campaign.pk
    assert (answer.json()["status"], answer.json()["base_template"]) == ("draft", campaign.body)


def test_only_what_is_named_of_a_campaign_is_changed(program):
    campaign, group = make_campaign(program.workspace), make_group(program.workspace)
    path = f"/api/campaigns/{campaign.pk}"

    changed = program.patch(path, {"message": "New {first_name}", "group_ids": [group.pk], "priority": "urgent"}).json()

    assert (changed["base_template"], changed["priority"], changed["name"]) == (
        "New {first_name}",
        "urgent",
        campaign.name,
    )
    assert list(campaign.groups.all()) == [group]
    for body, code in (
        ({}, "VALIDATION_ERROR"),
        ({"name": None}, "VALIDATION_ERROR"),
        ({"name": "a", "title": "b"}, "VALIDATION_ERROR"),
        ({"colour": "red"}, "VALIDATION_ERROR"),
        ({"message": "{shoe_size}"}, "INVALID_TEMPLATE"),
        ({"group_ids": [999_999]}, "VALIDATION_ERROR"),
    ):
        refused = program.patch(path, body)
        assert (refused.status_code, error_of(refused)["code"]) == (400, code), body


def test_what_is_launched_is_not_changed_and_what_is_scheduled_not_by_an_editor(program):
    sending, waiting = make_campaign(program.workspace, people=1), make_campaign(program.workspace, people=1)
    operations.launch(sending, by=None)
    operations.schedule(waiting, at=timezone.now() + timedelta(days=1), by=None)

    assert program.patch(f"/api/campaigns/{sending.pk}", {"name": "x"}).status_code == 409
    assert program.patch(f"/api/campaigns/{waiting.pk}", {"name": "x"}).status_code == 200
    editor = Program(program.workspace, Role.EDITOR)
    refused = editor.patch(f"/api/campaigns/{waiting.pk}", {"name": "y"})
    assert (refused.status_code, error_of(refused)["code"]) == (409, "CONFLICT")


def test_drafts_are_deleted_by_editors_cancelled_ones_by_marketers_and_others_by_admins(program):
    draft, cancelled, over = (make_campaign(program.workspace, people=1) for _ in range(3))
    operations.cancel(cancelled, by=None)
    finish_if_over(launched(over, *sent(3)).pk)
    editor, admin = Program(program.workspace, Role.EDITOR), Program(program.workspace, Role.ADMIN)

    def delete(program: Program, campaign: Campaign) -> int:
        return program.delete(f"/api/campaigns/{campaign.pk}").status_code

    assert delete(editor, draft) == 204
    assert (delete(editor, cancelled), delete(program, cancelled)) == (403, 204)
    assert (delete(program, over), delete(admin, over), delete(admin, over)) == (403, 204, 404)
    assert not Campaign.objects.filter(workspace=program.workspace).exists()


def test_a_preview_is_in_the_language_of_its_customer(program):
    zoe = make_recipient(program.workspace, first_name="Zoe", attributes={"language": "el"})
    campaign = make_campaign(program.workspace, body="Hello {first_name}")
    Wording.objects.create(campaign=campaign, language="el", subject="Γεια", body="Γεια {first_name}")

    told = program.post(f"/api/campaigns/{campaign.pk}/personalized-preview", {"customer_id": zoe.pk}).json()

    assert (told["rendered_message"], told["used_template"]) == ("Γεια Zoe", "Γεια {first_name}")


def test_a_text_is_previewed_as_one_customer_reads_it_and_nothing_is_written(program):
    alice = make_recipient(
        program.workspace, first_name="Alice", last_name="Johnson", location="Nairobi", preferred_product="Shoes"
    )
    campaign = make_campaign(program.workspace, body="Hello {first_name}!")
    path = f"/api/campaigns/{campaign.pk}/personalized-preview"
    special = "Hi {first_name}, special offer just for you in {location}!"

    plain = program.post(path, {"customer_id": alice.pk}).json()
    other = program.post(path, {"customer_id": alice.pk, "override_template": special}).json()

    assert (plain["rendered_message"], plain["used_template"]) == ("Hello Alice!", "Hello {first_name}!")
    assert plain["customer"] == {
        "id": alice.pk,
        "first_name": "Alice",
        "last_name": "Johnson",
        "phone": alice.phone,
        "location": "Nairobi",
        "preferred_product": "Shoes",
        "prefered_product": "Shoes",
    }
    assert other["rendered_message"] == "Hi Alice, special offer just for you in Nairobi!"
    assert other["used_template"] == special
    assert program.post(path, {"customer_id": alice.pk, "override_template": ""}).json() == plain
    unknown = program.post(path, {"customer_id": alice.pk, "override_template": "{shoe_size}"})
    assert (unknown.status_code, error_of(unknown)["code"]) == (400, "INVALID_TEMPLATE")
    assert error_of(program.post(path, {"customer_id": 999_999}))["code"] == "CUSTOMER_NOT_FOUND"
    campaign.refresh_from_db()
    assert campaign.body == "Hello {first_name}!"
