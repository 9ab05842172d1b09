"""The wizard over HTTP: the list, its columns, the check, the import, and what is left of it."""

import csv
import io
from datetime import UTC, datetime

import pytest
from asgiref.sync import async_to_sync
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from people import carrying, import_forms, imports, parts, source
from people.models import Import, ImportPart, ImportRow, StagedRow
from people.sheet import UnreadableSheet
from people.workbook import records_of_workbook
from tests.make import make_group, make_member, make_recipient, make_workspace
from tests.people.listing import bring_in, carry_on, words
from tests.people.test_workbook import workbook_of

pytestmark = pytest.mark.django_db


def post(client, text: str = "", file: bytes | None = None, **typed):
    upload = {"file": SimpleUploadedFile("../../people.csv", file)} if file is not None else {}
    return client.post(reverse("import-new"), {"text": text, **upload, **typed})


def page(name: str, upload: Import) -> str:
    return reverse(name, args=[upload.pk])


def go_on(client, upload: Import, **chosen) -> Import:
    """Choose the columns as they are guessed, or as said here, and have the list checked."""
    form = client.get(page("import-columns", upload)).context["form"]
    typed = {name: form[name].value() or "" for name in form.fields} | {"groups": []} | chosen
    answer = client.post(page("import-columns", upload), typed)
    assert answer.status_code == 302, answer.context["form"].errors
    return carry_on(upload)


def finish(client, upload: Import) -> Import:
    client.post(page("import-start", upload))
    return carry_on(upload)


def test_a_pasted_list_goes_through_all_steps_and_nobody_is_changed_before_the_last(client, workspace):
    make_recipient(workspace, email="bob@example.com", phone="", first_name="Bob")
    source = "email,first_name\r\nann@example.com,Ann\r\nbob@example.com,Bobby\r\nnobody,No\r\n"

    response = post(client, source)
    upload = Import.objects.get()
    assert (response.url, upload.name) == (page("import-columns", upload), "Pasted list")

    upload = go_on(client, upload)
    assert (upload.get_status_display(), workspace.recipients.count()) == ("checked", 1)
    check = client.get(page("import", upload)).content.decode()
    assert "Import the 2 good rows, give me the bad one" in check
    assert "Email addresses that cannot be used" in check and "Line 4" in check

    upload = finish(client, upload)
    assert (upload.created, upload.updated, upload.rejected) == (1, 1, 1)
    assert upload.forecast["created"] == upload.forecast["updated"] == upload.forecast["rejected"] == 1
    assert workspace.recipients.get(email="bob@example.com").first_name == "Bobby"


def test_a_file_is_kept_under_its_own_name_without_any_path(client):
    post(client, file="email\nann@example.com\n".encode("utf-16"))

    upload = Import.objects.get()
    assert (upload.name, finish(client, go_on(client, upload)).created) == ("people.csv", 1)


def test_columns_are_what_somebody_says_they_are_and_people_join_the_groups_chosen(client, workspace):
    nairobi = make_group(workspace, name="Nairobi")
    post(client, "Kontakt;Vorname;Stufe;Notiz\nann@example.com;Ann;gold;x\nbob@example.com;Bob;silver;y\n")
    upload = Import.objects.get()
    form = client.get(page("import-columns", upload)).context["form"]
    assert [form[f"column_{n}"].value() for n in range(4)] == ["email", "own", "own", "own"]

    chosen = {"column_1": "first_name", "column_2": "own", "name_2": "tier", "column_3": ""}
    upload = go_on(client, upload, groups=[nairobi.pk], new_group="mombasa", **chosen)
    upload = finish(client, upload)

    ann = workspace.recipients.get(email="ann@example.com")
    assert (ann.first_name, ann.attributes) == ("Ann", {"tier": "gold"})
    assert sorted(ann.groups.values_list("name", flat=True)) == ["Nairobi", "mombasa"]
    assert upload.note == "Columns not read: Notiz."


