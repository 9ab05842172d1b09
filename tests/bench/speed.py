"""The engine beside what one writes first, what one usually writes, and the most that PostgreSQL would take."""

from collections.abc import Callable

from accounts.models import Workspace
from tests.bench import ceiling, engine, naive, usual
from tests.bench.costs import Cost
from tests.bench.ground import launched, workspace_of
from tests.bench.notebook import Notebook
from tests.bench.options import Options

ENGINE = "engine, 1 worker"
BARS = {"naive": 250, "usual": 15, "raw ceiling": 0.25}  # how many times as fast the engine has to be


def measure(notebook: Notebook, options: Options) -> None:
    for _ in range(options.rounds):
        for name, send in yardsticks(options).items():
            cost = send()
            notebook.write(name, cost.rate, "messages/s")
            notebook.write(f"CPU of {name}", cost.microseconds, "us/message")
            notebook.write(f"CPU of {name}, the database's part", cost.database_microseconds, "us/message")
    notebook.divide("engine, 2 workers", ENGINE)
    for name, least in BARS.items():
        notebook.at_least(least, notebook.divide(ENGINE, name))
        notebook.divide(f"CPU of {name}", f"CPU of {ENGINE}")


def yardsticks(options: Options) -> dict[str, Callable[[], Cost]]:
    """Each on a campaign of its own and of the same size, frozen beforehand."""
    size = options.people
    people = workspace_of(size)
    once = workspace_of(size, Workspace.RetryPolicy.NONE)  # else the waits between two tries would be measured
    sample = min(size, max(5000, size // 10))
    return {
        "naive": lambda: naive.send(launched(people), min(options.jobs, size)),
        "usual": lambda: usual.send(launched(people), sample),
        "raw ceiling": lambda: ceiling.send(launched(people)),
        ENGINE: lambda: engine.send(launched(people), size),
        "engine, 2 workers": lambda: engine.send(launched(people), size, workers=2),
        f"{ENGINE}, 10 % fail": lambda: engine.send(launched(once), size, SIMULATOR_PROFILE="quick"),
    }
