"""Shifts of one worker, each in a fork of its own as under RQ: `python -m tests.bench.shift`.

Takes a line of JSON for each, with its seconds and settings, and says in another what it cost; ends with its input.
"""

import json
import os
import sys
import time
from importlib import import_module

import django


def work(seconds: float, settings: dict) -> None:
    """Runs in the fork, so that neither the settings nor the memory outlive the shift."""
    for name, value in settings.items():
        setattr(import_module("django.conf").settings, name, value)
    began, cpu = time.monotonic(), time.process_time()
    engine.work(seconds=seconds)
    ended, cpu = time.monotonic(), time.process_time() - cpu
    say(began=began, ended=ended, cpu=cpu, memory=costs.peak_memory())


def say(**told: object) -> None:
    print(json.dumps(told), flush=True)


if __name__ == "__main__":
    os.environ["DJANGO_SETTINGS_MODULE"] = "dispatcher.settings"
    django.setup()
    engine, costs = import_module("dispatcher.engine"), import_module("tests.bench.costs")
    import_module("dispatcher.collector").spare()
    say(ready=True)
    while line := sys.stdin.readline():
        pid = os.fork()
        if not pid:
            work(**json.loads(line))
            os._exit(0)
        if failed := os.waitpid(pid, 0)[1]:
            say(failed=failed)