def test_a_first_line_can_be_said_to_be_a_person_or_to_name_the_columns(client):
    post(client, "Ann Lee,ann@example.com\nBob Ray,bob@example.com\n")
    upload = Import.objects.get()

    client.post(page("import-columns", upload), {"first_line": "titles"})
    upload.refresh_from_db()
    assert upload.titles == ["Ann Lee", "ann@example.com"]
    client.post(page("import-columns", upload), {"first_line": "person"})

    assert finish(client, go_on(client, upload)).created == 2


@pytest.mark.parametrize(
    ("chosen", "sentence"),
    [
        ({"column_0": ""}, "Say which column has the email addresses"),
        ({"column_1": "email"}, "Another column is this already"),
        ({"column_1": "own", "name_1": ""}, "Give the attribute a name"),
        ({"column_1": "own", "name_1": "City"}, "cannot be the name of an attribute"),
        ({"column_1": "own", "name_1": "größe"}, "cannot be the name of an attribute"),
        ({"column_1": "nonsense"}, "is not one of the available choices"),
        ({"groups": "9" * 20}, "is not one of the available choices"),
        ({"new_group": "a\x0bb"}, "control character"),
    ],
)
def test_columns_that_cannot_be_so_come_back_with_a_sentence(client, workspace, chosen, sentence):
    post(client, "email,name\nann@example.com,Ann\n")
    upload = Import.objects.get()
    typed = {"column_0": "email", "column_1": "name"} | chosen

    answer = client.post(page("import-columns", upload), typed)

    assert answer.status_code == 422
    assert sentence in answer.content.decode()
    assert not workspace.groups.exists()


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ({}, "Paste a list or choose a file."),
        ({"text": "a@example.com", "file": b"b@example.com"}, "not both at once"),
        ({"text": "email\n"}, "There is nobody in this list."),
        ({"text": '"email\n'}, "Line 1 cannot be read."),
        ({"text": "a\x00b"}, "Null characters are not allowed."),
        ({"text": "x" * 101}, "at most 100 characters"),
        ({"file": b"x" * 101}, "needs JavaScript"),
        ({"file": b""}, "There is nobody in this list."),
        ({"file": b"\xd0\xcf\x11\xe0"}, "of an old kind"),
        ({"file": b"%PDF-1.7"}, "choose a CSV or XLSX file"),
    ],
)
def test_a_list_that_cannot_be_taken_comes_back_with_a_sentence_and_keeps_nothing(
    client, workspace, monkeypatch, typed, sentence
):
    monkeypatch.setattr(import_forms, "MOST_AT_ONCE", 100)
    monkeypatch.setattr(import_forms.ListForm.base_fields["text"], "max_length", 100)
    monkeypatch.setattr(import_forms.ListForm.base_fields["text"].validators[0], "limit_value", 100)

    response = post(client, **typed)

    assert response.status_code == 422
    assert sentence in response.content.decode()
    assert not Import.objects.exists()


# --- in parts ---


def begin(client, size: int | str = 1, name: str = "big.csv"):
    return client.post(reverse("import-begin"), {"name": name, "size": size})


def send_part(client, places: dict, number: int, data: bytes):
    return client.generic("POST", f"{places['part']}?number={number}", data, "application/octet-stream")


def test_a_large_file_comes_in_parts_and_a_part_sent_twice_is_kept_once(client, workspace):
    group = make_group(workspace)
    half = b"email\n" + b"".join(b"p%d@example.com\n" % n for n in range(50)) + b"x@exam"
    places = begin(client, len(half) + 7).json()

    statuses = [send_part(client, places, n, data).status_code for n, data in ((0, half), (0, half), (1, b"ple.com"))]
    following = client.post(f"{places['complete']}?group={group.pk}").json()["next"]

    upload = Import.objects.get()
    assert statuses == [204, 204, 204]
    assert following == f"{page('import-columns', upload)}?group={group.pk}"
    assert f'value="{group.pk}" id="id_groups_0" checked' in client.get(following).content.decode()
    assert finish(client, go_on(client, upload)).created == 51


