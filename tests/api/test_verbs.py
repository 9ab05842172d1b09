"""What may be asked of a campaign over the API: the verbs of its pages, with their refusals."""

from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.models import Role
from campaigns.models import Campaign, Wording
from dispatcher import dismissals, operations
from dispatcher.finish import finish_if_over
from dispatcher.models import Category
from tests.api.calls import Program, error_of
from tests.api.test_campaigns import NEXT_YEAR, ahead
from tests.dispatcher.outcomes import failed, launched, sent, unknown
from tests.make import make_campaign, make_group, make_recipient, make_whatsapp_template, make_workspace

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
    twice = error_of(program.post(f"/api/campaigns/{campaign.pk}/cancel"))["message"]
    assert twice == f"“{campaign}” is cancelled already."
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


def test_single_messages_are_tried_again_by_their_numbers(program):
    campaign = launched(make_campaign(program.workspace, people=4), *failed(Category.TIMEOUT, 4))
    path = f"/api/campaigns/{campaign.pk}/retry-failed"

    assert program.post(path, {"numbers": [2, 3]}).json()["retried"] == 2
    assert set(campaign.messages.filter(status=1).values_list("number", flat=True)) == {2, 3}
    for numbers in ([], [0], [2**31], ["1"], [1.5]):
        assert program.post(path, {"numbers": numbers}).status_code == 400


def test_what_somebody_dismissed_can_be_spared(program):
    campaign = launched(make_campaign(program.workspace, people=2), *failed(Category.TIMEOUT, 2))
    dismissals.dismiss(campaign, by=None)

    told = program.post(f"/api/campaigns/{campaign.pk}/retry-failed", {"spare_dismissed": True}).json()

    assert told["retried"] == 0


def test_unknown_messages_are_sent_again_or_assumed_delivered(program):
    campaign = launched(make_campaign(program.workspace, people=5), *unknown(5))
    path = f"/api/campaigns/{campaign.pk}"

    one = program.post(f"{path}/assume-delivered", {"numbers": [1]}).json()
    again = program.post(f"{path}/send-again", {"numbers": [2]}).json()
    rest = program.post(f"{path}/assume-delivered").json()

    assert (one["assumed"], again["sent_again"], rest["assumed"]) == (1, 1, 3)
    assert (rest["campaign"]["stats"]["sent"], rest["campaign"]["stats"]["pending"]) == (4, 1)
    operations.cancel(campaign, by=None)
    refused = program.post(f"{path}/send-again")
    assert refused.status_code == 409 and "is cancelled" in error_of(refused)["message"]


def test_what_is_over_is_archived_and_taken_out_again(program):
    over, waiting = (make_campaign(program.workspace, people=1) for _ in range(2))
    finish_if_over(launched(over, *sent(2)).pk)
    path = f"/api/campaigns/{over.pk}"

    assert program.post(f"{path}/archive").json()["archived"] is True
    assert [row["id"] for row in program.get("/api/campaigns", archived=False).json()["data"]] == [waiting.pk]
    assert [row["id"] for row in program.get("/api/campaigns", archived=True).json()["data"]] == [over.pk]
    assert program.post(f"{path}/unarchive").json()["archived"] is False
    refused = program.post(f"/api/campaigns/{waiting.pk}/archive")
    assert refused.status_code == 409 and "is draft" in error_of(refused)["message"]


def test_a_send_is_taken_back_while_nobody_got_it(program):
    campaign = operations.launch(make_campaign(program.workspace, people=1), by=None, undo_seconds=10)
    path = f"/api/campaigns/{campaign.pk}/undo"

    assert program.post(path).json()["status"] == "draft"
    refused = program.post(path)
    assert refused.status_code == 409 and "nothing to undo" in error_of(refused)["message"]


def test_the_priority_is_changed_while_it_is_sent_and_no_more_when_it_is_over(program):
    campaign = launched(make_campaign(program.workspace, people=1))
    path = f"/api/campaigns/{campaign.pk}/change-priority"

    assert program.post(path, {"priority": "urgent"}).json()["priority"] == "urgent"
    assert program.post(path, {"priority": "soon"}).status_code == 400
    operations.cancel(campaign, by=None)
    assert program.post(path, {"priority": "low"}).status_code == 409


def test_a_text_is_kept_as_a_template_under_a_name_that_is_free(program):
    campaign = make_campaign(program.workspace, name="Spring")
    path = f"/api/campaigns/{campaign.pk}/save-as-template"

    first, second = program.post(path), program.post(path)

    assert (first.status_code, first.json()["name"], second.json()["name"]) == (201, "Spring", "Spring 2")
    assert first.json()["base_template"] == campaign.body
    assert error_of(program.post(path, {"name": "spring"}))["code"] == "DUPLICATE"


