"""The engine beside what one writes first, what one usually writes, and the most that PostgreSQL would take."""

from accounts.models import Workspace
from tests.bench import ceiling, engine, naive, usual
from tests.bench.ground import launched, workspace_of
from tests.bench.notebook import Notebook
from tests.bench.options import Options

ENGINE, UNIT = "engine, 1 worker", "messages/s"


def measure(notebook: Notebook, options: Options) -> None:
    people = workspace_of(options.people)
    once = workspace_of(options.people, Workspace.RetryPolicy.NONE)  # else the waits between tries are measured
    sample = min(options.people, max(5000, options.people // 10))
    for _ in range(options.rounds):
        notebook.write("naive", naive.rate(launched(people), min(options.jobs, options.people)), UNIT)
        notebook.write("usual", usual.rate(launched(people), sample), UNIT)
        notebook.write("raw ceiling", ceiling.rate(launched(people)), UNIT)
        cost = engine.send(launched(people), options.people)
        notebook.write(ENGINE, cost.rate, UNIT)
        notebook.write(f"{ENGINE}: CPU of the worker", cost.worker_cpu / cost.messages * 1e6, "us/message")
        notebook.write(f"{ENGINE}: CPU of the database", cost.database_cpu / cost.messages * 1e6, "us/message")
        notebook.write("engine, 2 workers", engine.send(launched(people), options.people, 2).rate, UNIT)
        failing = engine.send(launched(once), options.people, SIMULATOR_PROFILE="quick")
        notebook.write(f"{ENGINE}, 10 % fail", failing.rate, UNIT)
    notebook.divide("engine, 2 workers", ENGINE)
    notebook.at_least(250, notebook.divide(ENGINE, "naive"))
    notebook.at_least(15, notebook.divide(ENGINE, "usual"))
    notebook.at_least(0.25, notebook.divide(ENGINE, "raw ceiling"))
