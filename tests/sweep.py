"""Empties the tables after a test that commits, at the price of the rows that are there.

Django truncates every table, each a few new files, and then writes the permissions of all models anew.
"""

from functools import cache

from django.db import connection
from django.test import TransactionTestCase

KEPT = {"django_content_type", "auth_permission"}  # the migrations made them, and no test changes them
LARGE = 1_000_000  # bytes that later tests would read through in vain
# Without triggers: whatever points at a row goes with it, and what may only be appended goes, too.
DELETE = """
    DO $$
    DECLARE name text;
    BEGIN
        SET LOCAL session_replication_role = replica;
        FOREACH name IN ARRAY string_to_array('{names}', ' ') LOOP
            EXECUTE format('DELETE FROM %I', name);
        END LOOP;
    END $$
"""
BLOATED = "SELECT relname FROM pg_class WHERE relname = ANY(%s) AND relkind = 'r' AND pg_relation_size(oid) > %s"

flush = TransactionTestCase._fixture_teardown


def sweep(test: TransactionTestCase) -> None:
    """What stands at the end of a test that commits, in place of Django's flush of the whole database."""
    if not is_superuser():
        flush(test)
        return
    with connection.cursor() as cursor:
        cursor.execute(DELETE.format(names=" ".join(tables())))
        cursor.execute(BLOATED, [tables(), LARGE])
        for (name,) in cursor.fetchall():
            cursor.execute(f'VACUUM "{name}"')


@cache
def is_superuser() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT rolsuper FROM pg_roles WHERE rolname = current_user")
        return cursor.fetchone()[0]


@cache
def tables() -> list[str]:
    return sorted(set(connection.introspection.django_table_names(only_existing=True)) - KEPT)
