"""The figures of the whole house, the same from every web process: read from the database, and no message counted."""

from dataclasses import dataclass

from django.db import OperationalError, connection, transaction
from psycopg.errors import QueryCanceled

from dispatcher import clock
from dispatcher.queue_page import NOW
from dispatcher.tally import PAGES

PATIENCE = "300ms"  # for each; should three be slow, whoever asks still gets the others in time
OUTCOMES = ("pending", "sent", "failed", "skipped", "cancelled", "unknown")
# By the counters of the batches: ten thousand rows for five million messages.
MESSAGES = f"""
    SELECT c.channel, {", ".join(f"sum(b.{outcome})" for outcome in OUTCOMES)}
    FROM campaigns_campaign c JOIN dispatcher_batch b ON b.campaign_id = c.id GROUP BY c.channel
"""  # noqa: S608 - our own words
CAMPAIGNS = "SELECT status, count(*) FROM campaigns_campaign GROUP BY status"
PACES = """
    SELECT workspace_id, channel, sender, coalesce(rate, "limit"),
           greatest(0, extract(epoch FROM closed_until - clock_timestamp()))::float
    FROM dispatcher_pace WHERE rate IS NOT NULL OR "limit" IS NOT NULL OR closed_until > clock_timestamp()
    ORDER BY refilled_at DESC LIMIT 1000
"""
TOTALS = "SELECT name, channel, sender, label, n FROM dispatcher_total ORDER BY name, channel, sender, label"


@dataclass(frozen=True)
class Queue:
    """What is still to be done, and whether the clock ticks."""

    clock_silent: float | None = None  # seconds since the clock was heard of
    waiting: int = 0
    in_flight: int = 0
    due: int = 0
    oldest: float = 0  # for how many seconds the oldest of what is due has waited


@dataclass(frozen=True)
class Figures:
    """One reading, all of it of one moment; None for what took the database too long."""

    queue: Queue | None = None
    messages: list[tuple] | None = None
    campaigns: list[tuple] | None = None
    paces: list[tuple] | None = None
    totals: list[tuple] | None = None


def database_answers() -> bool:
    """Ask it as little as can be, on a connection of this thread's own. Raises DatabaseError."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
            return True
    finally:
        connection.close()


def figures() -> Figures:
    """Read on a connection of this thread's own. Raises DatabaseError."""
    try:
        PAGES.write()
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            cursor.execute(f"SET LOCAL statement_timeout = '{PATIENCE}'")
            return Figures(
                queue=queue_of(rows(cursor, NOW, {"workspace": None, "clock": clock.NAME})),
                messages=rows(cursor, MESSAGES),
                campaigns=rows(cursor, CAMPAIGNS),
                paces=rows(cursor, PACES),
                totals=rows(cursor, TOTALS),
            )
    finally:
        connection.close()


def rows(cursor, statement: str, asked: dict | None = None) -> list[tuple] | None:
    """None where it takes too long; the others can still be read."""
    try:
        with transaction.atomic():
            cursor.execute(statement, asked)
            return cursor.fetchall()
    except OperationalError as error:
        if isinstance(error.__cause__, QueryCanceled):
            return None
        raise


def queue_of(read: list[tuple] | None) -> Queue | None:
    if read is None:
        return None
    now, beat, waiting, in_flight, due, since = read[0]
    return Queue(
        clock_silent=(now - beat).total_seconds() if beat else None,
        waiting=waiting,
        in_flight=in_flight,
        due=due,
        oldest=(now - since).total_seconds() if since else 0,
    )
