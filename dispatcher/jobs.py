"""What RQ runs: shallow, because a job may come late, twice or never."""

import os

from rq import get_current_job

from dispatcher import dry_runs, engine, forget_due, giveback, store_due
from dispatcher.generate import generate_due
from dispatcher.owner import owner_of
from wires import queue

SHIFT_SECONDS = 10


def dispatch() -> None:
    """Work one shift, and ring again if more is due."""
    job = get_current_job()
    owner = owner_of(os.uname().nodename, os.getppid(), job.worker_name or "" if job else "")
    engine.work(seconds=SHIFT_SECONDS, owner=owner)
    if giveback.due_soon():
        queue.ring()


def dry_run(run_id: int) -> None:
    """Carry a dry run on for a turn."""
    dry_runs.carry_out(run_id)


def store() -> None:
    """Move old messages into files for a while."""
    store_due.store_due()


def forget() -> None:
    """Take those who were erased out of what is left."""
    forget_due.forget_due()


def generate() -> None:
    """Generate words for campaigns that are being prepared, for a while."""
    generate_due()
