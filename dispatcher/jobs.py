"""What RQ runs: shallow, because a job may come late, twice or never."""

import os

from dispatcher import engine, giveback, store_due
from wires import queue

SHIFT_SECONDS = 10


def owner_of(host: str | None, pid: int | None) -> str:
    """What stands on the batches that a worker holds: the process that forks for each job, so that it can be found."""
    return f"{host}:{pid}"


def dispatch() -> None:
    """Work one shift, and ring again if more is due."""
    engine.work(seconds=SHIFT_SECONDS, owner=owner_of(os.uname().nodename, os.getppid()))
    if giveback.due_soon():
        queue.ring()


def store() -> None:
    """Move old messages into files for a while."""
    store_due.store_due()
