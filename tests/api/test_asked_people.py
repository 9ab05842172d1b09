"""Lists of people by filters: called so, in a group, in a segment, reached on a channel, with a wish."""

import pytest

from accounts import paging
from accounts.models import AuditEntry, Role
from people import patience
from people.channels import Channel
from people.models import Recipient, Suppression
from people.suppression import suppress
from tests.api.calls import Program, error_of, whole
from tests.make import make_group, make_recipient, make_recipients, make_workspace
from tests.people.describing import make_segment

pytestmark = pytest.mark.django_db


@pytest.fixture
def program() -> Program:
    return Program(make_workspace(region="KE"), Role.MARKETER)


def listed(program: Program, path: str = "/api/customers", **asked: object) -> list[int]:
    return [row["id"] for row in program.get(path, **asked).json()["data"]]


def test_words_find_who_is_called_or_reached_so(program):
    ada = make_recipient(program.workspace, first_name="Ada", last_name="Lovelace", email="ada@example.com")
    bob = make_recipient(program.workspace, first_name="Bob", phone="+254712345678", email="")
    make_recipient(make_workspace(), first_name="Ada")

    assert listed(program, q="lovel") == listed(program, q="ADA love") == listed(program, q="ada@") == [ada.pk]
    assert listed(program, q="0712 345") == [bob.pk]
    assert program.get("/api/customers", q="ada").json()["pagination"]["total_count"] == 1
    assert listed(program, "/api/recipients/", q="nobody") == []


def test_filters_together_leave_whom_all_of_them_leave(program):
    here = {"location": "Nairobi", "first_name": "Ann"}
    ann, out = make_recipient(program.workspace, **here), make_recipient(program.workspace, **here, opted_out=True)
    elsewhere = make_recipient(program.workspace, first_name="Ann")
    group = make_group(program.workspace, ann, out, elsewhere)
    make_recipient(program.workspace, **here)
    segment = make_segment(program.workspace, ("location", "is", "Nairobi"))
    asked = {"group_id": group.pk, "segment_id": segment.pk, "q": "ann"}

    assert listed(program, **asked) == [out.pk, ann.pk]
    assert listed(program, **asked, opted_out="false") == listed(program, **asked, channel="sms") == [ann.pk]
    assert listed(program, **asked, opted_out="true") == listed(program, **asked, wish="out") == [out.pk]
    assert (
        listed(program, "/api/recipients/", **asked) == listed(program, "/api/recipients/active", **asked) == [ann.pk]
    )


def test_wishes_are_the_words_of_the_page(program):
    some = make_recipient(program.workspace, refused_channels=[Channel.SMS])
    stopped = make_recipient(program.workspace)
    suppress(program.workspace, stopped.email, reason=Suppression.Reason.BOUNCED, by=None)

    assert (listed(program, wish="some"), listed(program, wish="suppressed")) == ([some.pk], [stopped.pk])
    assert program.get("/api/customers", wish="none").status_code == 400


@pytest.mark.parametrize("what", ["group", "segment"])
def test_a_group_or_segment_that_is_not_here_is_not_found(program, what):
    other = make_workspace()
    theirs = make_group(other) if what == "group" else make_segment(other, ("email", "known"))

    answer = program.get("/api/customers", **{f"{what}_id": theirs.pk})

    assert (answer.status_code, error_of(answer)["code"]) == (404, f"{what.upper()}_NOT_FOUND")


def test_a_segment_that_cannot_be_asked_any_more_is_told_and_nobody_listed(program):
    group = make_group(program.workspace, make_recipient(program.workspace))
    segment = make_segment(program.workspace, ("group", "in", group.pk))
    group.delete()

    answer = program.get("/api/customers", segment_id=segment.pk)

    assert (answer.status_code, error_of(answer)["code"]) == (409, "CONFLICT")


def test_a_walk_over_a_segment_meets_each_once_however_rare_they_are(program, monkeypatch):
    monkeypatch.setattr(paging, "LOOKED_AT", 3)
    people = make_recipients(program.workspace, 20)
    rare = [people[18], people[5], people[4], people[3], people[0]]
    Recipient.objects.filter(pk__in=[person.pk for person in rare]).update(location="Nairobi")
    segment = make_segment(program.workspace, ("location", "is", "Nairobi"))

    assert [row["id"] for row in program.walk("/api/customers", segment_id=segment.pk)] == [p.pk for p in rare]


def test_a_search_that_takes_too_long_leads_to_the_cursor(program, monkeypatch):
    monkeypatch.setattr(patience, "SECONDS", 0.001)
    make_recipients(program.workspace, 10_000)
    segment = make_segment(program.workspace, *[("location", "lacks", f"place {n}") for n in range(30)])

    answer = program.get("/api/customers", segment_id=segment.pk)

    assert answer.status_code == 400
    assert "cursor" in error_of(answer)["message"]


def test_the_people_asked_for_are_taken_along_as_a_file_by_whoever_sends(program):
    make_recipient(program.workspace, email="ann@example.com", location="Nairobi")
    make_recipient(program.workspace, email="bob@example.com", opted_out=True)

    answer = program.get("/api/customers/export", wish="out")

    assert (answer.status_code, answer["Content-Type"]) == (200, "text/csv; charset=utf-8")
    lines = whole(answer).decode("utf-8-sig").splitlines()
    assert (lines[0].split(",")[0], [line.split(",")[0] for line in lines[1:]]) == ("email", ["bob@example.com"])
    entry = AuditEntry.objects.latest("pk")
    assert (entry.verb, entry.actor_id) == ("export", program.key.pk)
    assert Program(program.workspace, Role.EDITOR).get("/api/customers/export").status_code == 403
