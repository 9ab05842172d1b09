"""Lists that come as XLSX, also those somebody made to do harm."""

import datetime as dt
import io
import zipfile

import pytest
from openpyxl import Workbook

from people import workbook
from people.sheet import UnreadableSheet
from tests.people.listing import read


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
    raw = workbook_of(["email"], ["ann@example.com"])
    bomb = '<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaaaaaaaa">' + "".join(
        f'<!ENTITY {"b" * n} "{("&" + "b" * (n - 1) + ";" if n > 1 else "&a;") * 10}">' for n in range(1, 9)
    )
    bomb += "]><worksheet><sheetData><row><c t='str'><v>&bbbbbbbb;</v></c></row></sheetData></worksheet>"
    file = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(raw)) as old, zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            new.writestr(name, bomb if name.endswith("sheet1.xml") else old.read(name))

    with pytest.raises(UnreadableSheet):
        read(file.getvalue())
