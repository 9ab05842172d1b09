"""What RQ runs: shallow, because a job may come late, twice or never."""

from dispatcher import engine, giveback
from wires import queue

SHIFT_SECONDS = 10


def dispatch() -> None:
    """Work one shift, and ring again if more is due."""
    engine.work(seconds=SHIFT_SECONDS)
    if giveback.due_soon():
        queue.ring()
