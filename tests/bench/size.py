"""Whether a message costs the same in a small campaign and in a large one, in time and in memory."""

from django.conf import settings
from redis import Redis

from tests.bench import engine
from tests.bench.ground import emptied, launched, workspace_of
from tests.bench.notebook import Notebook
from tests.bench.options import Options

MEGABYTE = 1024 * 1024


def measure(notebook: Notebook, options: Options) -> None:
    sizes = [options.people // 10, options.people, *([10 * options.people] if options.full else [])]
    for _ in range(options.rounds):
        for size in sizes:
            measure_one(notebook, size)
    smallest, *larger = sizes
    for size in larger:
        for what in ("CPU a message", "worker memory", "Redis memory"):
            notebook.at_most(1.2, notebook.divide(f"{what}, {size:,} people", f"{what}, {smallest:,} people"))
        notebook.divide(f"time a message, {size:,} people", f"time a message, {smallest:,} people")
        notebook.at_most(150, f"worker memory, {size:,} people")


def measure_one(notebook: Notebook, size: int) -> None:
    people = workspace_of(size)
    emptied()
    redis = Redis.from_url(settings.REDIS_URL)
    redis.flushdb()
    cost = engine.send(launched(people), size)
    notebook.write(f"CPU a message, {size:,} people", cost.microseconds, "us")
    notebook.write(f"time a message, {size:,} people", cost.seconds / size * 1e6, "us")
    notebook.write(f"worker memory, {size:,} people", cost.memory / MEGABYTE, "MB")
    notebook.write(f"Redis memory, {size:,} people", redis.info("memory")["used_memory"] / MEGABYTE, "MB")
