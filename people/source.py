"""What is in the list of an import, whatever kind of file it came as."""

import io
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import BinaryIO

from people.columns import Mapping, guessed, guessed_boldly
from people.models import Import
from people.parts import head_of, open_parts
from people.sheet import Record, UnreadableSheet, delimiter_of, encoding_of, records
from people.workbook import is_workbook, records_of_workbook

SAMPLE = 6
PIECE = 1024 * 1024
OVERLAP = 500  # no address is longer, however it is written


@dataclass(frozen=True)
class Look:
    """The first records of a list, and what its columns seem to be: surely, and for somebody who will look at it."""

    first: list[Record]
    mapping: Mapping
    bold: Mapping


def look_at(upload: Import) -> Look:
    """Raises UnreadableSheet with the sentence that says why the list cannot be taken."""
    first = list(islice(records_of(upload), SAMPLE))
    return Look(first, guessed(first), guessed_boldly(first))


def records_of(upload: Import) -> Iterator[Record]:
    """Every record of the list from its first line on. Raises UnreadableSheet."""
    return records_in(head_of(upload), open_parts(upload))


def texts_of(upload: Import) -> Iterator[str]:
    """Everything that is written in the list, in pieces that overlap by OVERLAP. Raises UnreadableSheet."""
    head, file = head_of(upload), open_parts(upload)
    if is_workbook(head):
        yield from (" ".join(record.cells) for record in records_in(head, file))
        return
    with io.TextIOWrapper(file, *encoding_of(head[:40_000])) as text:
        end = ""
        while piece := text.read(PIECE):
            yield end + piece
            end = piece[-OVERLAP:]


def records_in(head: bytes, file: BinaryIO) -> Iterator[Record]:
    """The same for any file that begins so. Raises UnreadableSheet."""
    if is_workbook(head):
        with tempfile.TemporaryFile() as whole:
            shutil.copyfileobj(file, whole, 1024 * 1024)
            yield from records_of_workbook(whole)
        return
    encoding, errors = encoding_of(head[:40_000])
    delimiter = delimiter_of(head[:40_000].decode(encoding, errors))
    with io.TextIOWrapper(file, encoding, errors, newline=None) as text:
        try:
            yield from records(text, delimiter)
        except UnicodeError:  # no handler is asked about a UTF-16 text that ends within a character
            raise UnreadableSheet("The list ends in the middle of a character; save it again as UTF-8.") from None
