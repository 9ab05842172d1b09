"""Pace: how many messages may be handed over now. A row in PostgreSQL, so an emptied Redis opens no gate.

Tokens are taken in the transaction of the intent. A 429 halves the rate and closes the gate for as long as the
provider asks (within a cap); afterwards the rate rises again, five percent a second.
"""

from dataclasses import dataclass

LONGEST_CLOSURE = 300  # seconds a provider's Retry-After is believed
UNLIMITED_AGAIN = 300  # seconds after the last 429 at which a sender without a limit is free again

TAKE = """
    WITH pace AS (
        SELECT id, extract(epoch FROM clock_timestamp() - refilled_at) AS elapsed, tokens, "limit", closed_until,
               CASE WHEN rate IS NULL OR slowed_at < clock_timestamp() - %s * interval '1 second' THEN "limit"
                    ELSE least("limit", rate * power(1.05, least(
                        extract(epoch FROM clock_timestamp() - refilled_at), 60))) END AS rate
        FROM dispatcher_pace WHERE workspace_id = %s AND channel = %s AND sender = %s
          AND ("limit" IS NOT NULL OR rate IS NOT NULL OR closed_until IS NOT NULL)
        FOR UPDATE),
    filled AS (
        SELECT *, closed_until IS NOT NULL AND closed_until > clock_timestamp() AS closed,
               -- The bucket holds one second's worth, and at least one message.
               least(tokens + rate * elapsed, greatest(rate, 1)) AS available FROM pace),
    taken AS (
        SELECT *, CASE WHEN closed THEN 0 WHEN rate IS NULL THEN %s
                       ELSE least(%s, floor(available)) END AS n FROM filled)
    UPDATE dispatcher_pace AS p
    SET tokens = CASE WHEN taken.rate IS NULL THEN 0 ELSE available - n END, rate = taken.rate,
        refilled_at = clock_timestamp(),
        closed_until = CASE WHEN closed THEN p.closed_until END,
        trouble = CASE WHEN closed THEN p.trouble ELSE '' END
    FROM taken WHERE p.id = taken.id
    RETURNING n::int, CASE
        WHEN closed THEN extract(epoch FROM p.closed_until - clock_timestamp())
        WHEN taken.rate IS NULL THEN 0
        ELSE greatest(0, 1 - (available - n)) / taken.rate END::float
"""
SLOW_DOWN = """
    INSERT INTO dispatcher_pace AS p (workspace_id, channel, sender, rate, tokens, slowed_at, closed_until)
    VALUES (%(workspace)s, %(channel)s, %(sender)s, greatest(%(speed)s / 2.0, 1), 0, clock_timestamp(),
            clock_timestamp() + %(closed)s * interval '1 second')
    ON CONFLICT (workspace_id, channel, sender) DO UPDATE
    SET rate = CASE WHEN p.slowed_at > clock_timestamp() - interval '1 second' THEN p.rate
                    ELSE greatest(coalesce(p.rate, p."limit", %(speed)s) / 2.0, 1) END,
        tokens = 0, slowed_at = clock_timestamp(), refilled_at = clock_timestamp(),
        closed_until = greatest(p.closed_until, excluded.closed_until)
"""
# The longest closure holds; of several troubles the last is told.
CLOSE = """
    INSERT INTO dispatcher_pace AS p (workspace_id, channel, sender, tokens, closed_until, trouble)
    VALUES (%s, %s, %s, 0, clock_timestamp() + %s * interval '1 second', %s)
    ON CONFLICT (workspace_id, channel, sender) DO UPDATE
    SET closed_until = greatest(p.closed_until, excluded.closed_until), trouble = excluded.trouble
"""
TROUBLE = """
    SELECT extract(epoch FROM closed_until - clock_timestamp())::float FROM dispatcher_pace
    WHERE workspace_id = %s AND channel = %s AND sender = %s AND trouble <> '' AND closed_until > clock_timestamp()
"""
HOLD = "SELECT FROM dispatcher_pace WHERE workspace_id = %s AND channel = %s AND sender = %s FOR UPDATE"
LONGEST_SENTENCE = 300


@dataclass(frozen=True, slots=True, order=True)
class Lane:
    """What a pace belongs to: one workspace on one channel through one sender."""

    workspace: int
    channel: int
    sender: str


def take(cursor, lane: Lane, most: int) -> tuple[int, float]:
    """Up to `most` tokens, and the seconds until there is another; without a row there is no limit."""
    cursor.execute(TAKE, [UNLIMITED_AGAIN, lane.workspace, lane.channel, lane.sender, most, most])
    row = cursor.fetchone()
    return row if row else (most, 0.0)


def slow_down(cursor, lane: Lane, *, retry_after: float | None, speed: float) -> None:
    """After a 429: half the rate (of `speed`, messages per second, if there was no limit), and a closed gate."""
    asked = retry_after if retry_after is not None and retry_after > 0 else 1.0
    cursor.execute(
        SLOW_DOWN,
        {
            "workspace": lane.workspace,
            "channel": lane.channel,
            "sender": lane.sender,
            "speed": speed,
            "closed": min(asked, LONGEST_CLOSURE),
        },
    )


def close(cursor, lane: Lane, *, seconds: float, trouble: str) -> None:
    """Let nothing through for a while, because the sender cannot be reached; its speed stays as it is."""
    closed = min(max(seconds, 0.1), LONGEST_CLOSURE)
    cursor.execute(CLOSE, [lane.workspace, lane.channel, lane.sender, closed, trouble[:LONGEST_SENTENCE]])


def hold(cursor, lane: Lane) -> None:
    """Keep others from changing the lane until the transaction ends."""
    cursor.execute(HOLD, [lane.workspace, lane.channel, lane.sender])


def closed_for(cursor, lane: Lane) -> float:
    """For how many seconds nobody tries to reach the sender, since somebody could not."""
    cursor.execute(TROUBLE, [lane.workspace, lane.channel, lane.sender])
    row = cursor.fetchone()
    return row[0] if row else 0.0


def give_back(cursor, lane: Lane, tokens: int) -> None:
    """Return tokens nobody used."""
    cursor.execute(
        "UPDATE dispatcher_pace SET tokens = tokens + %s"
        " WHERE workspace_id = %s AND channel = %s AND sender = %s AND rate IS NOT NULL",
        [tokens, lane.workspace, lane.channel, lane.sender],
    )
