"""Behind a pooler no session is ours for longer than a transaction: one setting says so, and the doctor asks for it."""

import asyncio
import os
import subprocess
import sys

import psycopg
import pytest
from django.conf import settings as real
from django.db import connection

from dispatcher import pooler
from dispatcher.doctor import database
from simulator.provider import Letter, Provider
from tests.commands.clones import open_directory
from tests.commands.pretended_pooler import pretended_pooler
from tests.commands.test_doctor import ask
from tests.dispatcher.shift import database_url
from tests.make import make_recipients, make_workspace

LEFT_BEHIND = """
import django
import psycopg
django.setup()
from django.db import connection
from people.models import Recipient
connection.ensure_connection()
for _ in range(10):
    psycopg.Cursor(connection.connection).execute("SELECT 1")
people = Recipient.objects.iterator()
next(people, None)
with connection.cursor() as cursor:
    cursor.execute("SELECT count(*) FROM pg_cursors")
    print(cursor.fetchone()[0], end=" ")
    cursor.execute("SELECT count(*) FROM pg_prepared_statements")
    print(cursor.fetchone()[0], end=" ")
    cursor.execute("SELECT count(*) FROM pg_settings WHERE source = 'client' AND name LIKE '%timeout'")
    print(cursor.fetchone()[0])
"""


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("is_pooled", "left"), [("1", "0 0 0"), ("0", "1 0 2")])
def test_with_the_setting_no_cursor_statement_or_setting_is_left_in_a_session(is_pooled, left):
    make_recipients(make_workspace(), 3000)  # more than Django fetches at once, so that a cursor would stay open
    env = {k: v for k, v in os.environ.items() if k != "DJANGO_ALLOW_ASYNC_UNSAFE"}
    env |= {
        "DATABASE_URL": database_url(),
        "DATABASE_POOLER": is_pooled,
        "DJANGO_SETTINGS_MODULE": "dispatcher.settings",
    }
    done = subprocess.run([sys.executable, "-c", LEFT_BEHIND], cwd=real.BASE_DIR, env=env, capture_output=True)

    assert done.stdout.decode().strip() == left


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("is_pooled", [True, False])
def test_the_simulated_provider_prepares_no_statement_behind_a_pooler(settings, is_pooled):
    settings.DATABASE_POOLER, settings.SIMULATOR_PROFILE = is_pooled, "perfect"

    async def prepared() -> int:
        provider = Provider()
        await provider.open()
        for n in range(10):
            await provider.accept(
                Letter(f"00000000-0000-0000-0000-{n:012}", 0, "email", "ann@example.com", "", "Hello")
            )
        cursor = await provider._ledger.execute("SELECT count(*) FROM pg_prepared_statements")
        (count,) = await cursor.fetchone()
        await provider.close()
        return count

    assert bool(asyncio.run(prepared())) is not is_pooled


@pytest.mark.django_db(transaction=True)
def test_migrate_behind_a_pooler_gives_every_session_the_timeouts_it_cannot_ask_for(settings):
    settings.DATABASE_POOLER = True
    shown = "SELECT current_setting('lock_timeout'), current_setting('idle_in_transaction_session_timeout')"
    with psycopg.connect(database_url(), autocommit=True) as other:
        assert other.execute(shown).fetchone() == ("0", "0")
        pooler.keep_session_settings()
        try:
            with psycopg.connect(database_url()) as session:
                assert session.execute(shown).fetchone() == ("10s", "15s")
        finally:
            other.execute(f"ALTER ROLE CURRENT_USER IN DATABASE {other.info.dbname} RESET ALL")


@pytest.mark.django_db(transaction=True)
def test_the_doctor_says_that_a_pooler_refuses_what_the_setting_would_not_ask():
    with open_directory() as home, pretended_pooler(home, refuses_options=True) as sockets:
        code, words = ask(DATABASE_URL=url_through(sockets))

    assert code == 1
    assert "is behind a pooler, which takes no settings for a session" in words
    assert "Set DATABASE_POOLER=true" in words


@pytest.mark.django_db(transaction=True)
def test_the_doctor_finds_a_pooler_nobody_spoke_of_and_timeouts_that_migrate_did_not_set():
    with open_directory() as home, pretended_pooler(home, refuses_options=False) as sockets:
        unsaid = ask(DATABASE_URL=url_through(sockets))
        said = ask(DATABASE_URL=url_through(sockets), DATABASE_POOLER="1")

    assert unsaid[0] == said[0] == 1
    assert "DATABASE_POOLER does not say so" in unsaid[1]
    assert "DATABASE_POOLER" not in said[1]
    assert "without idle_in_transaction_session_timeout and lock_timeout" in said[1]


def url_through(sockets: str) -> str:
    """The database of this test, but by way of the socket in that directory."""
    given = connection.settings_dict
    return f"postgresql://{given['USER']}@/{given['NAME']}?host={sockets}"


@pytest.mark.django_db(transaction=True)
def test_the_doctor_leaves_nothing_in_the_session_it_was_lent():
    list(database.is_fit())

    with connection.cursor() as cursor:
        cursor.execute("SHOW statement_timeout")
        assert cursor.fetchone() == ("0",)
