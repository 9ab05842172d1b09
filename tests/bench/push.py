"""How soon after its commit a change is seen in every browser, and what watching takes from the sending."""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from subprocess import Popen

from django.conf import settings
from django.db import connection, transaction

from accounts.models import Role, Workspace
from campaigns.models import Campaign
from tests.bench import costs, engine
from tests.bench.children import child, hear, tell, web
from tests.bench.ground import launched, workspace_of
from tests.bench.notebook import Notebook
from tests.bench.options import Options
from tests.make import logged_in
from wires import live

COMMITS = 50
BETWEEN = (0.11, 0.23, 0.37)  # seconds, out of step with the quarter of a second between two drawings
ONE_MORE = """
    UPDATE dispatcher_batch SET pending = pending - 1, sent = sent + 1, settled_at = clock_timestamp()
    WHERE id = (SELECT min(id) FROM dispatcher_batch WHERE campaign_id = %s AND pending > 0)
"""


def measure(notebook: Notebook, options: Options) -> None:
    people = workspace_of(options.people)
    commits = min(COMMITS, options.people // 40)
    crowds = sorted({1, min(100, options.viewers), options.viewers})
    with web() as (server, port):
        for _ in range(options.rounds):
            for crowd in crowds:
                delays = delays_of(launched(people), port, crowd, commits)
                notebook.write(f"delay with {crowd:,} viewers: p50", delays["p50"], "s")
                notebook.write(f"delay with {crowd:,} viewers: p99", delays["p99"], "s")
            for crowd in (0, options.viewers):
                rate, cpu = sending(people, server, port, crowd)
                notebook.write(f"sending with {crowd:,} viewers", rate, "messages/s")
                notebook.write(f"CPU of the web process, sending with {crowd:,} viewers", cpu, "s/s")
    notebook.at_most(0.5, f"delay with {options.viewers:,} viewers: p99")
    slowed = notebook.divide(f"sending with {options.viewers:,} viewers", "sending with 0 viewers")
    notebook.at_least(0.9, slowed)


def delays_of(campaign: Campaign, port: int, crowd: int, commits: int) -> dict[str, float]:
    """How long after each commit the viewers saw it. Whoever never saw one is no figure but an error."""
    with watched(campaign, port, crowd) as viewers:
        told = []
        for number, pause in zip(range(1, commits + 1), ever(BETWEEN), strict=False):
            with transaction.atomic(), connection.cursor() as cursor:
                cursor.execute(ONE_MORE, [campaign.pk])
                live.changed(campaign.pk, campaign.workspace_id)
            told.append((number, time.monotonic()))
            time.sleep(pause)
        tell(viewers, json.dumps(told))
        delays = json.loads(hear(viewers))
    if delays["missing"]:
        raise SystemExit(f"{delays['missing']} pushes never arrived")
    return delays


def ever(pauses: tuple[float, ...]) -> Iterator[float]:
    return (pauses[number % len(pauses)] for number in count())


def sending(people: Workspace, server: Popen, port: int, crowd: int) -> tuple[float, float]:
    """Messages a second of one worker while so many watch, and the share of a core that the web process takes."""
    campaign = launched(people)
    with watched(campaign, port, crowd):
        used = costs.cpu_of(server.pid)
        cost = engine.send(campaign, people.recipients.count())
        used = costs.cpu_of(server.pid) - used
    return cost.rate, used / cost.seconds


@contextmanager
def watched(campaign: Campaign, port: int, crowd: int) -> Iterator[Popen]:
    """So many browsers that have the page of a campaign open."""
    client = logged_in(campaign.workspace, Role.MARKETER)
    cookie = f"{settings.SESSION_COOKIE_NAME}={client.cookies[settings.SESSION_COOKIE_NAME].value}"
    path = f"/ws/campaigns/{campaign.pk}/"
    with child("-m", "tests.bench.viewers", port, path, cookie, crowd) as viewers:
        hear(viewers)
        yield viewers
