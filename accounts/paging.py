"""Pages of the lists programs read: by number with totals, or by a cursor that misses and repeats nothing."""

import hashlib
from math import ceil
from typing import Annotated, Any, cast

from django.core.cache import cache
from django.db.models import Q, QuerySet
from ninja import Field, Schema
from ninja.errors import ValidationError

SIZE, LARGEST = 20, 100
COUNTED = 100_000  # rows that are counted anew for each page
Cursor = Annotated[str, Field(json_schema_extra={"pattern": "^(0|[1-9][0-9]{0,17})?$"})]
REMEMBERED = 10  # seconds for which the total of a longer list is good enough
LOOKED_AT = 10_000  # rows in which a walk looks, for one answer, for those that no index knows


class Paging(Schema):
    """Which page; a number that cannot be read is taken for the usual one."""

    page: str = "1"
    page_size: str = str(SIZE)
    cursor: Cursor | None = Field(
        None,
        description="Empty to begin, then the next_cursor of each answer until it is null: without totals, and nothing"
        " is missed or comes twice while rows are added.",
    )


class Numbered(Schema):
    page: int
    page_size: int
    total_count: int = Field(description=f"Above {COUNTED:,} it may be {REMEMBERED} seconds old.")
    total_pages: int


class Walked(Schema):
    page_size: int
    next_cursor: str | None = Field(description="null where the list ends.")


Pagination = Numbered | Walked


def page_of(rows: QuerySet, asked: Paging, far: Q | None = None) -> tuple[list, dict[str, Any]]:
    """The rows of the page asked for, newest first, and what `Pagination` shows. Raises ValidationError.

    `far` is what else must be so of them and no index knows: the next of them may be a million rows away.
    """
    size = min(whole(asked.page_size, otherwise=SIZE), LARGEST)
    rows = rows.order_by("-pk")
    if asked.cursor is not None:
        return _walked(rows, asked.cursor, size, far)
    if far is not None:
        rows = rows.filter(far)
    page, total = whole(asked.page, otherwise=1), total_of(rows)
    pages = ceil(total / size)
    found = list(rows[(page - 1) * size : page * size]) if page <= pages else []
    return found, {"page": page, "page_size": size, "total_count": total, "total_pages": pages}


def _walked(rows: QuerySet, cursor: str, size: int, far: Q | None) -> tuple[list, dict[str, Any]]:
    if below := cursor_of(cursor):
        rows = rows.filter(pk__lt=below)
    lowest = None
    if far is not None:
        lowest = rows.values_list("pk", flat=True)[LOOKED_AT : LOOKED_AT + 1].first()
        rows = (rows if lowest is None else rows.filter(pk__gte=lowest)).filter(far)
    found = list(rows[: size + 1])
    end = found[size - 1].pk if len(found) > size else lowest
    return found[:size], {"page_size": size, "next_cursor": str(end) if end else None}


def cursor_of(cursor: str) -> int:
    """Where the answer before ended, 0 at the beginning. Raises ValidationError."""
    number = whole(cursor, otherwise=0)
    if cursor and str(number) != cursor:
        sentence = "This is no cursor; give the next_cursor of the answer before, or nothing to begin."
        raise ValidationError([{"type": "cursor", "loc": ("query", "asked", "cursor"), "msg": sentence}])
    return number


def whole(word: str, *, otherwise: int) -> int:
    """The whole number from 1 up that somebody wrote; numbers out of anybody's reach are all alike."""
    number = int(word[:18]) if word.isascii() and word.isdecimal() else 0
    return number or otherwise


def total_of(rows: QuerySet) -> int:
    """How many they are; of a long list as it was a few seconds ago, so that nobody counts a million rows a page."""
    question = repr(rows.order_by().query.sql_with_params()).encode()
    key = f"total:{hashlib.sha256(question).hexdigest()}"
    if known := cache.get(key):
        return known
    some = rows.order_by()[: COUNTED + 1].values("pk").count()
    return some if some <= COUNTED else cast(int, cache.get_or_set(key, rows.count, REMEMBERED))
