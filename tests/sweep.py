"""Empties the tables after a test that commits, at the price of the rows that are there.

Django truncates every table, each a few new files, and then writes the permissions of all models anew.
It waited for whoever was still at work there, whose rows would come only later, into the next test; so does this.
"""

import time
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
AT_WORK = """
    SELECT pid, query FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()
    AND backend_type = 'client backend' AND state <> 'idle' AND xact_start IS NOT NULL
"""
GRACE = 2  # seconds in which a process that was ended has its transaction rolled back
BLOATED = "SELECT relname FROM pg_class WHERE relname = ANY(%s) AND relkind = 'r' AND pg_relation_size(oid) > %s"

flush = TransactionTestCase._fixture_teardown


def sweep(test: TransactionTestCase) -> None:
    """What stands at the end of a test that commits, in place of Django's flush of the whole database.

    Fails a test that leaves a transaction open.
    """
    if not is_superuser():
        flush(test)
        return
    left = end_others()
    with connection.cursor() as cursor:
        cursor.execute(DELETE.format(names=" ".join(tables())))
        cursor.execute(BLOATED, [tables(), LARGE])
        for (name,) in cursor.fetchall():
            cursor.execute(f'VACUUM "{name}"')
    assert not left, f"transactions still open at the end of the test: {left}"


def end_others() -> list[tuple[int, str]]:
    """Ends and names the transactions still open after a moment of grace, so that no other test suffers."""
    ends = time.monotonic() + GRACE
    while (left := at_work()) and time.monotonic() < ends:
        time.sleep(0.02)
    with connection.cursor() as cursor:
        for pid, _ in left:
            cursor.execute("SELECT pg_terminate_backend(%s, 5000)", [pid])
    return left


def at_work() -> list[tuple[int, str]]:
    """The other transactions of this database, by process id and last query."""
    with connection.cursor() as cursor:
        cursor.execute(AT_WORK)
        return cursor.fetchall()


@cache
def is_superuser() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT rolsuper FROM pg_roles WHERE rolname = current_user")
        return cursor.fetchone()[0]


@cache
def tables() -> list[str]:
    return sorted(set(connection.introspection.django_table_names(only_existing=True)) - KEPT)
