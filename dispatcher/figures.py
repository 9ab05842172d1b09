"""The figures of the whole house, the same from every web process: read from the database, and no message counted."""

from dataclasses import dataclass, field

from django.db import connection, transaction

from dispatcher import clock
from dispatcher.queue_page import NOW
from dispatcher.tally import PAGES

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
class Figures:
    """One reading, all of it of one moment."""

    clock_silent: float | None = None  # seconds since the clock was heard of
    waiting: int = 0
    in_flight: int = 0
    due: int = 0
    oldest: float = 0  # for how many seconds the oldest of what is due has waited
    messages: list[tuple] = field(default_factory=list)
    campaigns: list[tuple[int, int]] = field(default_factory=list)
    paces: list[tuple] = field(default_factory=list)
    totals: list[tuple] = field(default_factory=list)


def figures() -> Figures:
    """Read on a connection of this thread's own. Raises DatabaseError."""
    try:
        PAGES.write()
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            cursor.execute("SET LOCAL statement_timeout = '1s'")
            cursor.execute(NOW, {"workspace": None, "clock": clock.NAME})
            now, beat, waiting, in_flight, due, since = cursor.fetchone()
            return Figures(
                clock_silent=(now - beat).total_seconds() if beat else None,
                waiting=waiting,
                in_flight=in_flight,
                due=due,
                oldest=(now - since).total_seconds() if since else 0,
                messages=rows(cursor, MESSAGES),
                campaigns=rows(cursor, CAMPAIGNS),
                paces=rows(cursor, PACES),
                totals=rows(cursor, TOTALS),
            )
    finally:
        connection.close()


def rows(cursor, statement: str) -> list[tuple]:
    cursor.execute(statement)
    return cursor.fetchall()
