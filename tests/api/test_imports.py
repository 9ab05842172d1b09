"""/imports: a list brought whole or in parts, checked and carried out by a worker, undone, and read row by row."""

import json
from html import unescape
from io import BytesIO
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.http import HttpResponse
from django.test import Client
from django.test.client import encode_multipart
from django.urls import reverse

from accounts.models import AuditEntry, Role
from people import carrying
from people.consent import How
from people.models import ConsentEvent, Import, Recipient
from people.parts import PART
from tests.api.calls import Program, error_of, whole
from tests.api.served import on_its_first_day
from tests.make import logged_in, make_campaign, make_group, make_workspace
from tests.people.test_workbook import workbook_of

pytestmark = pytest.mark.django_db
LIST = "E-mail,Given,Tier\nann@example.com,Ann,gold\nbob@example.com,Bob,\nnobody,Cy,\n"


@pytest.fixture
def program() -> Program:
    return Program(make_workspace(), Role.EDITOR)


def bring(program: Program, source: str | bytes = LIST, name: str = "list.csv", **form: Any) -> HttpResponse:
    raw = source.encode() if isinstance(source, str) else source
    return program.call("post", "/api/imports", data={"file": SimpleUploadedFile(name, raw)} | form)


def carried(program: Program, answer: HttpResponse) -> dict[str, Any]:
    """How the import stands once a worker has done what is to be done."""
    number = answer.json()["id"]
    for _ in range(3):
        carrying.carry_out(number)
    return program.get(f"/api/imports/{number}").json()


def test_a_list_is_taken_at_once_and_carried_out_behind_the_scenes(program):
    group = make_group(program.workspace)

    answer = bring(program, group_ids=group.pk)
    assert (answer.status_code, answer.json()["is_over"]) == (202, False)
    assert not Recipient.objects.exists()
    done = carried(program, answer)

    assert (done["status"], done["is_over"], done["group_ids"]) == ("done", True, [group.pk])
    assert (done["rows"], done["created"], done["rejected"]) == (3, 2, 1)
    assert {person.email for person in group.recipients.all()} == {"ann@example.com", "bob@example.com"}
    assert program.workspace.recipients.get(email="ann@example.com").attributes == {"given": "Ann", "tier": "gold"}
    assert done["by"] == str(program.key)
    assert [entry.actor_id for entry in AuditEntry.objects.exclude(verb="finish")] == [program.key.pk] * 3


def test_columns_are_said_by_their_titles_and_the_others_are_guessed(program):
    carried(program, bring(program, columns=json.dumps({"given": "first_name", "TIER": ""})))

    ann = program.workspace.recipients.get(email="ann@example.com")
    assert (ann.first_name, ann.attributes) == ("Ann", {})


def test_columns_without_titles_are_said_from_the_left(program):
    source = "Ann,ann@example.com,gold\nBob,bob@example.com,\n"

    carried(program, bring(program, source, columns=json.dumps(["first_name", "email", "tier"])))

    ann = program.workspace.recipients.get(email="ann@example.com")
    assert (ann.first_name, ann.attributes) == ("Ann", {"tier": "gold"})


def test_a_workbook_is_looked_at_by_a_worker_and_goes_on_by_itself(program):
    raw = workbook_of(["E-mail", "Who"], ["ann@example.com", "Ann Lee"])

    done = carried(program, bring(program, raw, "list.xlsx", columns=json.dumps({"Who": "name"})))

    assert (done["status"], program.workspace.recipients.get().full_name) == ("done", "Ann Lee")


@pytest.mark.parametrize(
    ("columns", "told"),
    [
        ("[", "not JSON"),
        ('{"Tier": "Tier of all!"}', "attribute"),
        ('["email", "email"]', "Two columns"),
        ('{"Tier": "email", "Tier": "tier"}', "twice in one object"),
        ('{" Tier": "email", "tier": "tier"}', "have the title “Tier”"),
        ('{"Size": "size"}', "no column “Size”"),
        ('["", "first_name", "tier"]', "Say which column"),
        ('{"Tier": 3}', "string"),
        ("NaN", "columns"),
    ],
)
def test_columns_that_cannot_be_are_told_and_nothing_is_kept(program, columns, told):
    answer = bring(program, columns=columns)

    assert (answer.status_code, error_of(answer)["code"]) == (400, "VALIDATION_ERROR")
    assert told in error_of(answer)["message"]
    assert not Import.objects.exists()


