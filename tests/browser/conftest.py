"""The whole house as a customer meets it: real processes on the test database, kept alive as bin/dev would."""

import os
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect, sync_playwright

from tests.browser.chromium import CHROMIUM, FLAGS, log_in
from tests.dispatcher.shift import database_url
from tests.house import House, await_answer, free_port
from tests.nursery import Nursery

__all__ = ["log_in"]

# Playwright's loop lives in this thread, which Django would take for asynchronous code. The processes do without.
os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"

expect.set_options(timeout=20_000)  # milliseconds: a busy machine is slow, not wrong


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


# Slow enough to be watched and interrupted: two workers with 20 calls of 50 to 200 ms each.
PACE = {"BATCH_SIZE": "50", "DISPATCH_WINDOW": "20", "LEASE_SECONDS": "4", "SIMULATOR_PROFILE": "leopard"}


@pytest.fixture(scope="session")
def environment(django_db_setup) -> dict[str, str]:
    """What every process of the house is told."""
    inherited = {k: v for k, v in os.environ.items() if k != "DJANGO_ALLOW_ASYNC_UNSAFE"}
    return inherited | {"DATABASE_URL": database_url()} | PACE


@pytest.fixture(scope="session")
def nursery(environment) -> Iterator[Nursery]:
    with Nursery(environment) as nursery:
        yield nursery


@pytest.fixture
def web(transactional_db, nursery) -> Iterator[str]:
    """The address of a web server on the test database, without workers."""
    port = free_port()
    server = nursery.start("manage.py", "serve", "--port", str(port))
    try:
        await_answer(f"http://127.0.0.1:{port}/login/")
        yield f"http://127.0.0.1:{port}"
    finally:
        server.terminate()
        server.wait(10)


@pytest.fixture
def house(transactional_db, environment, nursery) -> Iterator[House]:
    """All the processes of an installation, on the test database."""
    house = House(free_port(), environment, nursery=nursery)
    house.open()
    try:
        yield house
    finally:
        house.close()
