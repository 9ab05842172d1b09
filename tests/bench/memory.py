"""What each process of an installation holds in memory while a campaign goes out and after it."""

from contextlib import ExitStack

from campaigns.models import Campaign
from tests.bench import costs
from tests.bench.children import child, wait_until, web
from tests.bench.ground import launched, workspace_of
from tests.bench.notebook import Notebook
from tests.bench.options import Options
from wires import queue

MEGABYTE = 1024 * 1024
HORSE = "work-horse, at most"
PROCESSES = {"worker": ("worker", "dispatch"), "chores": ("worker", "chores"), "clock": ("clock",)}


def measure(notebook: Notebook, options: Options) -> None:
    """Once: it hardly differs from round to round."""
    campaign = launched(workspace_of(options.people))
    with ExitStack() as stack:
        pids = {"web": stack.enter_context(web())[0].pid}
        for name, words in PROCESSES.items():
            pids[name] = stack.enter_context(child("manage.py", *words, SIMULATOR_PROFILE="perfect")).pid
        queue.ring()
        horse = Horse(campaign, pids["worker"])
        wait_until(horse.is_done, "the campaign is sent")
        notebook.write(HORSE, horse.most / MEGABYTE, "MB")
        for name, pid in pids.items():
            notebook.write(name, costs.memory_of(pid) / MEGABYTE, "MB")
    notebook.at_most(150, HORSE)


class Horse:
    """The process a worker forks for each job, looked at until the campaign is over."""

    def __init__(self, campaign: Campaign, worker: int) -> None:
        self.campaign = campaign
        self.worker = worker
        self.most = 0

    def is_done(self) -> bool:
        self.most = max([self.most, *map(costs.memory_of, costs.children_of(self.worker))])
        self.campaign.refresh_from_db()
        return self.campaign.status == Campaign.Status.SENT
