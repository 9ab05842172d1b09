"""Lists that come as XLSX, also those somebody made to do harm."""

import csv
import datetime as dt
import io
import time
import tracemalloc
import zipfile

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase
from openpyxl import Workbook

from people import imports, workbook
from people.columns import Mapping
from people.formulas import escape
from people.sheet import UnreadableSheet
from people.workbook_xml import Texts
from tests.make import make_workspace
from tests.people.listing import carry_on, read, verdicts


def workbook_of(*rows) -> bytes:
    book, file = Workbook(), io.BytesIO()
    for row in rows:
        book.active.append(row)
    book.create_sheet("second").append(["email", "other@example.com"])
    book.save(file)
    return file.getvalue()


def test_the_first_sheet_is_read_with_its_own_row_numbers_and_cells_as_somebody_would_type_them():
    raw = workbook_of(
        ["E-Mail", "Mobile", "First name", "Since", "Points", "Opt-out"],
        ["ann@example.com", "+254 712 345 678", "Ann", dt.datetime(2026, 3, 1), 7.0, True],
        [],
        ["bob@example.com", 254712345679, None, None, 1.5, False],
    )

    ann, bob = read(raw, region="KE")

    assert (ann.line, ann.email, ann.phone, ann.opted_out) == (2, "ann@example.com", "+254712345678", True)
    assert ann.attributes == {"since": "2026-03-01", "points": "7"}
    assert (bob.line, bob.email, bob.attributes, bob.opted_out) == (4, "bob@example.com", {"points": "1.5"}, False)


def test_a_workbook_that_would_unpack_to_far_more_than_it_is_large_is_refused(monkeypatch):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/workbook.xml", "<workbook/>")
        archive.writestr("xl/worksheets/sheet1.xml", b"0" * 30_000_000)

    with pytest.raises(UnreadableSheet, match="too large once it is unpacked"):
        read(file.getvalue())


def test_texts_that_would_fill_the_memory_are_refused(monkeypatch):
    monkeypatch.setattr(workbook, "MOST_SHARED", 10)
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("xl/workbook.xml", "<workbook/>")
        archive.writestr("xl/sharedStrings.xml", "<sst/>" * 2)

    with pytest.raises(UnreadableSheet, match="too large once it is unpacked"):
        read(file.getvalue())


def with_sheet(xml: str, name: str = "sheet1.xml", raw: bytes = b"") -> bytes:
    """A workbook with this in place of one of its files."""
    file = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(raw or workbook_of(["email"], ["ann@example.com"]))) as old,
        zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as new,
    ):
        for path in old.namelist():
            new.writestr(path, xml if path.endswith(name) else old.read(path))
    return file.getvalue()


def sheet(*rows: str) -> str:
    return (
        '<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>'
        + "".join(rows)
        + "</sheetData></worksheet>"
    )


def row(number: int, text: str, column: str = "A") -> str:
    return f'<row r="{number}"><c r="{column}{number}" t="inlineStr"><is><t>{text}</t></is></c></row>'


def test_rows_that_are_not_there_cost_nothing():
    raw = with_sheet(sheet(row(1, "email"), row(1_048_576, "ann@example.com")))

    started = time.process_time()
    (ann,) = read(raw)

    assert (ann.line, ann.email) == (1_048_576, "ann@example.com")
    assert time.process_time() - started < 1  # each of them once cost more than a tenth of a millisecond


@pytest.mark.parametrize("number", [0, -1, 1_048_577, 2_000_000_000])
def test_a_row_no_workbook_can_have_is_refused(number):
    with pytest.raises(UnreadableSheet, match="a workbook ends with row 1,048,576"):
        read(with_sheet(sheet(row(1, "email"), row(number, "ann@example.com"))))


def test_a_row_with_something_far_to_the_right_is_rejected_and_not_cut():
    raw = with_sheet(sheet(row(1, "email"), row(2, "ann@example.com", "SG"), row(3, "bob@example.com")))

    ann, bob = read(raw)

    assert (ann.line, ann.fault) == (2, "This row has something beyond column 500.")
    assert (bob.line, bob.email, bob.fault) == (3, "bob@example.com", "")


def test_a_cell_that_is_too_long_has_its_row_rejected():
    ann, bob = read(with_sheet(sheet(row(1, "email"), row(2, "x" * 131_073), row(3, "bob@example.com"))))

    assert "longer than 131,072" in ann.fault
    assert (bob.email, bob.fault) == ("bob@example.com", "")


def test_what_is_read_as_a_whole_must_be_small(monkeypatch):
    monkeypatch.setattr(workbook, "MOST_AT_ONCE", 1_000)

    with pytest.raises(UnreadableSheet, match="too large once it is unpacked"):
        read(workbook_of(["email"], ["ann@example.com"]))