@pytest.mark.parametrize("source", [b"", b"email\n", b"%PDF-1.4"])
def test_a_file_that_is_no_list_is_told(program, source):
    answer = bring(program, source)

    assert (answer.status_code, list(error_of(answer)["details"])) == (400, ["file"])
    assert not Import.objects.exists()


@pytest.mark.parametrize("body", [b"", b"--x\r\n", b"--x--\r\n", b"\x00"])
def test_a_form_that_is_none_is_refused(program, body):
    headers = {**program.headers, "Content-Type": "multipart/form-data; boundary=x"}

    for kind in (headers["Content-Type"], "multipart/form-data", "application/json", "text/csv"):
        answer = Client().generic("POST", "/api/imports", body, content_type=kind, headers=program.headers)
        assert answer.status_code == 400, kind
        error_of(answer)


def test_a_list_is_checked_before_anybody_is_changed_where_that_is_asked_for(program):
    answer = bring(program, start="false")
    checked = carried(program, answer)
    path = f"/api/imports/{checked['id']}"

    assert (checked["status"], checked["forecast"]["created"], checked["rows"]) == ("checked", 2, 0)
    (problem,) = program.get(f"{path}/problems").json()
    assert (problem["problem"], problem["rows"], problem["first"][0]["line"]) == ("email", 1, 4)
    again = program.post(f"{path}/columns", {"columns": {"Given": "first_name"}})
    assert carried(program, again)["status"] == "checked"
    assert carried(program, program.post(f"{path}/start"))["created"] == 2
    assert program.workspace.recipients.filter(first_name="Ann").exists()


def test_every_row_has_its_verdict_and_the_rejected_ones_come_back_as_a_file(program):
    done = carried(program, bring(program))
    path = f"/api/imports/{done['id']}"

    rows = program.walk(f"{path}/rows")

    assert [(row["line"], row["verdict"]) for row in rows] == [(2, "created"), (3, "created"), (4, "rejected")]
    assert rows[0]["customer_id"] == program.workspace.recipients.get(email="ann@example.com").pk
    assert [row["line"] for row in program.walk(f"{path}/rows", verdict="rejected")] == [4]
    assert whole(program.get(f"{path}/rejected")).decode().splitlines()[1].startswith("nobody,Cy,,4,")


def test_a_list_of_which_phones_are_left_out_says_so_before_and_after(program):
    source = "email,phone\nann@example.com,0712345678\nbob@example.com,\nnobody,12\n"
    left_out = ("no_country", 1)

    checked = carried(program, bring(program, source, start="false"))
    done = carried(program, program.post(f"/api/imports/{checked['id']}/start"))
    at_once = carried(program, bring(program, source))

    assert checked["forecast"] == {"created": 2, "updated": 0, "unchanged": 0, "rejected": 1, "partly": 1}
    for upload in (done, at_once):
        path = f"/api/imports/{upload['id']}"
        assert upload["partly"] == upload["forecast"]["partly"] == 1
        problems = program.get(f"{path}/problems").json()
        assert left_out in [(problem["problem"], problem["rows"]) for problem in problems]
        assert [row["line"] for row in program.walk(f"{path}/rows", verdict="partly")] == [2]


def test_the_demo_takes_numbers_without_a_country_code_for_kenyan_ones(monkeypatch):
    workspace = on_its_first_day(monkeypatch)
    program = Program(workspace, Role.EDITOR)

    carried(program, bring(program, "phone,first_name\n0712 345679,Zoe\n"))

    assert workspace.recipients.get(first_name="Zoe").phone == "+254712345679"


def test_an_import_is_undone(program):
    done = carried(program, bring(program))

    undone = carried(program, program.post(f"/api/imports/{done['id']}/undo"))

    assert (undone["status"], undone["removed"]) == ("undone", 2)
    assert not Recipient.objects.exists()


