"""The engine itself, in worker processes that all begin on one word."""

import json
from subprocess import Popen

from django.conf import settings

from campaigns.models import Campaign
from tests.bench import costs
from tests.bench.children import hear, start, tell

AT_ZERO_LATENCY = {"SIMULATOR_PROFILE": "perfect", "DISPATCH_WINDOW": 2 * settings.BATCH_SIZE}

_workers: list[Popen] = []  # started when first needed; their input ends with this process, and they with it


def send(campaign: Campaign, messages: int, workers: int = 1, **changed: object) -> costs.Cost:
    """Send all of a campaign at zero latency, or as the settings say."""
    running = ready(workers)
    used = costs.database_cpu()
    begin(running, 600, **{**AT_ZERO_LATENCY, **changed})
    told = ended(running)
    used = costs.database_cpu() - used
    campaign.refresh_from_db()
    if campaign.status != Campaign.Status.SENT:
        raise SystemExit(f"the campaign ended as {campaign.get_status_display()}")
    seconds = max(one["ended"] for one in told) - min(one["began"] for one in told)
    cpu, memory = sum(one["cpu"] for one in told), max(one["memory"] for one in told)
    return costs.Cost(messages, seconds, cpu, used, memory)


def ready(workers: int) -> list[Popen]:
    """So many workers that wait for the word."""
    while len(_workers) < workers:
        _workers.append(start("-m", "tests.bench.shift"))
        hear(_workers[-1])
    return _workers[:workers]


def begin(running: list[Popen], seconds: float, **changed: object) -> None:
    for worker in running:
        tell(worker, json.dumps({"seconds": seconds, "settings": changed}))


def ended(running: list[Popen]) -> list[dict]:
    """What each says at the end of its shift."""
    told = [json.loads(hear(worker)) for worker in running]
    if any("failed" in one for one in told):
        raise SystemExit("a worker failed")
    return told
