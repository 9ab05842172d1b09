"""People put into groups, moved, copied and taken out, any number of them in one call."""

import pytest

from accounts.models import Role
from people.consent import How, leave_group
from people.models import Group, Recipient
from tests.api.calls import Program, error_of
from tests.make import make_group, make_recipient, make_workspace
from tests.people.describing import make_segment

pytestmark = pytest.mark.django_db


@pytest.fixture
def program() -> Program:
    return Program(make_workspace(), Role.EDITOR)


def inside(group: Group) -> set[Recipient]:
    return set(group.recipients.all())


def test_people_are_chosen_by_number_address_segment_or_all_together(program):
    ann, bob = make_recipient(program.workspace, location="Nairobi"), make_recipient(program.workspace)
    make_recipient(make_workspace(), location="Nairobi")
    segment = make_segment(program.workspace, ("location", "is", "Nairobi"))
    ways = {
        "customer_ids": ([bob.pk], {bob}),
        "recipient_emails": ([ann.email.upper(), "unknown@example.com"], {ann}),
        "segment_id": (segment.pk, {ann}),
        "everybody": (True, {ann, bob}),
    }

    for word, (value, chosen) in ways.items():
        group = make_group(program.workspace)
        answer = program.post(f"/api/groups/{group.pk}/put-in", {word: value})
        assert (answer.status_code, answer.json()["joined"]) == (200, len(chosen)), word
        assert inside(group) == chosen, word


def test_whoever_left_the_group_is_not_put_back_and_that_is_told(program):
    person = make_recipient(program.workspace)
    group = make_group(program.workspace, person)
    leave_group(person, group, how=How.PREFERENCES, by=None)

    answer = program.post(f"/api/groups/{group.pk}/put-in", {"customer_ids": [person.pk]}).json()

    assert {name: answer[name] for name in ("chosen", "joined", "refused")} == {"chosen": 1, "joined": 0, "refused": 1}
    assert "by their own wish" in answer["words"]


def test_people_are_taken_out_and_those_who_are_not_in_it_are_none_of_them(program):
    ann, bob, outside = (make_recipient(program.workspace) for _ in range(3))
    group = make_group(program.workspace, ann, bob)

    answer = program.post(f"/api/groups/{group.pk}/take-out", {"customer_ids": [ann.pk, outside.pk]})

    assert (answer.json()["chosen"], answer.json()["left"]) == (1, 1)
    assert inside(group) == {bob}


def test_who_is_not_in_the_group_is_neither_moved_nor_copied(program):
    ann, bob, outside = (make_recipient(program.workspace) for _ in range(3))
    source, target, third = make_group(program.workspace, ann, bob), *(make_group(program.workspace) for _ in range(2))
    who = {"customer_ids": [ann.pk, outside.pk]}

    moved = program.post(f"/api/groups/{source.pk}/move", who | {"to_group_id": target.pk})
    copied = program.post(f"/api/groups/{target.pk}/copy", {"everybody": True, "to_group_id": third.pk})

    assert (moved.json()["left"], copied.json()["joined"]) == (1, 1)
    assert (inside(source), inside(target), inside(third)) == ({bob}, {ann}, {ann})


@pytest.mark.parametrize("verb", ["move", "copy"])
def test_a_group_is_not_moved_to_itself(program, verb):
    ann = make_recipient(program.workspace)
    group = make_group(program.workspace, ann)

    answer = program.post(f"/api/groups/{group.pk}/{verb}", {"everybody": True, "to_group_id": group.pk})

    assert (answer.status_code, list(error_of(answer)["details"])) == (400, ["to_group_id"])
    assert inside(group) == {ann}


@pytest.mark.parametrize("who", [{}, {"everybody": False}, {"customer_ids": [1], "everybody": True}, {"segment_id": 0}])
def test_who_is_meant_is_said_in_exactly_one_way(program, who):
    answer = program.post(f"/api/groups/{make_group(program.workspace).pk}/put-in", who)

    assert (answer.status_code, error_of(answer)["code"]) == (400, "VALIDATION_ERROR")


def test_a_number_that_nobody_here_has_changes_nothing(program):
    ann, theirs = make_recipient(program.workspace), make_recipient(make_workspace())
    group = make_group(program.workspace)

    answer = program.post(f"/api/groups/{group.pk}/put-in", {"customer_ids": [ann.pk, theirs.pk]})

    assert (answer.status_code, error_of(answer)["code"]) == (404, "CUSTOMER_NOT_FOUND")
    assert not inside(group)
