"""Reads the first sheet of an XLSX workbook row by row, within limits on what a small file may unpack to."""

import datetime as dt
import zipfile
from collections.abc import Iterator
from contextlib import suppress
from typing import IO, Any
from xml.parsers import expat

from openpyxl.cell.cell import TYPE_BOOL, TYPE_NUMERIC, TYPE_STRING
from openpyxl.reader.excel import ExcelReader
from openpyxl.styles.stylesheet import apply_stylesheet
from openpyxl.utils.datetime import from_excel, from_ISO8601
from openpyxl.xml.constants import SHARED_STRINGS

from people.sheet import FAR_TOO_LONG, Record, UnreadableSheet
from people.workbook_xml import LAST_COLUMN, LONGEST_CELL, Cell, Row, Texts, rows_of

ZIP = b"PK\x03\x04"
OLD_EXCEL = b"\xd0\xcf\x11\xe0"
MOST_UNPACKED = 2 * 1024**3
MOST_SHARED = 256 * 1024**2  # the texts of all cells, which are kept on disk
MOST_AT_ONCE = 16 * 1024**2  # of the styles and whatever else is read as a whole
MOST_TIMES = 200  # as large as packed
MOST_FILES = 2_000
TOO_LARGE = "This workbook is too large once it is unpacked; save it as CSV and choose that file."
TOO_WIDE = f"This row has something beyond column {LAST_COLUMN}."


def is_workbook(head: bytes) -> bool:
    """Whether the file that begins so is a workbook. Raises UnreadableSheet for one from before 2007."""
    if head.startswith(OLD_EXCEL):
        raise UnreadableSheet("This is a spreadsheet of an old kind; save it as XLSX or CSV and choose that file.")
    return head.startswith(ZIP)


def records_of_workbook(file: IO[bytes]) -> Iterator[Record]:
    """Every row of the first sheet with something in it, by its row number. Raises UnreadableSheet."""
    _refuse_bomb(file)
    try:
        yield from _records(_Book(file))
    except UnreadableSheet:
        raise
    except (
        zipfile.BadZipFile,
        expat.ExpatError,
        KeyError,
        ValueError,
        TypeError,
        IndexError,
        AttributeError,
        SyntaxError,
        OSError,
        EOFError,
    ):
        # Whatever else its maker got wrong: the library meets it with all of these (SyntaxError: not XML).
        raise UnreadableSheet("This workbook cannot be read; save it as CSV and choose that file.") from None


def _refuse_bomb(file: IO[bytes]) -> None:
    packed = file.seek(0, 2)
    file.seek(0)
    try:
        names = zipfile.ZipFile(file).infolist()
    except (zipfile.BadZipFile, ValueError, OSError):
        raise UnreadableSheet("This file is damaged; save the list again as XLSX or CSV.") from None
    if not any(name.filename == "xl/workbook.xml" for name in names):
        raise UnreadableSheet("This is an archive and no list; choose a CSV or XLSX file.")
    unpacked = sum(name.file_size for name in names)
    shared = sum(name.file_size for name in names if "sharedstrings" in name.filename.lower())
    too_large = unpacked > MOST_UNPACKED or shared > MOST_SHARED or unpacked > packed * MOST_TIMES + 10 * 1024**2
    if too_large or len(names) > MOST_FILES:
        raise UnreadableSheet(TOO_LARGE)


class _Archive(zipfile.ZipFile):
    """Of which no small file can fill the memory."""

    def read(self, name, pwd=None) -> bytes:
        if self.getinfo(name).file_size > MOST_AT_ONCE:
            raise UnreadableSheet(TOO_LARGE)
        return super().read(name, pwd)


class _Book:
    """What the library tells of a workbook: where its first sheet and its texts are, and which styles mean a date."""

    def __init__(self, file: IO[bytes]) -> None:
        reader = ExcelReader(file, read_only=True, data_only=True, keep_links=False)
        reader.archive = self.archive = _Archive(file)
        reader.read_manifest()
        reader.read_workbook()
        apply_stylesheet(reader.archive, reader.wb)
        self.epoch = reader.wb.epoch
        self.dates = reader.wb._date_formats  # type: ignore[attr-defined]
        self.spans = reader.wb._timedelta_formats  # type: ignore[attr-defined]
        sheets = [rel.target for _, rel in reader.parser.find_sheets() if "chartsheet" not in rel.Type]
        self.sheet = next((path for path in sheets if path in reader.valid_files), "")
        self.texts = getattr(reader.package.find(SHARED_STRINGS), "PartName", "")[1:]


def _records(book: _Book) -> Iterator[Record]:
    if not book.sheet:
        raise UnreadableSheet("There is no sheet in this workbook.")
    with Texts() as texts:
        if book.texts:
            with book.archive.open(book.texts) as xml:
                texts.read(xml)
        with book.archive.open(book.sheet) as xml:
            for row in rows_of(xml):
                yield from _record(row, book, texts)


def _record(row: Row, book: _Book, texts: Texts) -> Iterator[Record]:
    found = {column: _text(_value(cell, book, texts)) for column, cell in row.cells.items()}
    last = max((column for column, text in found.items() if text.strip()), default=0)
    cells = [found.get(column, "") for column in range(1, last + 1)]
    if row.is_too_long or any(len(text) > LONGEST_CELL for text in found.values()):
        yield Record(row.number, cells, FAR_TOO_LONG)
    elif row.is_too_wide:
        yield Record(row.number, cells, TOO_WIDE)
    elif cells:
        yield Record(row.number, cells)


def _value(cell: Cell, book: _Book, texts: Texts) -> Any:
    if cell.kind == TYPE_STRING:
        return texts[int(cell.text)]
    if cell.kind == TYPE_BOOL:
        return bool(int(cell.text))
    if cell.kind == "d":
        with suppress(ValueError):
            return from_ISO8601(cell.text)
    if cell.kind != TYPE_NUMERIC:  # a text of its own, or what a formula came to
        return cell.text
    number = float(cell.text) if "." in cell.text or "e" in cell.text.lower() else int(cell.text)
    if cell.style not in book.dates:
        return number
    with suppress(OverflowError, ValueError):
        return from_excel(number, book.epoch, timedelta=cell.style in book.spans)
    return "#VALUE!"


def _text(value: Any) -> str:
    """A cell as somebody would type it."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    if isinstance(value, dt.datetime):
        with suppress(ValueError):
            return value.date().isoformat() if value.time() == dt.time() else value.isoformat(" ", "minutes")
    return str(value)
