"""/suppressions: whom the workspace does not write to; for keys of admins alone."""

import pytest

from accounts.models import AuditEntry, Role
from people.models import Suppression
from people.suppression import digest_of, suppress
from tests.api.calls import Program, error_of, whole
from tests.make import make_recipient, make_workspace

pytestmark = pytest.mark.django_db


@pytest.fixture
def program() -> Program:
    return Program(make_workspace(region="KE"), Role.ADMIN)


def test_an_address_is_suppressed_once_and_whoever_has_it_is_marked(program):
    ann = make_recipient(program.workspace, phone="+254712345678")

    first = program.post("/api/suppressions", {"address": "0712 345 678", "note": "asked by letter"})
    second = program.post("/api/suppressions", {"address": "+254712345678"})

    assert (first.status_code, second.status_code) == (201, 200)
    assert first.json() == second.json()
    entry = first.json()
    assert (entry["address"], entry["reason"], entry["note"]) == ("+254712345678", "added", "asked by letter")
    ann.refresh_from_db()
    assert ann.phone_suppressed


def test_the_list_is_walked_and_an_address_looked_for(program):
    for name in ("ann", "bob", "cy"):
        suppress(program.workspace, f"{name}@example.com", reason=Suppression.Reason.BOUNCED, by=None)
    suppress(make_workspace(), "dee@example.com", reason=Suppression.Reason.BOUNCED, by=None)

    walked = [row["address"] for row in program.walk("/api/suppressions")]
    found = program.get("/api/suppressions", address="BOB@example.com").json()["data"]
    by_digest = program.get("/api/suppressions", address=digest_of("bob@example.com").hex()).json()["data"]

    assert walked == ["cy@example.com", "bob@example.com", "ann@example.com"]
    assert [row["address"] for row in found] == [row["address"] for row in by_digest] == ["bob@example.com"]
    assert program.get("/api/suppressions", address="nobody").json()["data"] == []


def test_an_entry_is_taken_off_and_one_whose_address_is_not_kept_needs_it(program):
    for address, reason in (
        ("ann@example.com", Suppression.Reason.ADDED),
        ("bob@example.com", Suppression.Reason.ERASED),
    ):
        suppress(program.workspace, address, reason=reason, by=None)
    bob, ann = program.walk("/api/suppressions")

    assert program.delete(f"/api/suppressions/{ann['id']}").status_code == 204
    refused = program.delete(f"/api/suppressions/{bob['id']}")
    assert (refused.status_code, error_of(refused)["code"], bob["address"]) == (409, "CONFLICT", "")
    body = {"address": "Bob@example.com"}
    answers = [program.post("/api/suppressions/release", body).json()["released"] for _ in range(2)]
    assert answers == [True, False]


def test_a_list_is_brought_in_and_each_line_has_a_verdict(program):
    suppress(program.workspace, "ann@example.com", reason=Suppression.Reason.ADDED, by=None)
    lines = ["ann@example.com", "bob@example.com", "nobody", digest_of("cy@example.com").hex()]

    answer = program.post("/api/suppressions/import", {"lines": lines})

    brought = answer.json()
    assert (answer.status_code, brought["added"], brought["known"]) == (200, 2, 1)
    assert [(line["line"], line["text"]) for line in brought["refused"]] == [(3, "nobody")]


def test_the_list_is_taken_along_as_a_file_and_that_is_written_down(program):
    suppress(program.workspace, "ann@example.com", reason=Suppression.Reason.ADDED, by=None)

    lines = whole(program.get("/api/suppressions/export")).decode().splitlines()

    assert [line.split(",")[0] for line in lines] == ["address", "ann@example.com"]
    assert AuditEntry.objects.latest("pk").verb == "export_suppressions"


@pytest.mark.parametrize("body", [{}, {"address": "nobody"}, {"address": "ann@example.com", "note": "x" * 301}])
def test_what_is_no_address_is_told(program, body):
    answer = program.post("/api/suppressions", body)

    assert (answer.status_code, error_of(answer)["code"]) == (400, "VALIDATION_ERROR")
    assert not Suppression.objects.exists()
