"""Whether the calls of a slow provider fill their window: then the speed is the window over the mean latency."""

import time
from datetime import datetime

from django.db import connection

from campaigns.models import Campaign
from simulator.provider import PROFILES
from tests.bench import engine
from tests.bench.ground import launched, workspace_of
from tests.bench.notebook import Notebook
from tests.bench.options import Options

LEOPARD = PROFILES["leopard"]
MEAN = (LEOPARD.fastest + LEOPARD.slowest) / 2
FULL_SIZE = 10_000  # people above which there is enough to do for the whole time
CALLS = "SELECT coalesce(sum(tries), 0), clock_timestamp() FROM dispatcher_message WHERE campaign_id = %s"


def measure(notebook: Notebook, options: Options) -> None:
    seconds = 5.0 if options.people > FULL_SIZE else 0.5
    for _ in range(options.rounds):
        for workers, window in ((1, 100), (1, 1000), (2, 1000)):
            ideal = workers * window / MEAN
            people = workspace_of(int(min(options.people, ideal * (seconds + 2))))
            name = f"{workers} x {window:,} calls in flight"
            notebook.write(name, rate(launched(people), workers, window, seconds), "calls/s")
            notebook.write(f"{name} / ideal", notebook.series[name].values[-1] / ideal, "x")
    for name in [name for name in notebook.series if name.endswith("/ ideal")]:
        notebook.at_least(0.9, name)


def rate(campaign: Campaign, workers: int, window: int, seconds: float) -> float:
    """Calls settled a second between the first fifth of a shift and its end, retries included."""
    running = engine.ready(workers)
    engine.begin(running, seconds, SIMULATOR_PROFILE="leopard", DISPATCH_WINDOW=window)
    time.sleep(seconds / 5)
    calls, began = calls_of(campaign)
    time.sleep(seconds * 3 / 5)
    more, ended = calls_of(campaign)
    engine.ended(running)
    return (more - calls) / (ended - began).total_seconds()


def calls_of(campaign: Campaign) -> tuple[int, datetime]:
    with connection.cursor() as cursor:
        cursor.execute(CALLS, [campaign.pk])
        return cursor.fetchone()