@pytest.mark.parametrize(("number", "kind", "status"), [("1", "", 409), ("x", "", 409), ("", "", 409), ("0", "f", 415)])
def test_a_part_out_of_order_is_refused(client, number, kind, status):
    places = begin(client).json()
    typed = "text/plain" if kind else "application/octet-stream"

    assert client.generic("POST", f"{places['part']}?number={number}", b"x", typed).status_code == status
    assert not ImportPart.objects.exists()


def test_a_list_larger_than_allowed_is_refused_while_it_comes(client, monkeypatch):
    monkeypatch.setattr(parts, "MOST_BYTES", 10)
    places = begin(client, 10).json()

    assert [send_part(client, places, n, b"x" * 6).status_code for n in (0, 1)] == [204, 413]


def test_what_came_in_parts_and_is_no_list_is_refused_with_a_sentence(client):
    places = begin(client, 8).json()
    send_part(client, places, 0, b"\x89PNG\r\n\x1a\n")

    answer = client.post(places["complete"])

    assert answer.status_code == 422
    assert "choose a CSV or XLSX file" in answer.content.decode()
    assert (Import.objects.get().get_status_display(), ImportPart.objects.exists()) == ("cancelled", False)


def test_a_list_of_which_the_answer_was_lost_is_taken_once_however_often_it_is_asked(client):
    places = begin(client, 21).json()
    send_part(client, places, 0, b"email\nann@example.com")

    first, second = (client.post(places["complete"]) for _ in range(2))

    assert first.status_code == second.status_code == 200
    assert first.json() == second.json()
    assert finish(client, go_on(client, Import.objects.get())).created == 1


def test_a_list_whose_end_is_missing_is_not_taken_for_the_whole(client):
    places = begin(client, 2_000).json()
    send_part(client, places, 0, b"email\nann@example.com\n")

    answer = client.post(places["complete"])

    assert (answer.status_code, answer.content.decode()) == (
        422,
        "22 of 2,000 bytes arrived; choose the file again.",
    )
    assert (Import.objects.get().get_status_display(), ImportPart.objects.exists()) == ("cancelled", False)


def test_a_part_sent_twice_must_be_the_same(client):
    places = begin(client, 13).json()
    send_part(client, places, 0, b"a@example.com")

    assert send_part(client, places, 0, b"a@example.org").status_code == 409
    assert bytes(ImportPart.objects.get().data) == b"a@example.com"


def test_an_empty_part_is_called_empty(workspace):
    with pytest.raises(UnreadableSheet, match="This part of the list is empty."):
        parts.keep_part(imports.begin(workspace, name="x", by=None), 0, b"", by=None)


def test_nobody_adds_to_a_list_that_a_colleague_sends(client, workspace):
    places = begin(client, 13).json()
    send_part(client, places, 0, b"a@example.com")
    colleague = Client()
    colleague.force_login(make_member(workspace))

    assert send_part(colleague, places, 1, b"b@example.com").status_code == 409
    assert colleague.post(places["complete"]).status_code == 422
    assert client.post(places["complete"]).status_code == 200


def test_a_workspace_sends_a_few_lists_at_once_and_no_more(client, workspace):
    statuses = [begin(client).status_code for _ in range(imports.MOST_UPLOADS + 1)]
    refusal = begin(client).content.decode()
    imports.cancel(Import.objects.first(), by=None)

    assert statuses == [201] * imports.MOST_UPLOADS + [422]
    assert "5 lists are being sent already" in refusal
    assert begin(client).status_code == 201


@pytest.mark.parametrize(
    ("size", "sentence"), [(10**10, "larger than 200 MB"), ("", "how large"), ("x", "how large"), ("0", "how large")]
)
def test_a_list_that_cannot_come_in_parts_is_refused_before_any_of_them(client, size, sentence):
    answer = begin(client, size)

    assert (answer.status_code, Import.objects.exists()) == (422, False)
    assert sentence in answer.content.decode()


