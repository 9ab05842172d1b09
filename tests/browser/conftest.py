"""The whole house as a customer meets it: real processes on the test database, kept alive as bin/dev would."""

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from urllib.error import URLError
from urllib.request import urlopen

import pytest
from django.conf import settings
from django.urls import reverse
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.dispatcher.shift import database_url

# Playwright's loop lives in this thread, which Django would take for asynchronous code. The processes do without.
os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"

expect.set_options(timeout=20_000)  # milliseconds: a busy machine is slow, not wrong

CHROMIUM = os.environ.get("CHROMIUM_PATH", "/usr/bin/chromium")
FLAGS = [
    *("--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
]
PASSWORD = "a-long-enough-password"
PROCESSES = ("web", "worker-1", "worker-2", "chores", "clock")


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


@dataclass
class House:
    """Web, two workers, chores and clock; what dies is started again until the house is closed."""

    port: int
    environment: dict[str, str]
    processes: dict[str, subprocess.Popen] = field(default_factory=dict)
    closing: threading.Event = field(default_factory=threading.Event)

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def open(self) -> None:
        for name in PROCESSES:
            self._start(name)
        self.keeper = threading.Thread(target=self._keep, daemon=True)
        self.keeper.start()
        await_answer(f"{self.address}/login/")

    def close(self) -> None:
        self.closing.set()
        self.keeper.join()
        for process in self.processes.values():
            process.terminate()
        for process in self.processes.values():
            try:
                process.wait(15)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def manage(self, *command: str) -> subprocess.CompletedProcess:
        """Run a management command to its end."""
        arguments = [sys.executable, "manage.py", *command]
        return subprocess.run(
            arguments, cwd=settings.BASE_DIR, env=self.environment, capture_output=True, text=True, timeout=120
        )

    def horse(self, seconds: float = 10) -> tuple[str, int]:
        """A worker that has a work-horse now, and the horse's process id."""
        ends = time.monotonic() + seconds
        while time.monotonic() < ends:
            for name in ("worker-1", "worker-2"):
                if horses := children(self.processes[name].pid):
                    return name, horses[0]
            time.sleep(0.01)
        raise TimeoutError("no worker works")

    def _start(self, name: str) -> None:
        command = {
            "web": ["serve", "--host", "127.0.0.1", "--port", str(self.port)],
            "worker-1": ["worker", "dispatch"],
            "worker-2": ["worker", "dispatch"],
            "chores": ["worker", "chores"],
            "clock": ["clock"],
        }[name]
        self.processes[name] = subprocess.Popen(
            [sys.executable, "manage.py", *command], cwd=settings.BASE_DIR, env=self.environment
        )

    def _keep(self) -> None:
        while not self.closing.wait(0.2):
            for name, process in list(self.processes.items()):
                if process.poll() is not None:
                    self._start(name)


@pytest.fixture
def web(transactional_db) -> Iterator[str]:
    """The address of a web server on the test database, without workers."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    env = {k: v for k, v in os.environ.items() if k != "DJANGO_ALLOW_ASYNC_UNSAFE"} | {"DATABASE_URL": database_url()}
    command = [sys.executable, "manage.py", "serve", "--port", str(port)]
    server = subprocess.Popen(command, cwd=settings.BASE_DIR, env=env)
    try:
        await_answer(f"http://127.0.0.1:{port}/login/")
        yield f"http://127.0.0.1:{port}"
    finally:
        # Before the database is flushed: an open connection of the server would block that.
        server.terminate()
        server.wait(10)


def log_in(page: Page, address: str, email: str = "ann@example.com") -> Page:
    page.goto(address + reverse("login"))
    page.get_by_label("Email address").fill(email)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    page.wait_for_url(address + reverse("campaigns"))
    return page


def children(pid: int) -> list[int]:
    listed = subprocess.run(["ps", "-A", "-o", "pid=,ppid="], capture_output=True, text=True).stdout
    return [int(line.split()[0]) for line in listed.splitlines() if line.split()[1] == str(pid)]


def await_answer(address: str, seconds: float = 30) -> None:
    ends = time.monotonic() + seconds
    while time.monotonic() < ends:
        try:
            urlopen(address, timeout=2).close()
            return
        except (URLError, ConnectionError):
            time.sleep(0.1)
    raise TimeoutError(address)


def kill(pid: int) -> None:
    os.kill(pid, signal.SIGKILL)


@pytest.fixture
def house(transactional_db) -> Iterator[House]:
    """Closed before the database is flushed, which an open connection would block."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    inherited = {k: v for k, v in os.environ.items() if k != "DJANGO_ALLOW_ASYNC_UNSAFE"}
    # Slow enough to be watched and interrupted: two workers with 20 calls of 50 to 200 ms each.
    pace = {"BATCH_SIZE": "50", "DISPATCH_WINDOW": "20", "LEASE_SECONDS": "4", "SIMULATOR_PROFILE": "leopard"}
    house = House(port, inherited | {"DATABASE_URL": database_url()} | pace)
    house.open()
    try:
        yield house
    finally:
        house.close()
