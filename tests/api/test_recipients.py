"""/recipients: the same people by email address, and what they wish."""

import pytest

from accounts.models import Role
from people.channels import Channel
from people.consent import How, Wish, leave_group, opt_out
from people.models import ConsentEvent, Recipient, Suppression
from people.suppression import suppress
from tests.api.calls import Program, error_of
from tests.make import make_group, make_recipient, make_workspace

pytestmark = pytest.mark.django_db


@pytest.fixture
def program() -> Program:
    return Program(make_workspace(), Role.EDITOR)


def test_a_new_recipient_is_added_with_its_name_and_group(program):
    group = make_group(program.workspace)

    answer = program.post("/api/recipients/", {"email": "Ann@Example.com", "name": "Ann Lee Po", "group_id": group.pk})

    assert answer.status_code == 201
    ann = answer.json()
    assert (ann["email"], ann["name"], ann["opt_out"]) == ("ann@example.com", "Ann Lee Po", False)
    assert (ann["first_name"], ann["last_name"]) == ("Ann", "Lee Po")
    assert (ann["group_id"], ann["group_ids"]) == (group.pk, [group.pk])


def test_a_known_address_gives_who_is_there_unchanged_and_puts_them_into_the_group(program):
    first, second = make_group(program.workspace), make_group(program.workspace)
    ann = make_recipient(program.workspace, email="ann@example.com", first_name="Ann", last_name="")
    first.recipients.add(ann)

    answer = program.post(
        "/api/recipients/", {"email": "ANN@example.com", "name": "Other", "opt_out": True, "group_id": second.pk}
    )

    assert answer.status_code == 200
    assert (answer.json()["id"], answer.json()["name"], answer.json()["opt_out"]) == (ann.pk, "Ann", False)
    assert answer.json()["group_ids"] == [first.pk, second.pk]


def test_somebody_new_may_come_opted_out(program):
    answer = program.post("/api/recipients/", {"email": "ann@example.com", "opt_out": True})

    assert answer.json()["opt_out"] is True
    assert ConsentEvent.objects.get().how == How.API


def test_a_group_that_is_not_here_is_not_found_and_nobody_is_added(program):
    group = make_group(make_workspace())

    answer = program.post("/api/recipients/", {"email": "ann@example.com", "group_id": group.pk})

    assert (answer.status_code, error_of(answer)["code"]) == (404, "GROUP_NOT_FOUND")
    assert not Recipient.objects.exists()


def test_a_bad_address_is_told(program):
    answer = program.post("/api/recipients/", {"email": "nobody", "name": "Ann"})

    assert answer.status_code == 400
    assert list(error_of(answer)["details"]) == ["email"]


def test_lists_hide_who_opted_out_unless_asked(program):
    ann = make_recipient(program.workspace)
    gone = make_recipient(program.workspace, opted_out=True)
    make_recipient(make_workspace())

    def listed(path, **asked):
        return [row["id"] for row in program.get(path, **asked).json()["data"]]

    assert listed("/api/recipients/") == [ann.pk]
    assert listed("/api/recipients/active") == [ann.pk]
    assert listed("/api/recipients/", include_opted_out="true") == [gone.pk, ann.pk]


def test_the_documented_change_sets_name_group_and_wish(program):
    group, other = make_group(program.workspace), make_group(program.workspace)
    person = make_recipient(program.workspace, opted_out=True)
    other.recipients.add(person)

    answer = program.patch(f"/api/recipients/{person.pk}", {"name": "John Doe", "group_id": group.pk, "opt_out": False})

    assert answer.status_code == 200
    john = answer.json()
    assert (john["name"], john["group_id"], john["opt_out"]) == ("John Doe", group.pk, False)
    assert john["group_ids"] == [other.pk, group.pk]
    assert program.get(f"/api/recipients/{person.pk}").json() == john


def test_a_change_to_a_group_that_is_not_here_changes_nothing(program):
    person = make_recipient(program.workspace, first_name="Ann")

    assert program.patch(f"/api/recipients/{person.pk}", {"name": "Bob", "group_id": 999_999}).status_code == 404
    assert Recipient.objects.get().first_name == "Ann"


