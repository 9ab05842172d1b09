"""A long list through the wizard as somebody brings it: a real browser, web, chores and clock, from file to verdict."""

import os
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from openpyxl import Workbook
from playwright.sync_api import Page, expect, sync_playwright

from accounts.models import Role
from tests.bench import costs
from tests.bench.bring_in import listed
from tests.bench.children import child, web
from tests.bench.notebook import Notebook
from tests.bench.options import Options
from tests.browser.chromium import CHROMIUM, FLAGS, log_in
from tests.make import make_member, make_workspace

MEGABYTE = 1024 * 1024
OFTEN = 0.2  # seconds between two looks at the memory
PATIENCE = 1_800_000  # milliseconds
OF_A_WORKBOOK = 5  # a workbook has so many times fewer people: its XML takes longer than all else


def measure(notebook: Notebook, options: Options) -> None:
    """Once: a person brings such a list once, too."""
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"  # the loop of the browser lives in this thread
    people = 10 * options.people if options.full else options.people
    for kind, size, written in (("CSV", people, listed), ("XLSX", people // OF_A_WORKBOOK, workbook_of)):
        email = f"{kind.lower()}@bench.example"
        make_member(make_workspace(f"wizard, {kind}"), Role.OWNER, email=email, name="Ann")
        with written(size) as path, installation() as (address, memory), browser() as page:
            notebook.write(f"{kind}: the list", path.stat().st_size / MEGABYTE, "MB")
            log_in(page, address, email)
            steps = brought(page, address, path, size)
            for step, seconds in steps.items():
                notebook.write(f"{kind}: {step}", seconds, "s")
            notebook.write(f"{kind}: rows of the whole way", size / sum(steps.values()), "rows/s")
            for name, most in memory.items():
                notebook.write(f"{kind}: memory of {name}, at most", most / MEGABYTE, "MB")


def brought(page: Page, address: str, path: Path, size: int) -> dict[str, float]:
    """The seconds until each page stood there."""
    timer = Timer()
    page.goto(f"{address}/people/import/")
    page.get_by_label("Choose a CSV, TSV or XLSX file").set_input_files(path)
    page.get_by_role("button", name="Continue").click()
    page.get_by_role("button", name="Check the list").wait_for(timeout=PATIENCE)
    timer.note("until the columns were shown")
    page.get_by_role("button", name="Check the list").click()
    carry_out = page.get_by_role("button", name=f"Import {size:,} rows")
    carry_out.wait_for(timeout=PATIENCE)
    timer.note("until it was checked")
    carry_out.click()
    expect(page.get_by_text("done", exact=True)).to_be_visible(timeout=PATIENCE)
    expect(page.locator(".sum")).to_contain_text(f"{size:,} created")
    timer.note("until it was done")
    return timer.steps


class Timer:
    """How long each step took, by its name."""

    def __init__(self) -> None:
        self.steps: dict[str, float] = {}
        self.since = time.monotonic()

    def note(self, step: str) -> None:
        now = time.monotonic()
        self.steps[step], self.since = now - self.since, now


@contextmanager
def browser() -> Iterator[Page]:
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        page = chromium.new_page()
        page.set_default_timeout(60_000)
        yield page
        chromium.close()


@contextmanager
def installation() -> Iterator[tuple[str, dict[str, int]]]:
    """The address of one, and the most each of its processes has held, looked at until it is closed."""
    with ExitStack() as stack:
        server, port = stack.enter_context(web())
        pids = {"web": server.pid}
        for name, words in {"chores": ("worker", "chores"), "clock": ("clock",)}.items():
            pids[name] = stack.enter_context(child("manage.py", *words)).pid
        memory: dict[str, int] = {}
        stack.enter_context(watched(lambda: look(pids, memory)))
        yield f"http://127.0.0.1:{port}", memory


def look(pids: dict[str, int], memory: dict[str, int]) -> None:
    """The work-horse is the process a worker forks for each job."""
    now = {name: costs.memory_of(pid) for name, pid in pids.items()}
    now["work-horse"] = max([0, *map(costs.memory_of, costs.children_of(pids["chores"]))])
    for name, held in now.items():
        memory[name] = max(held, memory.get(name, 0))


@contextmanager
def watched(look: Callable[[], None]) -> Iterator[None]:
    over = threading.Event()

    def again_and_again() -> None:
        while not over.wait(OFTEN):
            look()

    watcher = threading.Thread(target=again_and_again, daemon=True)
    watcher.start()
    yield
    over.set()
    watcher.join()


@contextmanager
def workbook_of(people: int) -> Iterator[Path]:
    """The same list as XLSX."""
    with listed(people) as source, tempfile.TemporaryDirectory() as folder:
        book = Workbook(write_only=True)
        sheet = book.create_sheet()
        with source.open() as lines:
            for line in lines:
                sheet.append(line.rstrip("\n").split(","))
        path = Path(folder) / "people.xlsx"
        book.save(path)
        yield path
