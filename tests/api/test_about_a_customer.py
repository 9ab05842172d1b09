"""What is known of one customer: the groups they are in, what they wished, what they got, all that is held."""

import json

import pytest

from accounts.models import AuditEntry, Role
from people import consent
from people.channels import Channel
from people.consent import How
from tests.api.calls import Program, error_of, whole
from tests.dispatcher.outcomes import failed, launched, sent
from tests.make import make_campaign, make_group, make_recipient, make_workspace

pytestmark = pytest.mark.django_db


@pytest.fixture
def program() -> Program:
    return Program(make_workspace(), Role.MARKETER)


def test_a_customer_is_added_to_groups_and_changed_to_be_in_others(program):
    first, second = make_group(program.workspace), make_group(program.workspace)

    added = program.post("/api/customers", {"email": "ann@example.com", "group_ids": [first.pk]}).json()
    changed = program.patch(f"/api/customers/{added['id']}", {"group_ids": [second.pk]}).json()
    renamed = program.patch(f"/api/customers/{added['id']}", {"first_name": "Ann"}).json()

    assert added["group_ids"] == [first.pk]
    assert changed["group_ids"] == renamed["group_ids"] == [second.pk]


def test_a_group_of_others_adds_nobody(program):
    answer = program.post(
        "/api/customers", {"email": "ann@example.com", "group_ids": [make_group(make_workspace()).pk]}
    )

    assert (answer.status_code, error_of(answer)["code"]) == (404, "GROUP_NOT_FOUND")
    assert not program.workspace.recipients.exists()


def test_wishes_are_told_as_they_came_newest_first(program):
    ann, group = make_recipient(program.workspace), make_group(program.workspace, name="Friends")
    consent.opt_out(ann, how=How.REPLY, by=None, channel=Channel.SMS, evidence={"text": "STOP"})
    consent.leave_group(ann, group, how=How.PREFERENCES, by=None)
    program.post("/api/recipients/opt-out", {"email": ann.email, "reason": "moved away"})

    rows = program.walk(f"/api/customers/{ann.pk}/consent")

    assert [(row["wish"], row["channel"], row["group_id"]) for row in rows] == [
        ("out", None, None),
        ("out", None, group.pk),
        ("out", "sms", None),
    ]
    assert (rows[0]["reason"], rows[0]["by"]) == ("moved away", f"API key {program.key}")
    assert rows[1]["words"] == "Left Friends on the preference page"
    assert rows[2]["evidence"] == "They wrote “STOP”"


def test_every_message_they_got_is_listed_with_its_outcome(program, django_assert_max_num_queries):
    launched(make_campaign(program.workspace, people=1, name="First"), *sent())
    ann = program.workspace.recipients.get()
    for name in ("Second", "Third"):
        launched(make_campaign(program.workspace, name=name), *failed())

    rows = program.walk(f"/api/customers/{ann.pk}/messages")

    assert [(row["campaign"], row["status"]) for row in rows] == [
        ("Third", "failed"),
        ("Second", "failed"),
        ("First", "sent"),
    ]
    with django_assert_max_num_queries(5):
        answer = program.get(f"/api/customers/{ann.pk}/messages").json()
    assert (answer["pagination"]["total_count"], answer["campaigns_in_files"]) == (3, 0)


def test_all_that_is_held_of_a_customer_is_given_out_and_that_is_written_down(program):
    ann = make_recipient(program.workspace, first_name="Ann")

    answer = program.get(f"/api/customers/{ann.pk}/export")

    assert json.loads(whole(answer))["first_name"] == "Ann"
    entry = AuditEntry.objects.latest("pk")
    assert (entry.verb, entry.about_id, entry.actor_id) == ("export", ann.pk, program.key.pk)