def test_saying_that_somebody_is_not_opted_out_takes_no_refused_channel_back(program):
    person = make_recipient(program.workspace, refused_channels=[Channel.SMS])

    answer = program.patch(f"/api/recipients/{person.pk}", {"opt_out": False})

    assert answer.json()["refused_channels"] == ["sms"]


def test_whoever_left_a_group_is_not_put_back(program):
    person = make_recipient(program.workspace)
    group = make_group(program.workspace, person)
    leave_group(person, group, how=How.PREFERENCES, by=None)

    patched = program.patch(f"/api/recipients/{person.pk}", {"group_id": group.pk})
    posted = program.post("/api/recipients/", {"email": person.email, "group_id": group.pk})

    assert patched.json()["group_id"] is posted.json()["group_id"] is None


def test_an_opt_out_is_noted_with_its_reason_and_where_it_came_from(program):
    person = make_recipient(program.workspace)

    answer = program.post("/api/recipients/opt-out", {"email": person.email, "reason": "No longer interested"})

    assert answer.status_code == 200
    assert (answer.json()["opt_out"], answer.json()["opt_out_reason"]) == (True, "No longer interested")
    event = ConsentEvent.objects.get()
    assert (event.wish, event.how, event.key, event.channel) == (Wish.OUT, How.API, program.key, None)


def test_an_opt_out_may_be_about_one_channel_and_name_a_phone(program):
    person = make_recipient(program.workspace)

    answer = program.post("/api/recipients/opt-out", {"phone": person.phone, "channel": "whatsapp"})

    assert (answer.json()["opt_out"], answer.json()["refused_channels"]) == (False, ["whatsapp"])


@pytest.mark.parametrize(("verb", "wish", "is_out"), [("opt-out", Wish.OUT, True), ("opt-in", Wish.IN, False)])
def test_the_wish_of_somebody_unknown_is_kept(program, verb, wish, is_out):
    answer = program.post(f"/api/recipients/{verb}", {"email": "user@example.com", "reason": "said so"})

    assert answer.status_code == 200
    person = Recipient.objects.get(email="user@example.com", workspace=program.workspace)
    assert (answer.json()["id"], answer.json()["opt_out"], person.opted_out) == (person.pk, is_out, is_out)
    assert [(event.wish, event.reason) for event in person.consent_events.all()] == [(wish, "said so")]


def test_an_opt_in_lets_somebody_in_again_but_not_off_the_suppression_list(program):
    person = make_recipient(program.workspace)
    opt_out(person, how=How.PREFERENCES, by=None)
    suppress(program.workspace, person.email, reason=Suppression.Reason.BOUNCED, by=None)

    answer = program.post("/api/recipients/opt-in", {"email": person.email})

    assert (answer.json()["opt_out"], answer.json()["email_suppressed"]) == (False, True)


ERASED = "ann@example.com"


@pytest.mark.parametrize("path", ["recipients", "recipients/opt-out", "recipients/opt-in"])
def test_nothing_brings_back_somebody_erased(program, path):
    suppress(program.workspace, ERASED, reason=Suppression.Reason.ERASED, by=None)

    answer = program.post(f"/api/{path}", {"email": ERASED})

    assert answer.status_code == 400
    assert "asked to be erased" in error_of(answer)["message"] and list(error_of(answer)["details"]) == ["email"]
    assert not Recipient.objects.exists() and not ConsentEvent.objects.exists()


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "body"),
        ({"email": "a@example.com", "phone": "+254712345678"}, "body"),
        ({"email": "nobody"}, "email"),
        ({"phone": "0712"}, "phone"),
        ({"email": "a@example.com", "channel": "fax"}, "channel"),
        ({"email": "a@example.com", "reason": "x" * 301}, "reason"),
    ],
)
def test_a_wish_nobody_could_understand_is_refused(program, body, field):
    answer = program.post("/api/recipients/opt-out", body)

    assert answer.status_code == 400
    assert field in error_of(answer)["details"]
    assert not Recipient.objects.exists()
