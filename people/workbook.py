"""Reads the first sheet of an XLSX workbook row by row, within limits on what a small file may unpack to."""

import datetime as dt
import zipfile
from collections.abc import Iterator
from contextlib import suppress
from typing import IO, Any

from openpyxl import load_workbook

from people.sheet import FAR_TOO_LONG, Record, UnreadableSheet

ZIP = b"PK\x03\x04"
OLD_EXCEL = b"\xd0\xcf\x11\xe0"
MOST_UNPACKED = 2 * 1024**3
MOST_SHARED = 256 * 1024**2  # the texts of all cells, which are held in memory
MOST_TIMES = 200  # as large as packed
MOST_FILES = 2_000
MOST_CELLS = 500  # of a row
LONGEST_CELL = 131_072


def is_workbook(head: bytes) -> bool:
    """Whether the file that begins so is a workbook. Raises UnreadableSheet for one from before 2007."""
    if head.startswith(OLD_EXCEL):
        raise UnreadableSheet("This is a spreadsheet of an old kind; save it as XLSX or CSV and choose that file.")
    return head.startswith(ZIP)


def records_of_workbook(file: IO[bytes]) -> Iterator[Record]:
    """Every row of the first sheet with something in it, by its row number. Raises UnreadableSheet."""
    _refuse_bomb(file)
    try:
        book = load_workbook(file, read_only=True, data_only=True, keep_links=False)
        sheets = book.worksheets
        if not sheets:
            raise UnreadableSheet("There is no sheet in this workbook.")
        sheets[0].reset_dimensions()  # some programs write a wrong one, and rows would be lost
        for line, row in enumerate(sheets[0].iter_rows(values_only=True, max_col=MOST_CELLS), start=1):
            cells = [_text(value) for value in row]
            while cells and not cells[-1].strip():
                cells.pop()
            if any(len(cell) > LONGEST_CELL for cell in cells):
                yield Record(line, fault=FAR_TOO_LONG)
            elif cells:
                yield Record(line, cells)
    except UnreadableSheet:
        raise
    except (
        zipfile.BadZipFile,
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
        raise UnreadableSheet("This workbook is too large once it is unpacked; save it as CSV and choose that file.")


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