# --- a workbook, at which a worker looks ---


def test_a_workbook_is_looked_at_by_a_worker_and_read_in_no_web_request(client, workspace, monkeypatch):
    group = make_group(workspace)
    raw = workbook_of(["E-Mail", "Vorname"], ["ann@example.com", "Ann"])
    with monkeypatch.context() as web:
        web.setattr(source, "records_of_workbook", _read_in_a_request)
        address = reverse("import-new") + f"?group={group.pk}"
        columns = client.post(address, {"text": "", "file": SimpleUploadedFile("people.xlsx", raw)}).url
        upload = Import.objects.get()
        waiting = client.get(columns).content.decode()
        assert upload.get_status_display() == "being looked at"
        assert page("import-progress", upload) in waiting

    upload = carry_on(upload)

    with monkeypatch.context() as web:
        web.setattr(source, "records_of_workbook", _read_in_a_request)
        assert client.get(page("import-progress", upload)).headers["HX-Refresh"] == "true"
        form = client.get(columns).context["form"]
        assert [form[f"column_{n}"].value() for n in range(2)] == ["email", "own"]
        assert form["groups"].value() == [group.pk]
        for line in ("person", "titles"):
            client.post(columns, {"first_line": line})
        client.post(columns, {"column_0": "email", "column_1": "first_name"})

    upload = finish(client, carry_on(upload))
    assert (upload.created, workspace.recipients.get().first_name, upload.first) == (1, "Ann", [])


def _read_in_a_request(_file):
    raise AssertionError("a web request reads a workbook")


def test_no_transaction_is_open_while_a_workbook_is_looked_at(client, monkeypatch):
    post(client, file=workbook_of(["email"], ["ann@example.com"]))
    depth = len(connection.atomic_blocks)
    seen = []

    def watched(file):
        seen.append(len(connection.atomic_blocks))
        return records_of_workbook(file)

    monkeypatch.setattr(source, "records_of_workbook", watched)
    carry_on(Import.objects.get())

    assert seen == [depth]


def test_a_workbook_that_cannot_be_read_says_so_on_its_page(client):
    post(client, file=b"PK\x03\x04")

    upload = carry_on(Import.objects.get())

    assert upload.get_status_display() == "failed"
    shown = client.get(page("import", upload)).content.decode()
    assert "This file is damaged; save the list again" in shown
    assert "of 0 rows" not in shown and "Row by row" not in shown
    assert not ImportPart.objects.exists()


def test_a_workbook_nobody_looked_at_is_looked_at_when_the_clock_finds_it(client):
    post(client, file=workbook_of(["email"], ["ann@example.com"]))
    Import.objects.update(moved_at=datetime(2026, 1, 1, tzinfo=UTC))

    assert list(carrying.unfinished()) == [Import.objects.get()]


# --- the same list, cancelling, and going back ---


def test_the_very_same_list_is_warned_of_in_its_own_workspace_alone(client, workspace):
    bring_in(make_workspace(), "ann@example.com")
    post(client, "ann@example.com")
    upload = Import.objects.latest("pk")
    assert "imported before" not in client.get(page("import-columns", upload)).content.decode()

    finish(client, go_on(client, upload))
    post(client, "ann@example.com")

    assert "imported before" in client.get(page("import-columns", Import.objects.latest("pk"))).content.decode()


def test_an_import_can_be_cancelled_at_every_step_and_nothing_of_its_list_is_kept(client, workspace):
    begin(client, name="uploading")
    post(client, file=workbook_of(["email"]))
    for name in ("mapped", "checking", "checked", "waiting"):
        post(client, f"{name}@example.com")
        upload = Import.objects.latest("pk")
        if name != "mapped":
            client.post(page("import-columns", upload), {"column_0": "email"})
        if name in ("checked", "waiting"):
            carry_on(upload)
        if name == "waiting":
            client.post(page("import-start", upload))

    for upload in Import.objects.all():
        assert client.get(page("import-cancel", upload)).status_code == 200
        client.post(page("import-cancel", upload))
        carry_on(upload)

    assert {upload.get_status_display() for upload in Import.objects.all()} == {"cancelled"}
    assert not workspace.recipients.exists()
    assert not ImportPart.objects.exists() and not StagedRow.objects.exists()


