"""Whether PostgreSQL answers, is one that can be used, and has the tables this code expects."""

import time
from collections.abc import Iterator

from django.conf import settings
from django.db import NotSupportedError, OperationalError, connection, transaction
from django.db.migrations.executor import MigrationExecutor
from django.utils import timezone

from dispatcher import pooler
from dispatcher.doctor.finding import START_BIN_DEV, Finding, Note, Problem, is_of_bin_dev

SKEW = 2.0  # seconds two clocks may differ
POOLED = "Set DATABASE_POOLER=true for every process, run manage.py migrate once more, and restart them."
CORRECT = "Correct DATABASE_URL, or start PostgreSQL there."
# By what the refusal says, in small letters; libpq gives no codes for a connection that did not come to be.
REFUSALS = (
    ("timeout expired", "does not answer within 2 seconds", "It hangs, or a firewall is between; see its log."),
    ("connection refused", "refuses connections: nothing listens there", CORRECT),
    ("no such file", "is not there: the socket does not exist", CORRECT),
    ("resolve host", "cannot be found: nobody knows a machine of that name", "Correct the host in DATABASE_URL."),
    ("password authentication failed", "refuses the password of {user}", "Correct it in DATABASE_URL."),
    ("no password supplied", "wants a password for {user}, and DATABASE_URL has none", "Write it there: postgresql://{user}:password@host/{name}"),
    ("role ", "knows no user {user}", "createuser {user}"),
    ("database ", "has no database {name}", "createdb --encoding=UTF8 --template=template0 --owner={user} {name}"),
    ("pg_hba", "does not let {user} in from this machine", "Add a line for it to pg_hba.conf and reload PostgreSQL."),
    ("too many clients", "has no connection left", "Raise max_connections, or stop what holds the others."),
    ("connection slots", "has no connection left", "Raise max_connections, or stop what holds the others."),
    ("starting up", "is still starting", "Wait a moment and ask again; its log says how far it is."),
    ("unsupported startup parameter", "is behind a pooler, which takes no settings for a session", POOLED),
    ("shutting down", "is being shut down", "Start it again."),
)  # fmt: skip


def answers() -> Iterator[Finding]:
    try:
        connection.ensure_connection()
        connection.check_database_version_supported()
    except NotSupportedError as error:  # Django knows which versions it can speak to
        yield Problem(f"{where()} is too old: {error}.", "Upgrade PostgreSQL to version 14 or later.")
    except OperationalError as error:
        yield refused(str(error))


def refused(said: str) -> Problem:
    """What a failed connection means."""
    names = {"user": connection.settings_dict["USER"] or "the user", "name": connection.settings_dict["NAME"]}
    text = said.lower().rpartition("fatal: ")[2]
    for words, meaning, remedy in REFUSALS:
        if words in text:
            if remedy == CORRECT and is_of_bin_dev(socket_directory()):
                remedy = START_BIN_DEV
            return Problem(f"{where()} {meaning.format(**names)}.", remedy.format(**names))
    return Problem(f"{where()} cannot be used: {said.strip().splitlines()[0]}", CORRECT)


def socket_directory() -> str:
    """Or the name of a machine, or nothing."""
    return connection.settings_dict["HOST"] or settings.DATABASES["default"]["OPTIONS"].get("host", "")


def where() -> str:
    """The database by its address, without user and password."""
    given, host = connection.settings_dict, socket_directory()
    if not host or host.startswith("/"):
        return f"PostgreSQL on the socket in {host}" if host else "PostgreSQL on its local socket"
    return f"PostgreSQL at {host} port {given['PORT'] or 5432}"


def is_fit() -> Iterator[Finding]:
    """Encoding, whether it can be written to, whether it keeps what it promised, and its connections."""
    encoding = shown("server_encoding")
    if encoding != "UTF8":
        yield Problem(
            f"The database keeps text as {encoding}; names and messages need UTF8.",
            "Make a new one and move the data: createdb --encoding=UTF8 --template=template0 NAME",
        )
    if shown("transaction_read_only") == "on":
        yield Problem(
            "The database can only be read: it is a standby, or set to be read only.",
            "Let DATABASE_URL name the one that can be written to.",
        )
    if shown("fsync") == "off" and not settings.DEV:
        yield Problem(
            "fsync is off: after a power cut the ledger may have lost what was sent.",
            "Set fsync = on in postgresql.conf and restart PostgreSQL.",
        )
    used, limit = one("SELECT count(*) FROM pg_stat_activity WHERE datname IS NOT NULL")[0], shown("max_connections")
    if used > 0.9 * int(limit):
        yield Note(f"{used} of the {limit} connections of PostgreSQL are in use.", "Raise max_connections.")


def is_pooled_as_said() -> Iterator[Finding]:
    """Whether a pooler stands in front unannounced, and whether our session settings reach every session."""
    if not settings.DATABASE_POOLER and pooler.is_in_front():
        yield Problem(
            "A pooler such as PgBouncer is in front of PostgreSQL and DATABASE_POOLER does not say so: "
            "cursors, prepared statements and settings of a session get lost there.",
            POOLED,
        )
    lost = sorted(name for name, value in settings.SESSION.items() if shown(name) != value)
    if settings.DATABASE_POOLER and lost:
        yield Problem(
            f"Sessions are opened without {' and '.join(lost)}: a worker that hangs would hold up all others.",
            "python manage.py migrate, in the name of the same user; then RECONNECT in the console of the pooler.",
        )


def agrees_on_the_time() -> Iterator[Finding]:
    began = time.monotonic()
    (theirs,) = one("SELECT clock_timestamp()")
    ahead = (theirs - timezone.now()).total_seconds() + (time.monotonic() - began) / 2
    if abs(ahead) > SKEW:
        way = "ahead of" if ahead > 0 else "behind"
        yield Problem(
            f"The clock of the database is {abs(ahead):,.0f} seconds {way} the clock of this machine.",
            "Let both machines set their clocks from the network (timedatectl set-ntp true).",
        )


def is_migrated() -> Iterator[Finding]:
    executor = MigrationExecutor(connection)
    loader = executor.loader
    missing = executor.migration_plan(loader.graph.leaf_nodes())
    if missing and not loader.applied_migrations:
        yield Problem("The database is empty: it has no tables yet.", "python manage.py migrate")
    elif missing:
        names = ", ".join(str(migration) for migration, _ in missing[:3])
        more = f" and {len(missing) - 3} more" if len(missing) > 3 else ""
        yield Problem(f"The database lacks what this code expects: {names}{more}.", "python manage.py migrate")
    ahead = [
        f"{app}.{name}"
        for app, name in sorted(set(loader.applied_migrations) - set(loader.disk_migrations))
        if app in loader.migrated_apps
    ]
    if ahead:
        yield Problem(
            f"The database is newer than this code: it has {', '.join(ahead[:3])}, which is not here.",
            "Start the newer release again, or go back with the backup made before the upgrade.",
        )


def shown(setting: str) -> str:
    return one(f"SHOW {setting}")[0]


def one(query: str) -> tuple:
    """The first row of a query that may not take long."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL statement_timeout = '2s'")  # no further: behind a pooler the session is not ours
        cursor.execute(query)
        return cursor.fetchone()
