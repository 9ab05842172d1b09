from datetime import UTC, datetime

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from people import forms, imports
from people.models import Import
from tests.make import make_group, make_member, make_workspace
from tests.people.listing import bring_in, carry_on

pytestmark = pytest.mark.django_db


def post(client, text: str = "", file: bytes | None = None, **typed):
    upload = {"file": SimpleUploadedFile("../../people.csv", file)} if file is not None else {}
    return client.post(reverse("import-new"), {"text": text, **upload, **typed})


def test_a_pasted_list_is_kept_and_carried_out(client, workspace):
    response = post(client, "ann@example.com\r\nbob@example.com")

    upload = Import.objects.get()
    assert response.url == reverse("import", args=[upload.pk])
    assert (upload.name, upload.expected, upload.get_status_display()) == ("Pasted list", 2, "waiting")
    assert carry_on(upload).created == workspace.recipients.count() == 2


def test_a_file_is_kept_under_its_own_name_without_any_path(client):
    post(client, file="email\nann@example.com\n".encode("utf-16"))

    upload = Import.objects.get()
    assert (upload.name, carry_on(upload).created) == ("people.csv", 1)


def test_a_list_can_be_put_into_a_known_or_a_new_group(client, workspace):
    group = make_group(workspace, name="Nairobi")

    for typed in ({"group": group.pk}, {"new_group": "NAIROBI"}, {"new_group": "Mombasa"}):
        post(client, "ann@example.com", **typed)

    assert [str(upload.group) for upload in Import.objects.order_by("pk")] == ["Nairobi", "Nairobi", "Mombasa"]


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ({}, "Paste a list or choose a file."),
        ({"text": "a@example.com", "file": b"b@example.com"}, "not both at once"),
        ({"text": "email\n"}, "There is nobody in this list."),
        ({"text": '"email\n'}, "Line 1 cannot be read."),
        ({"text": "a@example.com\nb@example.com\nc@example.com\nd@example.com"}, "more than 3 rows"),
        ({"text": "a\x00b"}, "Null characters are not allowed."),
        ({"text": "x" * 101}, "at most 100 characters"),
        ({"file": b"x" * 101}, "larger than 10 MB"),
        ({"file": b""}, "There is nobody in this list."),
        ({"file": b"PK\x03\x04"}, "save it as CSV"),
        ({"text": "a@example.com", "group": "9" * 20}, "is not one of the available choices"),
        ({"text": "a@example.com", "new_group": "a\x0bb"}, "control character"),
    ],
)
def test_a_list_that_cannot_be_taken_comes_back_with_a_sentence_and_starts_nothing(
    client, workspace, monkeypatch, typed, sentence
):
    monkeypatch.setattr(imports, "MOST_ROWS", 3)
    monkeypatch.setattr(forms, "MOST_CHARACTERS", 100)
    monkeypatch.setattr(forms.ImportForm.base_fields["text"], "max_length", 100)
    monkeypatch.setattr(forms.ImportForm.base_fields["text"].validators[0], "limit_value", 100)

    response = post(client, **({"new_group": "Kept"} | typed))

    assert response.status_code == 422
    assert sentence in response.content.decode()
    assert not Import.objects.exists()
    assert not workspace.groups.exists()


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

    upload = carry_on(Import.objects.get())
    assert (upload.get_status_display(), upload.rows, upload.rejected) == ("done", 1, 1)
    assert upload.verdicts.get().line == 2


def test_a_running_import_draws_its_progress_every_second_and_stops_when_done(client, workspace):
    upload = imports.start_import(workspace, name="x", source="ann@example.com")
    page, ticking = reverse("import", args=[upload.pk]), reverse("import-progress", args=[upload.pk])
    assert f'hx-get="{ticking}"' in client.get(page).content.decode()
    assert f'hx-get="{ticking}"' in client.get(ticking).content.decode()

    carry_on(upload)

    assert ticking not in client.get(page).content.decode()
    assert client.get(ticking).headers["HX-Refresh"] == "true"


def test_the_verdicts_can_be_read_page_by_page_and_by_kind(client, workspace):
    source = "email\n" + "".join(f"p{n}@example.com\nbad{n}\n" for n in range(60))
    address = reverse("import", args=[bring_in(workspace, source).pk])

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

    assert client.get(reverse("import", args=[upload.pk]), query).status_code == 200


def test_a_cell_is_shown_as_text_and_not_as_markup(client, workspace):
    upload = bring_in(workspace, "email,<b>x</b>\n<script>alert(1)</script>\n", by=None)

    body = client.get(reverse("import", args=[upload.pk])).content.decode()

    assert "<script>alert" not in body
    assert "<b>x</b>" not in body


def test_an_import_of_another_workspace_is_not_found(client):
    other = make_workspace()
    upload = bring_in(other, "ann@example.com", group=make_group(other))

    for name in ("import", "import-progress"):
        assert client.get(reverse(name, args=[upload.pk])).status_code == 404
    assert upload.name not in client.get(reverse("imports")).content.decode()


def test_a_group_of_another_workspace_cannot_be_filled(client):
    foreign = make_group(make_workspace())

    assert post(client, "ann@example.com", group=foreign.pk).status_code == 422
    assert not Import.objects.exists()


def test_the_list_is_not_read_from_the_database_to_show_a_page(client, workspace, django_assert_num_queries):
    upload = imports.start_import(workspace, name="x", source="ann@example.com")

    with django_assert_num_queries(4) as queries:
        client.get(reverse("import-progress", args=[upload.pk]))

    assert not any('"source"' in query["sql"] for query in queries.captured_queries)


def test_starting_an_import_needs_a_token(workspace):
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(make_member(workspace))

    assert post(strict, "ann@example.com").status_code == 403
    assert not Import.objects.exists()


def test_times_of_imports_are_those_of_the_workspace(client, workspace):
    type(workspace).objects.filter(pk=workspace.pk).update(time_zone="Africa/Nairobi")
    upload = bring_in(workspace, "ann@example.com")
    Import.objects.filter(pk=upload.pk).update(created_at=datetime(2026, 3, 1, 22, 30, tzinfo=UTC))

    one = client.get(reverse("import", args=[upload.pk])).content.decode()
    many = client.get(reverse("imports")).content.decode()

    assert "2 March 2026, 01:30" in one
    assert "2 Mar 2026, 01:30" in many


def test_the_rejected_share_of_the_bar_has_a_colour_of_its_own(client, workspace):
    upload = bring_in(workspace, "email\nann@example.com\nnobody\nbob@example.com\nnothing\n")

    html = client.get(reverse("import", args=[upload.pk])).content.decode()

    assert '<svg class="s" width="50.00%"></svg><svg class="f" width="50.00%"></svg>' in html


def test_a_new_campaign_after_an_import_is_for_its_group(client, workspace):
    group = make_group(workspace, name="Nairobi")
    upload = bring_in(workspace, "ann@example.com", group=group)

    link = f"{reverse('campaign-new')}?group={group.pk}"

    assert link in client.get(reverse("import", args=[upload.pk])).content.decode()
    assert f'name="groups" value="{group.pk}" checked' in client.get(link).content.decode()


@pytest.mark.parametrize("asked", ["x", "0", "9" * 30, ""])
def test_a_new_campaign_for_a_group_that_is_not_here_is_for_nobody_yet(client, asked):
    response = client.get(reverse("campaign-new"), {"group": asked or make_group(make_workspace()).pk})

    assert response.status_code == 200
    assert "checked><span>" not in response.content.decode()
