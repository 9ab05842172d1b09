"""One shift of one worker that begins on a word and says at its end what it cost: `python -m tests.bench.shift`."""

import json
import os
import sys
import time
from importlib import import_module

import django

if __name__ == "__main__":
    os.environ["DJANGO_SETTINGS_MODULE"] = "dispatcher.settings"
    django.setup()
    engine, costs = import_module("dispatcher.engine"), import_module("tests.bench.costs")
    print("ready", flush=True)
    sys.stdin.readline()
    began, cpu = time.monotonic(), time.process_time()
    engine.work(seconds=float(sys.argv[1]))
    ended = time.monotonic()
    print(json.dumps({"began": began, "ended": ended, "cpu": time.process_time() - cpu, "memory": costs.peak_memory()}))
