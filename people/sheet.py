"""Reads a pasted or uploaded list record by record, and loses none of its lines."""

import codecs
import csv
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from people.formulas import unescape

MOST_LINES_OF_A_RECORD = 20  # a quote that is never closed must not swallow the rest of the list
QUOTED = re.compile(r'"[^"\n]*"')
SURROGATE_OR_NUL = re.compile("[\x00\ud800-\udfff]")
NOT_IN_A_TEXT = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ufffd]")
NO_TEXTS = (b"%PDF-", b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"\x1f\x8b", b"\x7fELF")
NOT_CLOSED = "A quotation mark opens here and is not closed as CSV wants it."
FAR_TOO_LONG = f"A cell is longer than {csv.field_size_limit():,} characters."


class UnreadableSheet(ValueError):
    """The whole list cannot be read; the text says why, for people."""


@dataclass(frozen=True, slots=True)
class Record:
    """The cells that begin on one line of the list, or the fault that kept them from being read."""

    line: int
    cells: list[str] = field(default_factory=list)
    fault: str = ""


def text_of(raw: bytes) -> str:
    """The text of an uploaded file: UTF-8, UTF-16 or Windows-1252, even mixed. Raises UnreadableSheet."""
    if raw.startswith((b"PK\x03\x04", b"\xd0\xcf\x11\xe0")):
        raise UnreadableSheet("This is a spreadsheet or an archive; save it as CSV and choose that file.")
    text = _decoded(raw)
    head = text[:4_000]
    if raw.startswith(NO_TEXTS) or len(NOT_IN_A_TEXT.findall(head)) > 8 + len(head) // 20:
        raise UnreadableSheet("This file is not a text, but a picture, a document or a program; choose a CSV file.")
    return text


def _decoded(raw: bytes) -> str:
    head = raw[:1000]
    if raw.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return raw.decode("utf-16", "replace")
    if head[1::2].count(0) > len(head) // 3:
        return raw.decode("utf-16-le", "replace")
    if head[0::2].count(0) > len(head) // 3:
        return raw.decode("utf-16-be", "replace")
    return raw.decode("utf-8-sig", "people.windows")


def _as_windows(error: UnicodeError) -> tuple[str, int]:
    """What UTF-8 cannot be is read as Windows-1252; an encoded half of a pair or an unused byte as U+FFFD."""
    assert isinstance(error, UnicodeDecodeError)  # noqa: S101 - registered for decoding only
    bad = error.object[error.start : error.start + 3]
    if re.fullmatch(rb"\xed[\xa0-\xbf][\x80-\xbf]", bad):
        return "\ufffd", error.start + 3
    return bad[:1].decode("cp1252", "replace"), error.start + 1


codecs.register_error("people.windows", _as_windows)


def storable(text: str) -> str:
    """The text with U+FFFD in place of what PostgreSQL cannot store, so that the row is reported."""
    return SURROGATE_OR_NUL.sub("\ufffd", text.removeprefix("\ufeff"))


def records(source: str) -> Iterator[Record]:
    """Every record with something in it. Lines end with LF, CRLF or CR and are counted as an editor does."""
    lines = _Lines(source)
    reader = csv.reader(lines, delimiter=delimiter_of(source), strict=True, skipinitialspace=True)
    while True:
        lines.begin()
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            lines.back_to_second()
            yield Record(lines.first, fault=FAR_TOO_LONG if "limit" in str(error) else NOT_CLOSED)
        else:
            if any(cell.strip() for cell in cells):
                yield Record(lines.first, [unescape(cell) for cell in cells])


def delimiter_of(source: str) -> str:
    """The separator that stands most often in the first line, else in those after it, outside quotes."""
    head = QUOTED.sub("", source[:10_000])
    # The first line decides: it names the columns, while a cell below may hold semicolons of its own.
    first = head.lstrip().splitlines()[0] if head.strip() else ""
    return max(",;\t", key=lambda separator: (first.count(separator), head.count(separator)))


class _Lines:
    """The lines of the list for csv.reader, which can be sent back to the line after a record's first."""

    def __init__(self, source: str) -> None:
        self.text = io.StringIO(source, newline=None)
        self.first = self.last = 0
        self.second_at = 0

    def begin(self) -> None:
        self.first = self.last + 1

    def back_to_second(self) -> None:
        self.text.seek(self.second_at)
        self.last = self.first

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = self.text.readline()
        if not line or self.last - self.first >= MOST_LINES_OF_A_RECORD:
            raise StopIteration
        self.last += 1
        if self.last == self.first:
            self.second_at = self.text.tell()
        return line