def test_of_a_row_that_is_not_undone_both_is_told_what_was_left_out_and_why_it_stays(program):
    done = carried(program, bring(program, "email,phone\nann@example.com,0712345678\nbob@example.com,\n"))
    make_campaign(program.workspace).picked.add(program.workspace.recipients.get(email="ann@example.com"))

    undone = carried(program, program.post(f"/api/imports/{done['id']}/undo"))

    assert (undone["removed"], undone["kept"]) == (1, 1)
    (kept,) = program.walk(f"/api/imports/{done['id']}/rows", verdict="kept")
    assert "country code" in kept["reason"]
    assert kept["kept_because"] == "not undone: changed, used or opted out since"


def test_what_is_not_possible_now_is_a_conflict(program):
    done = carried(program, bring(program))

    for verb in ("start", "cancel", "complete", "columns"):
        answer = program.post(f"/api/imports/{done['id']}/{verb}")
        assert (answer.status_code, error_of(answer)["code"]) == (409, "CONFLICT"), verb
        assert "done" in error_of(answer)["message"]


def test_a_large_list_comes_in_parts_of_which_the_last_may_be_sent_again(program):
    lines = "".join(f"person{n}@example.com,{'x' * 150}\n" for n in range(13_000))
    raw = f"email,tier\n{lines}".encode()
    begun = program.post("/api/imports/begin", {"name": "list.csv", "size": len(raw), "columns": {"tier": ""}})
    path = f"/api/imports/{begun.json()['id']}"
    stream = BytesIO(raw)
    parts = [*iter(lambda: stream.read(PART), b"")]

    for number, part in enumerate(parts):
        for _ in range(2):
            assert put(program, f"{path}/parts/{number}", part).status_code == 204
    assert put(program, f"{path}/parts/7", b"x").status_code == 409
    another = Program(program.workspace)
    assert put(another, f"{path}/parts/{len(parts)}", b"x").status_code == 409
    assert another.post(f"{path}/complete").status_code == 409
    answer = program.post(f"{path}/complete")

    assert (len(parts), answer.status_code, answer.json()["bytes"]) == (2, 202, len(raw))
    assert carried(program, program.post(f"{path}/cancel"))["status"] == "cancelled"


def test_a_part_that_is_too_large_or_empty_is_refused(program):
    begun = program.post("/api/imports/begin", {"size": 10})
    path = f"/api/imports/{begun.json()['id']}/parts/0"

    assert put(program, path, b"x" * (PART + 1)).status_code == put(program, path, b"").status_code == 400
    assert program.post("/api/imports/begin", {"size": 10**12}).status_code == 400


def put(program: Program, path: str, data: bytes) -> HttpResponse:
    return program.call("put", path, data=data, content_type="application/octet-stream")


def test_an_opt_out_in_a_list_is_noted_as_brought_by_the_key(program):
    carried(program, bring(program, "email,opted_out\nann@example.com,yes\n"))

    event = ConsentEvent.objects.get()
    assert (event.how, event.key) == (How.IMPORT, program.key)


def test_imports_are_listed_newest_first(program, django_assert_max_num_queries):
    numbers = [bring(program, f"person{n}@example.com").json()["id"] for n in range(3)]

    with django_assert_max_num_queries(6):
        listed = program.get("/api/imports").json()["data"]
    assert [row["id"] for row in listed] == numbers[::-1]
    assert [row["id"] for row in program.walk("/api/imports")] == numbers[::-1]


def test_a_list_that_is_brought_twice_under_one_key_is_imported_once(program):
    """Whatever the client puts between the parts of the form: curl takes another word each time."""
    program.headers["Idempotency-Key"] = "monday"

    first, second, other = (
        program.call(
            "post",
            "/api/imports",
            data=encode_multipart(boundary, {"file": SimpleUploadedFile("list.csv", source.encode())}),
            content_type=f"multipart/form-data; boundary={boundary}",
        )
        for boundary, source in (("one", LIST), ("another", LIST), ("another", LIST[:-1]))
    )

    assert (first.status_code, first.json()) == (second.status_code, second.json())
    assert other.status_code == 422
    assert Import.objects.count() == 1


def test_colleagues_see_which_program_brought_a_list(program):
    done = carried(program, bring(program))
    browser = logged_in(program.workspace, Role.VIEWER)

    for page in (reverse("imports"), reverse("import", args=[done["id"]])):
        assert str(program.key) in unescape(browser.get(page).content.decode())
