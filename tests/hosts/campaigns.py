"""Campaigns sent by workers on several hosts, and what is to be said of them afterwards."""

from contextlib import suppress
from datetime import datetime

from django.db import connection
from django.db.models import Sum

from campaigns.models import Campaign, IllegalMove
from dispatcher import operations
from dispatcher.audit import findings, strays
from dispatcher.books import Books, books_of
from dispatcher.models import Settlement
from processes import Trouble
from tests.hosts.stage import Running, Stage, wait_until
from tests.make import make_campaign
from wires.queue import workers_alive

WINDOW = 100  # calls in flight per worker


def start_clock(stage: Stage, host: str, *, pooled: bool = False) -> Running:
    return stage.start(host, "manage.py", "clock", pooled=pooled)


def start_workers(stage: Stage, hosts: list[str], *module: str, **environment: object) -> list[Running]:
    """One on each of these hosts, heard of when this returns."""
    module = module or ("-m", "tests.hosts.worker")
    known = {worker.name for worker in workers_alive()}
    environment = {"DISPATCH_WINDOW": WINDOW} | environment
    workers = [stage.start(host, *module, **environment) for host in hosts]
    wait_until(lambda: len({w.name for w in workers_alive()} - known) >= len(hosts), seconds=60)
    return workers


def launched(people: int) -> Campaign:
    return operations.launch(make_campaign(people=people), by=None)


def sent_by_now(campaign: Campaign) -> int:
    return books_of(campaign).sent


def finish(campaign: Campaign, running: list[Running], seconds: float = 180) -> Books:
    """Wait until it is over, with whatever ended started again, and resumed as a person would.

    It pauses itself when the provider is silent, and so it is while its ledger cannot be reached.
    """

    def is_over() -> bool:
        campaign.refresh_from_db()
        return campaign.finished_at is not None

    def keep_up() -> None:
        for each in running:
            each.keep_up()
        if campaign.status == Campaign.Status.PAUSED:
            with suppress(IllegalMove):
                operations.resume(campaign, by=None)

    try:
        wait_until(is_over, seconds, keep_up)
    except Trouble as trouble:
        found = [*map(str, findings(campaign)), *strays()][:5]
        raise Trouble(f"{trouble} {books_of(campaign)} {found}") from None
    return books_of(campaign)


def wrong_with(campaign: Campaign, people: int) -> list[str]:
    """What the auditor finds, and whether everybody is there and decided."""
    books = books_of(campaign)
    found = [*map(str, findings(campaign)), *strays()]
    if (books.total, books.pending) != (people, 0):
        found.append(f"{people} people became {books.total}, of which {books.pending} are pending")
    return found


def lapses(campaign: Campaign) -> int:
    """Leases that were taken over from a worker nobody heard of."""
    return Settlement.objects.filter(campaign=campaign).aggregate(n=Sum("lapses"))["n"] or 0


def steady_speed(campaign: Campaign) -> float:
    """Messages a second between the first tenth and the last, by the database's clock."""
    points, total = [], 0
    for at, settled in Settlement.objects.filter(campaign=campaign).order_by("at", "pk").values_list("at", "settled"):
        total += settled
        points.append((at, total))
    begin = next(point for point in points if point[1] >= total * 0.1)
    end = next(point for point in points if point[1] >= total * 0.9)
    return (end[1] - begin[1]) / (end[0] - begin[0]).total_seconds()


def time_there() -> datetime:
    return answer("SELECT clock_timestamp()")


def remember_who_calls() -> None:
    """From now on the provider's ledger tells from which address each call came."""
    answer("ALTER TABLE simulator_call ADD COLUMN heard_from inet DEFAULT inet_client_addr()", rows=False)


def calls_from(host_address: str, since: datetime, until: datetime) -> int:
    return answer(
        "SELECT count(*) FROM simulator_call WHERE heard_from = %s::inet AND at > %s AND at <= %s",
        [host_address, since, until],
    )


def answer(query: str, values: list | None = None, *, rows: bool = True):
    with connection.cursor() as cursor:
        cursor.execute(query, values)
        return cursor.fetchone()[0] if rows else None