class Growing:
    """An XML file that is longer than anything that should be held of it."""

    def __init__(self, head: str, piece: str, times: int, end: str) -> None:
        self.pieces = iter([head, *[piece] * times, end])

    def read(self, _size: int) -> bytes:
        return next(self.pieces, "").encode()


def test_the_texts_that_cells_share_are_kept_on_disk_and_not_in_memory():
    text = (
        f"<si><r><t>person</t></r><r><t>@example.com</t></r><rPh><t>aloud</t></rPh></si><si><t>{'x' * 20_000}</t></si>"
    )
    with Texts() as texts:
        tracemalloc.start()
        texts.read(Growing("<sst>", text, 2_000, "</sst>"))
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()

        assert (texts[0], texts[3_998], len(texts[3_999])) == ("person@example.com", "person@example.com", 20_000)
    assert most < 2_000_000  # of 40


def test_of_a_text_no_cell_could_have_no_more_is_held_than_tells_that_it_is_too_long():
    with Texts() as texts:
        tracemalloc.start()
        texts.read(Growing("<sst><si><t>", "x" * 50_000, 400, "</t></si></sst>"))
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()

        assert len(texts[0]) > 131_072
    assert most < 2_000_000  # of 20


def test_a_workbook_that_declares_entities_is_refused():
    declared = '<!DOCTYPE worksheet [<!ENTITY a "x">]>' + sheet(row(1, "email"), row(2, "ann@example.com"))

    with pytest.raises(UnreadableSheet, match="cannot be read"):
        read(with_sheet(declared))


@pytest.mark.parametrize("cut", [100, 1000, -30])
def test_a_damaged_workbook_is_refused_with_a_sentence(cut):
    with pytest.raises(UnreadableSheet, match="damaged|cannot be read"):
        read(workbook_of(["email"], ["ann@example.com"])[:cut])


def test_an_archive_that_is_no_workbook_is_refused_with_a_sentence():
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("people.csv", "email\nann@example.com\n")

    with pytest.raises(UnreadableSheet, match="an archive and no list"):
        read(file.getvalue())


def test_entities_that_multiply_themselves_are_refused():
    bomb = '<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaaaaaaaa">' + "".join(
        f'<!ENTITY {"b" * n} "{("&" + "b" * (n - 1) + ";" if n > 1 else "&a;") * 10}">' for n in range(1, 9)
    )
    bomb += "]><worksheet><sheetData><row><c t='str'><v>&bbbbbbbb;</v></c></row></sheetData></worksheet>"

    with pytest.raises(UnreadableSheet):
        read(with_sheet(bomb))


WORD = st.text(st.sampled_from("aZé9 -'\"=;,|+@.ß字"), max_size=8)
CELL = WORD | st.sampled_from(["ann@example.com", "Bob@Example.com", "+254712345678", "0712 345 678", "yes", "no"])


class SameList(TestCase):
    @settings(max_examples=40, deadline=None)
    @given(st.lists(st.tuples(CELL, CELL, CELL, CELL), min_size=1, max_size=6))
    def test_the_same_rows_as_csv_and_as_xlsx_are_the_same_people(self, table):
        rows = [("email", "phone", "first_name", "opted_out"), *table, ("ok@example.com", "", "Ann", "no")]
        text = io.StringIO()
        csv.writer(text, quoting=csv.QUOTE_ALL).writerows([escape(cell) for cell in row] for row in rows)

        as_csv, as_xlsx = (self.brought(raw) for raw in (text.getvalue().encode(), as_texts(rows)))

        assert as_csv == as_xlsx

    def brought(self, raw: bytes) -> tuple:
        workspace = make_workspace()
        upload = imports.begin(workspace, name="x", by=None)
        imports.keep_list(upload, [raw])
        upload.refresh_from_db()
        imports.complete(upload, by=None)
        upload = carry_on(upload)
        if upload.get_status_display() == "failed":
            return (upload.error,)
        imports.map_columns(upload, Mapping(upload.columns, upload.titles), [], by=None)
        imports.start(carry_on(upload), by=None)
        upload = carry_on(upload)
        people = workspace.recipients.order_by("email", "phone")
        return (verdicts(upload), [*people.values_list("email", "phone", "first_name", "opted_out")])


def as_texts(rows) -> bytes:
    """Each cell the text it is, whatever a spreadsheet would make of it."""
    book, file = Workbook(), io.BytesIO()
    for n, row in enumerate(rows, 1):
        for m, cell in enumerate(row, 1):
            book.active.cell(n, m).value = cell
            book.active.cell(n, m).data_type = "s"
    book.save(file)
    return file.getvalue()
