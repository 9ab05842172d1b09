"""Asking the database something only as long as somebody waits for the answer."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import OperationalError, connection, transaction
from django.db.models import QuerySet
from psycopg.errors import QueryCanceled

from people.search import counted

SECONDS = 3


class TookTooLong(Exception):
    """The database was told to stop looking."""


@contextmanager
def patience(seconds: float | None = None) -> Iterator[None]:
    """Within, each statement may take so long. Raises TookTooLong."""
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(f"SET LOCAL statement_timeout = {round((seconds or SECONDS) * 1000)}")
            yield
            cursor.execute("SET LOCAL statement_timeout = DEFAULT")
    except OperationalError as error:
        if isinstance(error.__cause__, QueryCanceled):
            raise TookTooLong from error
        raise


def counted_in_time(rows: QuerySet) -> str:
    """How many rows, in words; empty where counting takes longer than anybody waits."""
    try:
        with patience():
            return counted(rows)
    except TookTooLong:
        return ""
