"""The whole house as a customer meets it: real processes on the test database, kept alive as bin/dev would."""

import os
import subprocess
import sys
from collections.abc import Iterator

import pytest
from django.conf import settings
from playwright.sync_api import Browser, expect, sync_playwright

from tests.browser.chromium import CHROMIUM, FLAGS, PASSWORD, log_in
from tests.dispatcher.shift import database_url
from tests.house import House, await_answer, free_port

__all__ = ["PASSWORD", "log_in"]

# Playwright's loop lives in this thread, which Django would take for asynchronous code. The processes do without.
os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"

expect.set_options(timeout=20_000)  # milliseconds: a busy machine is slow, not wrong


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def web(transactional_db) -> Iterator[str]:
    """The address of a web server on the test database, without workers."""
    port = free_port()
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


@pytest.fixture
def house(transactional_db) -> Iterator[House]:
    """Closed before the database is flushed, which an open connection would block."""
    inherited = {k: v for k, v in os.environ.items() if k != "DJANGO_ALLOW_ASYNC_UNSAFE"}
    # Slow enough to be watched and interrupted: two workers with 20 calls of 50 to 200 ms each.
    pace = {"BATCH_SIZE": "50", "DISPATCH_WINDOW": "20", "LEASE_SECONDS": "4", "SIMULATOR_PROFILE": "leopard"}
    house = House(free_port(), inherited | {"DATABASE_URL": database_url()} | pace)
    house.open()
    try:
        yield house
    finally:
        house.close()
