"""What an import says before and after it is carried out, taken back or given up."""

import csv
import io

import pytest
from django.urls import reverse

from people import imports, undo
from people.models import Import, Suppression
from people.patience import TookTooLong
from people.recipients import change_recipient
from people.suppression import suppress
from tests.make import make_group, make_recipient
from tests.people.listing import bring_in, carry_on, read, words
from tests.people.test_import_page import _read, finish, go_on, page, post

pytestmark = pytest.mark.django_db


def shown(client, name: str, *arguments: int) -> str:
    return " ".join(client.get(reverse(name, args=arguments)).content.decode().split())


def test_a_new_group_is_made_when_the_import_starts_and_a_list_that_is_given_up_leaves_none(client, workspace):
    make_recipient(workspace, email="ann@example.com", phone="")
    for _ in range(2):
        post(client, "email\nann@example.com\nbob@example.com\n")
    given_up, carried_out = Import.objects.order_by("pk")

    given_up = go_on(client, given_up, new_group="Spring")
    assert given_up.forecast["updated"] == 1  # who is here already would join it
    assert "Into <b>Spring</b>, a new group." in shown(client, "import", given_up.pk)
    assert 'value="Spring"' in shown(client, "import-columns", given_up.pk)
    imports.cancel(given_up, by=None)
    assert not workspace.groups.exists()

    carried_out = finish(client, go_on(client, carried_out, new_group="Spring"))
    assert workspace.groups.get(name="Spring").recipients.count() == 2
    assert words(carried_out) == ["updated", "created"]


def test_a_new_group_that_is_there_already_is_that_one(client, workspace):
    group = make_group(workspace, name="Spring")
    post(client, "email\nann@example.com\n")

    upload = go_on(client, Import.objects.get(), new_group="spring")

    assert (list(upload.groups.all()), upload.new_group) == ([group], "")


def test_undo_foretells_how_many_are_removed(client, workspace):
    upload = bring_in(workspace, "email\n" + "".join(f"p{n}@example.com\n" for n in range(3)))
    assert "Of the <b>3</b> people it created <b>3</b> are removed." in shown(client, "import-undo", upload.pk)
    change_recipient(workspace.recipients.earliest("pk"), by=None, first_name="Ann")

    foretold = shown(client, "import-undo", upload.pk)
    imports.undo(upload, by=None)
    upload = carry_on(upload)

    assert "<b>2</b> are removed; the others stay" in foretold
    assert upload.removed == 2


def test_undo_does_not_wait_for_ever_to_foretell_it(client, workspace, monkeypatch):
    upload = bring_in(workspace, "email\nann@example.com\n")

    def impatience():
        raise TookTooLong

    monkeypatch.setattr(undo, "patience", impatience)

    assert "Up to <b>1</b> person it created is removed." in shown(client, "import-undo", upload.pk)


def test_the_page_of_an_undone_import_begins_with_what_was_undone(client, workspace):
    upload = bring_in(workspace, "email\nann@example.com\n")
    imports.undo(upload, by=None)
    carry_on(upload)

    html = shown(client, "import", upload.pk)

    assert "Of <b>1</b> created person <b>1</b> was removed." in html
    assert "100%" not in html and "as it was before the undoing" in html


def test_lists_that_were_merely_checked_show_how_long_they_are(client, workspace):
    post(client, "email\nann@example.com\nbob@example.com\n")
    upload = go_on(client, Import.objects.get())
    imports.cancel(upload, by=None)

    assert '2 <span class="muted">none imported</span>' in shown(client, "imports")
    assert "0%" not in shown(client, "import", upload.pk)


def test_before_a_list_is_imported_its_page_says_how_many_rows_lose_something(client, workspace):
    post(client, "email,phone\nann@example.com,12\nbob@example.com,13\nwell@example.com,\nbad,14\n")

    upload = go_on(client, Import.objects.get())

    assert "Of them <b>2</b> would be imported in part" in shown(client, "import", upload.pk)


def test_rows_that_were_imported_in_part_come_back_to_be_mended(client, workspace):
    make_recipient(workspace, email="cy@example.com", phone="")
    upload = bring_in(
        workspace,
        "email,phone,first_name\nann@example.com,12,Ann\nbob@,+254712345678,Bob\ncy@example.com,13,Cy\n"
        "ann@example.com,14,Ann\nbad,,\nwell@example.com,,\n",
    )
    assert (upload.partly, upload.rejected) == (4, 1)
    assert "4 rows imported in part" in shown(client, "import", upload.pk)
    lost = client.get(page("import", upload), {"verdict": "partly"})
    assert [row.line for row in lost.context["rows"]] == [2, 3, 4, 5]
    assert 'href="?verdict=partly" aria-current="true">Partly 4</a>' in lost.content.decode()

    text = _read(client.get(page("import-partly", upload)))
    given = list(csv.reader(io.StringIO(text.removeprefix("\ufeff"))))
    mended = bring_in(workspace, text.replace(",12,", ",+254712345671,").replace("bob@,", "bob@example.com,"))

    assert [row[:3] + row[-2:-1] for row in given[1:]] == [
        ["ann@example.com", "12", "Ann", "2"],
        ["bob@", "'+254712345678", "Bob", "3"],
        ["cy@example.com", "13", "Cy", "4"],
        ["ann@example.com", "14", "Ann", "5"],
    ]
    assert (mended.created, mended.rejected) == (0, 0)
    assert workspace.recipients.get(email="bob@example.com").phone == "+254712345678"
    assert workspace.recipients.get(email="ann@example.com").phone == "+254712345671"


@pytest.mark.parametrize(
    ("word", "is_out"),
    [("ja", True), ("Sí", True), ("ДА", True), ("si\u0301", True), ("ndiyo", True), ("WAHR", True), ("✓", True)]
    + [("Nein", False), ("não", False), ("όχι", False), ("hapana", False), ("-", False), ("FAUX", False)],
)
def test_opted_out_is_understood_in_the_languages_lists_are_written_in(word, is_out):
    (entry,) = read(f"email,opted_out\nann@example.com,{word}\n")

    assert (entry.opted_out, entry.fault) == (is_out, "")


def test_of_an_address_that_is_not_kept_the_list_tells_whether_it_was_a_phone_number(workspace):
    suppress(workspace, "+254712345678", reason=Suppression.Reason.BOUNCED, by=None)
    for address in ("+254712345678", "ann@example.com", "+254712345679"):
        suppress(workspace, address, reason=Suppression.Reason.ERASED, by=None)

    assert [*map(str, workspace.suppressions.order_by("pk"))] == [
        "a phone number that is not kept",
        "an email address that is not kept",
        "a phone number that is not kept",
    ]
