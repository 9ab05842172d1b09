"""The engine itself, in worker processes of its own that all begin on one word."""

import json
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from subprocess import Popen

from campaigns.models import Campaign
from tests.bench import costs
from tests.bench.children import child, hear, tell

AT_ZERO_LATENCY = {"SIMULATOR_PROFILE": "perfect", "DISPATCH_WINDOW": 1000}


def send(campaign: Campaign, messages: int, workers: int = 1, **environment: object) -> costs.Cost:
    """Send all of a campaign at zero latency, or as the environment says."""
    with shifts(workers, seconds=600, **{**AT_ZERO_LATENCY, **environment}) as running:
        used = costs.database_cpu()
        begin(running)
        told = [json.loads(hear(shift)) for shift in running]
        used = costs.database_cpu() - used
    campaign.refresh_from_db()
    if campaign.status != Campaign.Status.SENT:
        raise SystemExit(f"the campaign ended as {campaign.get_status_display()}")
    seconds = max(one["ended"] for one in told) - min(one["began"] for one in told)
    cpu, memory = sum(one["cpu"] for one in told), max(one["memory"] for one in told)
    return costs.Cost(messages, seconds, cpu, used, memory)


@contextmanager
def shifts(workers: int, *, seconds: float, **environment: object) -> Iterator[list[Popen]]:
    """Workers that wait for the word to begin a shift of so many seconds."""
    with ExitStack() as stack:
        running = [
            stack.enter_context(child("-m", "tests.bench.shift", seconds, **environment)) for _ in range(workers)
        ]
        for shift in running:
            hear(shift)
        yield running


def begin(running: list[Popen]) -> None:
    for shift in running:
        tell(shift, "go")
