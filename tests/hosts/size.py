"""What a message costs in bytes: rows, indexes and WAL, without what the simulated provider writes for itself.

The WAL holds what autovacuum writes meanwhile and the first image of each page after a checkpoint, so it varies.
"""

from campaigns.models import Campaign
from dispatcher import operations
from dispatcher.models import Attempt, Message
from tests.hosts.campaigns import answer, finish, launched, start_clock, start_workers, wrong_with
from tests.hosts.stage import Stage, wait_until
from tests.make import make_campaign

TIMES = 10  # as many as for each host elsewhere


def run(stage: Stage, *, people: int, seconds: int) -> list[str]:
    """What is wrong with the books; the figures are only told."""
    people *= TIMES
    answer("TRUNCATE campaigns_campaign, simulator_call CASCADE", rows=False)  # what other parts sent
    answer("ALTER TABLE simulator_call SET UNLOGGED", rows=False)
    clock = start_clock(stage, "data")
    wrong = []
    for profile in ("perfect", "quick"):
        (worker,) = start_workers(stage, ["h1"], SIMULATOR_PROFILE=profile, DISPATCH_WINDOW=1000)
        campaign = make_campaign(people=people)
        answer("CHECKPOINT", rows=False)
        began, attempts, room = position(), Attempt.objects.count(), size_of(Attempt)
        operations.launch(campaign, by=None)
        wait_until(lambda campaign=campaign: is_frozen(campaign), seconds=120)
        frozen = position()
        books = finish(campaign, [clock, worker])
        done = position()
        stage.end(worker)
        wrong += wrong_with(campaign, people)
        attempts = Attempt.objects.count() - attempts
        print(
            f"size: {people:,} people, {profile}: WAL a message {(frozen - began) / people:,.0f} bytes to freeze it, "
            f"{(done - frozen) / people:,.0f} to send it; {books.failed} failed, {attempts} attempts",
            flush=True,
        )
        if attempts:
            print(f"size: an attempt {(size_of(Attempt) - room) / attempts:,.0f} bytes of rows and indexes", flush=True)
        else:
            told = ", ".join(f"{name} {size / people:,.0f}" for name, size in parts_of(Message).items())
            print(f"size: bytes a message in the tables: {told}", flush=True)
    print(f"size: sessions of PostgreSQL: {sessions(stage, clock)}", flush=True)
    stage.end(clock)
    return wrong


def position() -> float:
    """Where the WAL stands, in bytes."""
    return float(answer("SELECT pg_current_wal_insert_lsn() - '0/0'::pg_lsn"))


def is_frozen(campaign: Campaign) -> bool:
    campaign.refresh_from_db()
    return campaign.status != Campaign.Status.PREPARING


def size_of(model) -> int:
    return answer("SELECT pg_total_relation_size(%s::regclass)", [model._meta.db_table])


def parts_of(model) -> dict[str, int]:
    """The table with its free room, what it would take without, and its indexes."""
    table = [model._meta.db_table]
    return {
        "rows as sending left them": answer("SELECT pg_table_size(%s::regclass)", table),
        "rows once vacuumed": answer(f"SELECT sum(pg_column_size(m.*) + 4) FROM {table[0]} m"),  # noqa: S608 - ours
        "indexes": answer("SELECT pg_indexes_size(%s::regclass)", table),
    }


def sessions(stage: Stage, clock) -> str:
    """How many one clock and one busy worker hold."""
    count = "SELECT count(*) FROM pg_stat_activity WHERE client_addr IS NOT NULL"
    idle = answer(count)
    (worker,) = start_workers(stage, ["h1"], SIMULATOR_PROFILE="rails")
    campaign = launched(500)
    busy = 0
    while campaign.finished_at is None:
        busy = max(busy, answer(count))
        campaign.refresh_from_db()
        clock.keep_up()
    stage.end(worker)
    return f"the clock {idle}, a worker that sends {busy - idle} (one of them the simulated provider's)"