def test_a_checked_list_can_be_read_with_other_columns(client, workspace):
    post(client, "email,phone\n,0712 345 678\n")
    upload = go_on(client, Import.objects.get())
    assert upload.forecast["rejected"] == 1
    assert "without a country code" in client.get(page("import", upload)).content.decode()

    type(workspace).objects.filter(pk=workspace.pk).update(region="KE")
    upload = finish(client, go_on(client, upload))

    assert workspace.recipients.get().phone == "+254712345678"
    assert words(upload) == ["created"]


# --- the bad rows ---


@pytest.mark.parametrize("head", ["email,first_name,city\n", ""])
def test_the_rejected_rows_come_back_as_a_file_that_can_be_mended_and_imported_again(client, workspace, head):
    rows = 'ann@example.com,Ann,Nairobi\nbob@,Bob,"=1+1, Thika"\n'
    upload = bring_in(workspace, head + rows) if head else bring_in(workspace, rows.replace('"=1+1, Thika"', ""))

    answer = client.get(page("import-rejected", upload))
    text = _read(answer)
    given = list(csv.reader(io.StringIO(text.removeprefix("\ufeff"))))
    again = bring_in(workspace, text.replace("bob@,", "bob@example.com,"))

    assert given[0][-2:] == ["line in the list", "rejected because"]
    assert given[1][-2] == ("3" if head else "2")
    assert given[1][0] == "bob@" and "is not an email address" in given[1][-1]
    assert (again.created, again.rejected) == (1, 0)
    bob = workspace.recipients.get(email="bob@example.com")
    assert (bob.first_name, bob.location, bob.attributes) == ("Bob", "=1+1, Thika" if head else "", {})


def test_a_row_that_cannot_be_read_comes_back_as_its_line_stood_with_its_number(client, workspace):
    upload = bring_in(workspace, 'email,first_name\nann@example.com,"Ann\nbob@example.com,Bob\n')

    _, ann = csv.reader(io.StringIO(_read(client.get(page("import-rejected", upload)))))

    assert ann[:3] == ['ann@example.com,"Ann', "", "2"]
    assert "not closed" in ann[3]


def test_a_row_beyond_the_last_column_of_a_workbook_comes_back_with_the_cells_that_were_read(client, workspace):
    wide = ["ann@example.com", *[""] * 500, "far away"]
    post(client, file=workbook_of(["email"], wide, ["bob@example.com"]))
    upload = finish(client, go_on(client, carry_on(Import.objects.get())))

    _, ann = csv.reader(io.StringIO(_read(client.get(page("import-rejected", upload)))))

    assert (upload.created, ann) == (1, ["ann@example.com", "2", "This row has something beyond column 500."])


def test_rejected_rows_come_back_whole_and_say_so_where_they_do_not(client, workspace):
    notes = [f"note_{'abcdefghijklmnopqrstuvwxyz'[n // 26]}{'abcdefghijklmnopqrstuvwxyz'[n % 26]}" for n in range(49)]
    head = ",".join(["email", *notes])
    upload = bring_in(workspace, f"{head}\nann@,{'x' * 200}{',' * 48}\nbob@,{'x' * 201}{',' * 48}\n")

    _, ann, bob = csv.reader(io.StringIO(_read(client.get(page("import-rejected", upload)))))

    assert (ann[1], "cut" in ann[-1]) == ("x" * 200, False)
    assert (bob[1], bob[-1].endswith("What was too long is cut.")) == ("x" * 199 + "…", True)


