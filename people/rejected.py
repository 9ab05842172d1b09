"""The rows of an import that were rejected, or lost something, as a file that can be mended and imported again."""

import csv
from collections.abc import AsyncIterator, Iterable
from io import StringIO

from asgiref.sync import sync_to_async
from django.db.models import Q

from people.columns import GIVEN_BACK, given_back
from people.formulas import escape
from people.models import PARTLY, Import, ImportRow

AT_ONCE = 1_000


async def rejected_as_csv(upload: Import, *, partly: bool = False) -> AsyncIterator[str]:
    """The file piece by piece: each row as it came, and in two last columns where it stood and why it was rejected.

    Or, `partly`, those that were imported without an address that could not be used.
    """
    yield "\ufeff"
    found = await sync_to_async(_rows_after)(upload, 0, partly)
    more = given_back(upload.titles)  # a list that was mended once has these columns already
    titles = upload.titles[: len(upload.titles) - more]
    width = len(titles) or max((len(row.cells or []) for row in found), default=1)
    yield _written([[*(titles or [""] * width), *GIVEN_BACK]])
    while found:
        yield _written([*_padded(_without(more, row.cells or [], width), width), row.line, row.reason] for row in found)
        found = await sync_to_async(_rows_after)(upload, found[-1].number, partly)


def _rows_after(upload: Import, number: int, partly: bool) -> list[ImportRow]:
    """The next of them; of somebody who asked to be erased there is nothing to give back."""
    rejected = Q(verdict=ImportRow.Verdict.REJECTED, cells__isnull=False)
    rows = upload.verdicts.filter(PARTLY if partly else rejected, number__gt=number)
    return list(rows.order_by("number")[:AT_ONCE])


def _without(more: int, cells: list[str], width: int) -> list[str]:
    return cells[:-more] if more and len(cells) == width + more else cells


def _padded(cells: list[str], width: int) -> list[str]:
    """As wide as the first line; what a row has too much of is in its last cell."""
    if len(cells) > width:
        return [*cells[: width - 1], " ".join(cells[width - 1 :])]
    return cells + [""] * (width - len(cells))


def _written(rows: Iterable[Iterable]) -> str:
    file = StringIO()
    csv.writer(file).writerows([escape(str(cell)) for cell in row] for row in rows)
    return file.getvalue()
