"""/groups: made, changed and deleted, and who is in them."""

import pytest

from accounts.models import Role
from people.consent import How, leave_group
from people.models import Group, Recipient, Suppression
from people.suppression import suppress
from tests.api.calls import Program, error_of
from tests.make import make_campaign, make_group, make_recipient, make_workspace

pytestmark = pytest.mark.django_db


@pytest.fixture
def program() -> Program:
    return Program(make_workspace(), Role.EDITOR)


def test_a_group_is_added_once_and_then_found_unchanged(program):
    body = {"name": "VIP Customers", "description": "High-value customers"}

    first = program.post("/api/groups/", body)
    second = program.post("/api/groups/", {"name": "vip customers", "description": "Other"})

    assert (first.status_code, second.status_code) == (201, 200)
    assert first.json() == second.json()
    assert (first.json()["name"], first.json()["description"]) == ("VIP Customers", "High-value customers")


def test_another_workspace_has_groups_of_its_own(program):
    program.post("/api/groups/", {"name": "VIP"})

    assert Program(make_workspace()).post("/api/groups/", {"name": "VIP"}).status_code == 201


def test_groups_are_listed_with_how_many_are_in_them(program):
    make_group(program.workspace, make_recipient(program.workspace), name="VIP")
    make_group(make_workspace())

    answer = program.get("/api/groups/").json()

    assert [(group["name"], group["people"]) for group in answer["data"]] == [("VIP", 1)]
    assert answer["pagination"]["total_count"] == 1


def test_a_group_is_changed_in_what_is_given_alone(program):
    group = make_group(program.workspace, name="VIP", description="High-value", is_public=True, public_name="Friends")

    answer = program.patch(f"/api/groups/{group.pk}", {"name": "Updated VIP"})

    assert answer.status_code == 200
    changed = answer.json()
    assert (changed["name"], changed["description"]) == ("Updated VIP", "High-value")
    assert (changed["is_public"], changed["public_name"]) == (True, "Friends")


def test_a_name_that_is_taken_is_a_duplicate(program):
    make_group(program.workspace, name="VIP")
    group = make_group(program.workspace, name="Others")

    answer = program.patch(f"/api/groups/{group.pk}", {"name": "VIP"})

    assert answer.status_code == 409
    assert answer.json() == {
        "error": {
            "code": "DUPLICATE",
            "message": "Group with name 'VIP' already exists",
            "details": {"resource_type": "Group", "field": "name", "value": "VIP"},
        }
    }
    assert Group.objects.get(pk=group.pk).name == "Others"


@pytest.mark.parametrize("body", [{}, {"name": ""}, {"name": "x" * 101}, {"people": 1}])
def test_a_group_that_cannot_be_is_refused(program, body):
    group = make_group(program.workspace)

    answer = program.patch(f"/api/groups/{group.pk}", body)

    assert (answer.status_code, error_of(answer)["code"]) == (400, "VALIDATION_ERROR")


def test_the_field_that_cannot_be_is_named(program):
    path = f"/api/groups/{make_group(program.workspace).pk}"

    for field in ("name", "description", "public_name", "public_description"):
        assert list(error_of(program.patch(path, {field: "x\u2028"}))["details"]) == [field]


def test_a_group_is_deleted_unless_a_campaign_waits_for_it(program):
    group, needed = make_group(program.workspace), make_group(program.workspace)
    make_campaign(program.workspace, everyone=False, name="Spring").groups.add(needed)

    assert program.delete(f"/api/groups/{group.pk}").status_code == 204
    assert program.delete(f"/api/groups/{group.pk}").status_code == 404
    refused = program.delete(f"/api/groups/{needed.pk}")

    assert (refused.status_code, error_of(refused)["code"]) == (409, "CONFLICT")
    assert "Spring" in error_of(refused)["message"]


def test_people_are_put_in_by_address_and_those_added_are_answered(program):
    workspace = program.workspace
    known, inside, left = (make_recipient(workspace) for _ in range(3))
    gone = make_recipient(workspace, opted_out=True)
    group = make_group(workspace, inside, left)
    leave_group(left, group, how=How.PREFERENCES, by=None)
    suppress(workspace, "erased@example.com", reason=Suppression.Reason.ERASED, by=None)
    suppress(workspace, "new@example.com", reason=Suppression.Reason.BOUNCED, by=None)
    emails = ["New@example.com", known.email.upper(), known.email, inside.email, gone.email, left.email]

    answer = program.patch(f"/api/groups/{group.pk}/recipients", {"recipient_emails": [*emails, "erased@example.com"]})

    assert answer.status_code == 200
    new = Recipient.objects.get(email="new@example.com")
    assert new.email_suppressed
    assert [(row["id"], row["group_id"]) for row in answer.json()] == [(new.pk, group.pk), (known.pk, group.pk)]
    assert set(group.recipients.all()) == {new, known, inside}
    assert not Recipient.objects.filter(email="erased@example.com").exists()


def test_putting_in_nobody_or_none_who_may_be_put_in_answers_that_nobody_was_added(program):
    gone, group = make_recipient(program.workspace, opted_out=True), make_group(program.workspace)

    for emails in ([], [gone.email]):
        answer = program.patch(f"/api/groups/{group.pk}/recipients", {"recipient_emails": emails})
        assert (answer.status_code, answer.json()) == (200, [])


def test_one_bad_address_refuses_the_call_and_is_named(program):
    group = make_group(program.workspace)

    answer = program.patch(f"/api/groups/{group.pk}/recipients", {"recipient_emails": ["ann@example.com", "nobody"]})

    assert answer.status_code == 400
    assert list(error_of(answer)["details"]) == ["recipient_emails.1"]
    assert not Recipient.objects.exists()


def test_two_hundred_addresses_take_as_many_queries_as_one(program, django_assert_max_num_queries):
    group = make_group(program.workspace)
    emails = [f"person{number}@example.com" for number in range(200)]

    with django_assert_max_num_queries(25):
        answer = program.patch(f"/api/groups/{group.pk}/recipients", {"recipient_emails": emails})

    assert [row["email"] for row in answer.json()] == emails


def test_the_people_of_a_group_are_those_who_have_not_opted_out_unless_all_are_asked_for(program):
    ann, gone = make_recipient(program.workspace), make_recipient(program.workspace, opted_out=True)
    group = make_group(program.workspace, ann, gone)
    make_recipient(program.workspace)
    path = f"/api/groups/{group.pk}/recipients"

    assert [row["id"] for row in program.get(path).json()["data"]] == [ann.pk]
    assert [row["id"] for row in program.get(path, active_only="false").json()["data"]] == [gone.pk, ann.pk]