@pytest.mark.parametrize("head", ["email,first_name\n", ""])
def test_rows_that_were_mended_in_vain_come_back_with_one_reason_each(client, workspace, head):
    upload = bring_in(workspace, f"{head}bob@,Bob\n")
    files = []
    for _ in range(2):
        files.append(_read(client.get(page("import-rejected", upload))))
        upload = bring_in(workspace, files[-1].replace("bob@", "bob@@"))

    first, second = (list(csv.reader(io.StringIO(file))) for file in files)
    assert second[0] == first[0]
    assert (len(second[1]), second[1][:2]) == (4, ["bob@@", "Bob"])


def test_of_a_list_on_one_line_each_bad_address_comes_back_alone(client, workspace):
    upload = bring_in(workspace, "ann@example.com, bob@, cy@example.com, dan@")

    _, bob, dan = csv.reader(io.StringIO(_read(client.get(page("import-rejected", upload)))))

    assert (bob[:2], dan[:2]) == (["bob@", "1"], ["dan@", "1"])


def test_a_list_on_one_line_goes_through_without_a_word_about_its_columns(client, workspace):
    post(client, ", ".join(f"p{n}@example.com" for n in range(600)))
    upload = Import.objects.get()
    form = client.get(page("import-columns", upload))

    assert [*form.context["form"].columns] == []
    assert "Each cell is taken for what it looks like" in form.content.decode()
    assert "names the columns" not in form.content.decode()
    assert finish(client, go_on(client, upload)).created == 600


def _read(answer) -> str:
    async def read() -> str:
        return "".join([piece.decode() async for piece in answer.streaming_content])

    return async_to_sync(read)()


@pytest.mark.parametrize(
    "raw",
    [
        b"email\nann@example.com\x00\n",
        b"email\nann\xed\xa0\x80@example.com\n",
        b"email\n\xff\xfe\x81@example.com\n",
        b'email\nann@example.com,"\n',
        b"email\r" + b"x" * 200_000 + b"\r",
    ],
)
def test_whatever_is_in_a_file_each_row_of_it_gets_a_verdict(client, raw):
    post(client, file=raw)

    upload = finish(client, go_on(client, Import.objects.get()))
    assert (upload.get_status_display(), upload.rows, upload.rejected) == ("done", 1, 1)
    assert upload.verdicts.get().line == 2


# --- its page ---


def test_a_running_import_draws_its_progress_every_second_and_stops_when_done(client, workspace):
    upload = imports.start_import(workspace, name="x", source="ann@example.com")
    ticking = page("import-progress", upload)
    assert f'hx-get="{ticking}"' in client.get(page("import", upload)).content.decode()
    assert f'hx-get="{ticking}"' in client.get(ticking).content.decode()

    carry_on(upload)

    assert ticking not in client.get(page("import", upload)).content.decode()
    assert client.get(ticking).headers["HX-Refresh"] == "true"


def test_the_verdicts_can_be_read_page_by_page_and_by_kind(client, workspace):
    source = "email\n" + "".join(f"p{n}@example.com\nbad{n}\n" for n in range(60))
    address = page("import", bring_in(workspace, source))

    first = client.get(address, {"verdict": "rejected"})
    second = client.get(address, {"verdict": "rejected", "after": first.context["following"]})

    lines = [row.line for answer in (first, second) for row in answer.context["rows"]]
    assert lines == [3 + 2 * n for n in range(60)]
    assert second.context["following"] is None
    assert "is not an email address" in first.content.decode()


@pytest.mark.parametrize(
    "query", [{"after": "9" * 20}, {"after": "9" * 18}, {"after": "x"}, {"after": "-1"}, {"verdict": "nonsense"}]
)
def test_nonsense_in_the_address_is_no_fault_of_ours(client, workspace, query):
    upload = bring_in(workspace, "ann@example.com")

    assert client.get(page("import", upload), query).status_code == 200


