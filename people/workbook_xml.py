"""Reads the sheet and the shared texts of a workbook from their XML piece by piece: however long, little is held."""

import os
from array import array
from collections.abc import Iterator
from dataclasses import dataclass, field
from tempfile import TemporaryFile
from typing import IO, Self
from xml.parsers import expat

from openpyxl.utils.cell import column_index_from_string

from people.sheet import UnreadableSheet

PIECE = 64 * 1024
LAST_ROW = 1_048_576  # of any sheet
LAST_COLUMN = 500
LONGEST_CELL = 131_072
LONGEST_ROW = 1_000_000
MOST_TEXTS = 10_000_000


class Texts:
    """The texts that cells share, by number, on disk."""

    def __init__(self) -> None:
        self.file = TemporaryFile()  # noqa: SIM115 - closed with the texts
        self.ends = array("I", [0])

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error) -> None:
        self.file.close()

    def read(self, xml: IO[bytes]) -> None:
        """Raises UnreadableSheet, ExpatError."""
        for _ in _fed(xml, _Shared(self)):
            pass
        self.file.flush()

    def keep(self, text: str) -> None:
        if len(self.ends) > MOST_TEXTS:
            raise UnreadableSheet("This workbook has too many texts; save it as CSV and choose that file.")
        self.ends.append(self.ends[-1] + self.file.write(text.encode("utf-8", "replace")))

    def __getitem__(self, number: int) -> str:
        start, end = self.ends[number], self.ends[number + 1]
        return os.pread(self.file.fileno(), end - start, start).decode()


@dataclass(slots=True)
class Cell:
    """What stands in a cell, and as what: its type and its style as the sheet names them."""

    kind: str
    style: int
    text: str = ""


@dataclass(slots=True)
class Row:
    """The cells of a row by their column, from 1; whether some had to be left out because the row is too large."""

    number: int
    cells: dict[int, Cell] = field(default_factory=dict)
    is_too_wide: bool = False
    is_too_long: bool = False


def rows_of(xml: IO[bytes]) -> Iterator[Row]:
    """Every row of the sheet that has a cell. Raises UnreadableSheet, ExpatError, ValueError."""
    target = _Sheet()
    for _ in _fed(xml, target):
        yield from target.done
        target.done.clear()


def _fed(xml: IO[bytes], target: "_Collecting") -> Iterator[None]:
    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.StartElementHandler, parser.EndElementHandler = target.start, target.end
    parser.CharacterDataHandler, parser.StartDoctypeDeclHandler = target.hear, _refuse_entities
    while piece := xml.read(PIECE):
        parser.Parse(piece)
        yield
    parser.Parse(b"", True)
    yield


def _refuse_entities(*_declaration) -> None:
    raise UnreadableSheet("This workbook cannot be read; save it as CSV and choose that file.")


class _Collecting:
    """The text of the elements that are listened to, cut where no cell may be longer."""

    HEARD: tuple[str, ...] = ()

    def __init__(self) -> None:
        self.heard: list[str] = []
        self.length = 0
        self.is_listening = self.is_phonetic = False

    def start(self, name: str, attributes: dict[str, str]) -> None:
        name = name.rpartition(":")[2]
        if name in self.HEARD:
            self.is_listening = not self.is_phonetic
        elif name == "rPh":  # how the text is read aloud
            self.is_phonetic = True
        else:
            self.opened(name, attributes)

    def end(self, name: str) -> None:
        name = name.rpartition(":")[2]
        if name in self.HEARD:
            self.is_listening = False
        elif name == "rPh":
            self.is_phonetic = False
        else:
            self.closed(name)

    def hear(self, text: str) -> None:
        if self.is_listening and self.length <= LONGEST_CELL:
            self.heard.append(text)
            self.length += len(text)

    def taken(self) -> str:
        text = "".join(self.heard)
        self.heard.clear()
        self.length = 0
        return text

    def opened(self, name: str, attributes: dict[str, str]) -> None: ...

    def closed(self, name: str) -> None: ...


class _Shared(_Collecting):
    HEARD = ("t",)

    def __init__(self, texts: Texts) -> None:
        super().__init__()
        self.texts = texts

    def closed(self, name: str) -> None:
        if name == "si":
            self.texts.keep(self.taken().replace("x005F_", ""))


class _Sheet(_Collecting):
    HEARD = ("v", "t")

    def __init__(self) -> None:
        super().__init__()
        self.done: list[Row] = []
        self.row = Row(0)
        self.cell = Cell("n", 0)
        self.column = self.size = 0

    def opened(self, name: str, attributes: dict[str, str]) -> None:
        if name == "c":
            place = attributes.get("r", "").rstrip("0123456789")
            self.column = column_index_from_string(place) if place else self.column + 1
            self.cell = Cell(attributes.get("t", "n"), int(attributes.get("s", 0)))
        elif name == "row":
            self.row = Row(int(attributes.get("r", self.row.number + 1)))
            self.column = self.size = 0
            if not 1 <= self.row.number <= LAST_ROW:
                raise UnreadableSheet(f"Row {self.row.number:,} cannot be: a workbook ends with row {LAST_ROW:,}.")

    def closed(self, name: str) -> None:
        if name == "c" and self.heard:
            self._keep(self.taken())
        elif name == "row" and (self.row.cells or self.row.is_too_wide or self.row.is_too_long):
            self.done.append(self.row)

    def _keep(self, text: str) -> None:
        self.size += len(text)
        if self.column > LAST_COLUMN:
            self.row.is_too_wide = True
        elif len(text) > LONGEST_CELL or self.size > LONGEST_ROW:
            self.row.is_too_long = True
        else:
            self.cell.text = text
            self.row.cells[self.column] = self.cell
