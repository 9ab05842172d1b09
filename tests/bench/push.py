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

COMMITS = 30
TURNS = 3  # of sending with nobody and with everybody: each lasts two seconds, and is at the mercy of its moment
BETWEEN = (0.11, 0.23, 0.37)  # seconds, out of step with the quarter of a second between two drawings
ONE_MORE = """
    UPDATE dispatcher_batch SET pending = pending - 1, sent = sent + 1, settled_at = clock_timestamp()
    WHERE id = (SELECT min(id) FROM dispatcher_batch WHERE campaign_id = %s AND pending > 0)
"""


def measure(notebook: Notebook, options: Options) -> None:
    everybody = f"{options.viewers:,} viewers"
    people, few = workspace_of(options.people), workspace_of(max(COMMITS, options.people // 100))
    commits = min(COMMITS, options.people // 40)
    with web() as (server, port):
        for _ in range(options.rounds):
            for crowd in sorted({min(100, options.viewers), options.viewers}):
                told = delays_of(launched(few), server, port, crowd, commits)
                notebook.write(f"from commit to frame, {crowd:,} viewers: p50", told["p50"], "s")
                notebook.write(f"from commit to frame, {crowd:,} viewers: p99", told["p99"], "s")
                notebook.write(f"CPU of the web process for a frame, {crowd:,} viewers", told["cpu"] * 1e6, "us")
            for crowd, words in TURNS * ((0, "no viewers"), (options.viewers, everybody)):
                cost, cpu = sending(people, server, port, crowd)
                notebook.write(f"sending with {words}", cost.rate, "messages/s")
                notebook.write(f"CPU of a message, sending with {words}", cost.microseconds, "us")
                notebook.write(f"web process while sending with {words}", cpu, "cores")
    notebook.at_most(0.5, f"from commit to frame, {everybody}: p99")
    notebook.at_least(0.9, notebook.divide(f"sending with {everybody}", "sending with no viewers"))


def delays_of(campaign: Campaign, server: Popen, port: int, crowd: int, commits: int) -> dict[str, float]:
    """How long after each commit the viewers saw it, and the CPU of a frame. One who never saw it is an error."""
    with watched(campaign, port, crowd) as viewers:
        used = costs.cpu_of(server.pid)
        told = []
        for number, pause in zip(range(1, commits + 1), ever(BETWEEN), strict=False):
            with transaction.atomic(), connection.cursor() as cursor:
                cursor.execute(ONE_MORE, [campaign.pk])
                live.changed(campaign.pk, campaign.workspace_id)
            told.append((number, time.monotonic()))
            time.sleep(pause)
        tell(viewers, json.dumps(told))
        delays = json.loads(hear(viewers))
        used = costs.cpu_of(server.pid) - used
    if delays["missing"]:
        raise SystemExit(f"{delays['missing']} pushes never arrived")
    return delays | {"cpu": used / delays["frames"]}


def ever(pauses: tuple[float, ...]) -> Iterator[float]:
    return (pauses[number % len(pauses)] for number in count())


def sending(people: Workspace, server: Popen, port: int, crowd: int) -> tuple[costs.Cost, float]:
    """What one worker takes to send while so many watch, and the share of a core that the web process takes."""
    campaign = launched(people)
    with watched(campaign, port, crowd):
        used = costs.cpu_of(server.pid)
        cost = engine.send(campaign, people.recipients.count())
        used = costs.cpu_of(server.pid) - used
    return cost, used / cost.seconds


@contextmanager
def watched(campaign: Campaign, port: int, crowd: int) -> Iterator[Popen]:
    """So many browsers that have the page of a campaign open."""
    client = logged_in(campaign.workspace, Role.MARKETER)
    cookie = f"{settings.SESSION_COOKIE_NAME}={client.cookies[settings.SESSION_COOKIE_NAME].value}"
    path = f"/ws/campaigns/{campaign.pk}/"
    with child("-m", "tests.bench.viewers", port, path, cookie, crowd) as viewers:
        hear(viewers)
        yield viewers