def test_a_cell_is_shown_as_text_and_not_as_markup(client, workspace):
    post(client, "email,<b>x</b>\n<script>alert(1)</script>,<i>y</i>\n")
    upload = Import.objects.get()
    body = client.get(page("import-columns", upload)).content.decode()
    upload = go_on(client, upload)
    body += client.get(page("import", upload)).content.decode()
    upload = finish(client, upload)
    body += client.get(page("import", upload)).content.decode()

    assert not [tag for tag in ("<script>alert", "<b>x</b>", "<i>y</i>") if tag in body]


def test_an_import_of_another_workspace_is_not_found(client):
    other = make_workspace()
    upload = bring_in(other, "ann@example.com", groups=[make_group(other)])

    for name in ("import", "import-progress", "import-columns", "import-cancel", "import-undo", "import-rejected"):
        assert client.get(page(name, upload)).status_code == 404
    for name in ("import-part", "import-complete", "import-start", "import-cancel", "import-undo"):
        assert client.post(page(name, upload)).status_code == 404
    upload.refresh_from_db()
    assert upload.get_status_display() == "done"
    assert upload.name not in client.get(reverse("imports")).content.decode()


def test_a_group_of_another_workspace_cannot_be_filled(client):
    foreign = make_group(make_workspace())
    post(client, "ann@example.com")
    upload = Import.objects.get()

    answer = client.post(page("import-columns", upload), {"column_0": "email", "groups": [foreign.pk]})

    assert answer.status_code == 422
    assert not upload.groups.exists()


def test_starting_an_import_needs_a_token(workspace):
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(make_member(workspace))

    assert post(strict, "ann@example.com").status_code == 403
    assert not Import.objects.exists()


def test_times_of_imports_are_those_of_the_workspace(client, workspace):
    type(workspace).objects.filter(pk=workspace.pk).update(time_zone="Africa/Nairobi")
    upload = bring_in(workspace, "ann@example.com")
    Import.objects.filter(pk=upload.pk).update(created_at=datetime(2026, 3, 1, 22, 30, tzinfo=UTC))

    one = client.get(page("import", upload)).content.decode()
    many = client.get(reverse("imports")).content.decode()

    assert "2 March 2026, 01:30" in one
    assert "2 Mar 2026, 01:30" in many


def test_the_rejected_share_of_the_bar_has_a_colour_of_its_own(client, workspace):
    upload = bring_in(workspace, "email\nann@example.com\nnobody\nbob@example.com\nnothing\n")

    html = client.get(page("import", upload)).content.decode()

    assert '<svg class="s" width="50.00%"></svg><svg class="f" width="50.00%"></svg>' in html


def test_a_new_campaign_after_an_import_is_for_its_group(client, workspace):
    group = make_group(workspace, name="Nairobi")
    upload = bring_in(workspace, "ann@example.com", groups=[group])

    link = f"{reverse('campaign-new')}?group={group.pk}"

    assert link in client.get(page("import", upload)).content.decode()
    assert f'name="groups" value="{group.pk}" checked' in client.get(link).content.decode()


@pytest.mark.parametrize("asked", ["x", "0", "9" * 30, ""])
def test_a_new_campaign_for_a_group_that_is_not_here_is_for_nobody_yet(client, asked):
    response = client.get(reverse("campaign-new"), {"group": asked or make_group(make_workspace()).pk})

    assert response.status_code == 200
    assert "checked><span>" not in response.content.decode()


def test_verdicts_are_read_from_an_index_and_those_there_are_none_of_are_not_looked_for(client, workspace):
    upload = bring_in(workspace, "email\nann@example.com\nbad\n")
    page = reverse("import", args=[upload.pk])

    with CaptureQueriesContext(connection) as asked:
        client.get(page, {"verdict": "updated"}), client.get(page, {"verdict": "kept"})
    assert not [query for query in asked.captured_queries if "people_importrow" in query["sql"]]

    with connection.cursor() as cursor:  # of so few rows PostgreSQL would simply read all
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute("SET LOCAL enable_sort = off")
        plan = upload.verdicts.filter(verdict=ImportRow.Verdict.REJECTED, number__gt=0).order_by("number").explain()
    assert "import_rows_by_verdict" in plan
