"""Reads a list that is a text record by record, and loses none of its lines."""

import codecs
import csv
import re
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TextIO

from people.formulas import unescape

MOST_LINES = 3_000_000
LONGEST_LINE = 1_000_000  # characters; a list of addresses may be pasted on one line
LONGEST_GIVEN_BACK = 2_000
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
    """The cells that begin on one line of the list; with a fault that kept them from being read, the line as it is."""

    line: int
    cells: list[str] = field(default_factory=list)
    fault: str = ""


def text_of(raw: bytes) -> str:
    """The text of a small file that is held in memory. Raises UnreadableSheet."""
    return raw.decode(*encoding_of(raw))


def encoding_of(head: bytes) -> tuple[str, str]:
    """How the text that begins so is to be decoded, and what with what cannot be. Raises UnreadableSheet."""
    encoding = _encoding_of(head[:1000])
    text = head.decode(*encoding)[:4_000]
    if head.startswith(NO_TEXTS) or len(NOT_IN_A_TEXT.findall(text)) > 8 + len(text) // 20:
        raise UnreadableSheet(
            "This file is not a list, but a picture, a document or a program; choose a CSV or XLSX file."
        )
    return encoding


def _encoding_of(head: bytes) -> tuple[str, str]:
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16", "replace"
    if head[1::2].count(0) > len(head) // 3:
        return "utf-16-le", "replace"
    if head[0::2].count(0) > len(head) // 3:
        return "utf-16-be", "replace"
    return "utf-8-sig", "people.windows"


def _as_windows(error: UnicodeError) -> tuple[str, int]:
    """What UTF-8 cannot be is read as Windows-1252; an encoded half of a pair or an unused byte as U+FFFD."""
    assert isinstance(error, UnicodeDecodeError)  # noqa: S101 - registered for decoding only
    bad = error.object[error.start : error.start + 3]
    if re.fullmatch(rb"\xed[\xa0-\xbf][\x80-\xbf]", bad):
        return "\ufffd", error.start + 3
    return bad[:1].decode("cp1252", "replace"), error.start + 1


codecs.register_error("people.windows", _as_windows)


def storable(text: str) -> str:
    """The text with U+FFFD in place of what cannot be kept, so that the row is reported."""
    return SURROGATE_OR_NUL.sub("\ufffd", text.removeprefix("\ufeff"))


def records(text: TextIO, delimiter: str) -> Iterator[Record]:
    """Every record with something in it. Lines end with LF, CRLF or CR and are counted as an editor does."""
    lines = _Lines(text)
    reader = csv.reader(lines, delimiter=delimiter, strict=True, skipinitialspace=True)
    while True:
        lines.begin()
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            raw = lines.raw
            lines.back_to_second()
            yield Record(lines.first, raw, FAR_TOO_LONG if "limit" in str(error) else NOT_CLOSED)
            continue
        if lines.was_cut:
            yield Record(lines.first, lines.raw, FAR_TOO_LONG)
        elif any(cells) and any(cell.strip() for cell in cells):
            yield Record(lines.first, [unescape(cell) if cell[:1] == "'" else cell for cell in cells])


def delimiter_of(head: str) -> str:
    """The separator that stands most often in the first line, else in those after it, outside quotes."""
    head = QUOTED.sub("", head[:10_000])
    # The first line decides: it names the columns, while a cell below may hold semicolons of its own.
    first = head.lstrip().splitlines()[0] if head.strip() else ""
    return max(",;\t|", key=lambda separator: (first.count(separator), head.count(separator)))


class _Lines:
    """The lines of a text for csv.reader, which can be sent back to the line after a record's first."""

    def __init__(self, text: TextIO) -> None:
        self.text = text
        self.first = self.last = 0
        self.taken: list[str] = []  # the lines of the record that is being read
        self.again: deque[str] = deque()
        self.was_cut = False

    def begin(self) -> None:
        self.first = self.last + 1
        self.taken.clear()
        self.was_cut = False

    @property
    def raw(self) -> list[str]:
        """The record's first line in one cell, cut where nothing more of it is given back."""
        return [self.taken[0][:LONGEST_GIVEN_BACK].rstrip("\r\n")]

    def back_to_second(self) -> None:
        self.again.extendleft(reversed(self.taken[1:]))
        self.last = self.first

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        if self.last - self.first >= MOST_LINES_OF_A_RECORD:
            raise StopIteration
        line = self.again.popleft() if self.again else self._read()
        if not line:
            raise StopIteration
        self.last += 1
        if self.last > MOST_LINES:
            raise UnreadableSheet(f"The list has more than {MOST_LINES:,} lines; leave out the empty ones.")
        self.taken.append(line)
        return line

    def _read(self) -> str:
        line = self.text.readline(LONGEST_LINE)
        if len(line) == LONGEST_LINE and not line.endswith("\n"):
            self.was_cut = True
            while (rest := self.text.readline(LONGEST_LINE)) and not rest.endswith("\n"):
                pass
        return line.replace("\0", "\ufffd") if "\0" in line else line