def test_a_time_without_an_offset_is_what_the_clocks_of_its_zone_show(program):
    campaign = make_campaign(program.workspace, people=1)

    program.post(
        f"/api/campaigns/{campaign.pk}/schedule",
        {"scheduled_at": f"{NEXT_YEAR}-07-01T09:00", "timezone": "Europe/Athens"},
    )

    campaign.refresh_from_db()
    assert campaign.wall and campaign.wall.words.endswith(f"1 July {NEXT_YEAR} at 09:00 Europe/Athens (06:00 UTC)")


def test_a_time_more_than_two_years_ahead_is_refused_and_what_was_said_stays(program):
    draft, waiting = make_campaign(program.workspace, people=1), make_campaign(program.workspace)
    operations.schedule(waiting, at=timezone.now() + timedelta(days=1), by=None)
    for campaign in (draft, waiting):
        campaign.refresh_from_db()
        was = (campaign.status, campaign.scheduled_at)

        refused = program.post(f"/api/campaigns/{campaign.pk}/schedule", {"scheduled_at": "9999-12-31T23:59:59Z"})

        assert refused.status_code == 400 and "two years" in error_of(refused)["details"]["scheduled_at"][0]
        campaign.refresh_from_db()
        assert (campaign.status, campaign.scheduled_at) == was


def test_whom_a_campaign_is_for_is_said_in_full_and_read_back(program):
    chosen, left_out = make_group(program.workspace), make_group(program.workspace)
    alice, brian = make_recipient(program.workspace), make_recipient(program.workspace)
    campaign = make_campaign(program.workspace, everyone=False)
    path = f"/api/campaigns/{campaign.pk}"
    audience = {
        "group_ids": [chosen.pk],
        "customer_ids": [alice.pk],
        "exclude_ids": [brian.pk],
        "exclude_group_ids": [left_out.pk],
    }

    assert program.patch(path, audience | {"everyone": True}).status_code == 200
    told = program.get(f"{path}/audience").json()

    assert {name: told[name] for name in audience} == audience
    assert (told["everyone"], told["customers"], told["excluded"], told["segment_ids"]) == (True, 1, 1, [])
    refused = program.patch(path, {"exclude_group_ids": [999_999]})
    assert list(error_of(refused)["details"]) == ["exclude_group_ids"]


def test_a_campaign_says_what_its_whatsapp_template_says(program):
    template = make_whatsapp_template(program.workspace, body="Hi {{1}}, spring is here.")
    body = {"name": "Spring", "channel": "whatsapp", "whatsapp_template_id": template.pk}
    values = {"whatsapp_values": {"1": "{first_name|friend}"}}

    campaign = program.post("/api/campaigns", body | values).json()
    changed = program.patch(f"/api/campaigns/{campaign['id']}", {"whatsapp_values": {"1": "you"}}).json()

    assert campaign["base_template"] == "Hi {first_name|friend}, spring is here."
    assert (changed["base_template"], changed["whatsapp_template_id"]) == ("Hi you, spring is here.", template.pk)
    assert list(error_of(program.post("/api/campaigns", body | {"whatsapp_template_id": 999_999}))["details"]) == [
        "whatsapp_template_id"
    ]
    assert program.post("/api/campaigns", body | {"channel": "sms"}).status_code == 400


def test_a_campaign_is_scheduled_its_time_changed_and_unscheduled(program):
    campaign = make_campaign(program.workspace, people=1)
    path = f"/api/campaigns/{campaign.pk}"

    first = program.post(f"{path}/schedule", {"scheduled_at": ahead(days=1)}).json()
    second = program.post(
        f"{path}/schedule", {"scheduled_at": f"{NEXT_YEAR}-01-01T10:00", "timezone": "Africa/Nairobi"}
    ).json()

    assert (first["status"], second["status"]) == ("scheduled", "scheduled")
    assert second["scheduled_at"] == f"{NEXT_YEAR}-01-01T07:00:00Z"
    assert program.post(f"{path}/unschedule").json()["status"] == "draft"
    assert program.post(f"{path}/unschedule").status_code == 409
    for body in ({}, {"scheduled_at": None}, {"scheduled_at": "2020-01-01T00:00:00Z"}, {"scheduled_at": "soon"}):
        assert program.post(f"{path}/schedule", body).status_code == 400


def test_what_could_not_start_then_is_not_scheduled(program):
    campaign = make_campaign(program.workspace)

    refused = program.post(f"/api/campaigns/{campaign.pk}/schedule", {"scheduled_at": ahead(days=1)})

    assert (refused.status_code, error_of(refused)["code"]) == (400, "NO_RECIPIENTS")
    campaign.refresh_from_db()
    assert (campaign.status, campaign.scheduled_at) == (Status.DRAFT, None)


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
    for body, code in (({}, "MISSING_CUSTOMER_ID"), ({"customer_id": None}, "VALIDATION_ERROR")):
        nobody = program.post(path, body)
        assert (nobody.status_code, error_of(nobody)["code"]) == (400, code)
        assert list(error_of(nobody)["details"]) == ["customer_id"]
    campaign.refresh_from_db()
    assert campaign.body == "Hello {first_name}!"
