"""What is different when a pooler lends each transaction another session of PostgreSQL: PgBouncer and its kind."""

from django.conf import settings
from django.db import connection


def keep_session_settings(**_: object) -> None:
    """Make our session settings the defaults of our role in this database; after each `migrate`.

    A pooler does not pass them on, and what SET leaves in a session would reach whoever is lent it next. Sessions that
    are open already keep what they have until the pooler ends them.
    """
    if not settings.DATABASE_POOLER:
        return
    with connection.cursor() as cursor:
        cursor.execute("SELECT quote_ident(current_database())")  # the pooler may call it by another name
        (database,) = cursor.fetchone()
        for setting, value in settings.SESSION.items():
            cursor.execute(f"ALTER ROLE CURRENT_USER IN DATABASE {database} SET {setting} = '{value}'")


def is_in_front() -> bool:
    """Whether what answers is a pooler: it makes up the number of the process that serves us."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        return cursor.fetchone()[0] != connection.connection.info.backend_pid
