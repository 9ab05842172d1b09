"""How long a worker that is started takes until it holds its first batch."""

import time

from dispatcher.models import Batch
from tests.bench.children import child, wait_until
from tests.bench.ground import launched, workspace_of
from tests.bench.notebook import Notebook
from tests.bench.options import Options
from wires import queue


def measure(notebook: Notebook, options: Options) -> None:
    people = workspace_of(min(options.people, 1000))
    for _ in range(options.rounds):
        launched(people)
        queue.ring()
        began = time.monotonic()
        with child("manage.py", "worker", "dispatch", SIMULATOR_PROFILE="perfect"):
            wait_until(Batch.objects.filter(epoch__gt=0).exists, "a worker has leased", every=0.005)
            notebook.write("from the start of a worker to its first lease", time.monotonic() - began, "s")
