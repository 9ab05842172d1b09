"""Processes beside the one that measures, on the same database, ended with what they were started for."""

import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from django.conf import settings

from tests.dispatcher.shift import child_environment

PATIENCE = 120  # seconds; nothing waited for here takes long on a machine that has time


def start(*arguments: object, **environment: object) -> subprocess.Popen:
    """Python with these arguments, which are told and heard line by line."""
    return subprocess.Popen(
        [sys.executable, *map(str, arguments)],
        env=child_environment(**environment),
        cwd=settings.BASE_DIR,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


@contextmanager
def child(*arguments: object, grace: float = 20, **environment: object) -> Iterator[subprocess.Popen]:
    """The same, told to stop at the end and killed if it does not."""
    process = start(*arguments, **environment)
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.communicate(timeout=grace)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()


def tell(process: subprocess.Popen, word: str) -> None:
    process.stdin.write(f"{word}\n")
    process.stdin.flush()


def hear(process: subprocess.Popen) -> str:
    """The next line it says."""
    line = process.stdout.readline()
    if not line:
        raise SystemExit(f"{process.args} ended early, with {process.wait()}")
    return line.strip()


def wait_until(is_so: Callable[[], object], what: str, every: float = 0.02) -> None:
    deadline = time.monotonic() + PATIENCE
    while not is_so():
        if time.monotonic() > deadline:
            raise SystemExit(f"gave up waiting until {what}")
        time.sleep(every)


@contextmanager
def web(*program: str, **environment: object) -> Iterator[tuple[subprocess.Popen, int]]:
    """A web process that answers, and its port; of another program than the usual one if need be."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with child(*(program or ("manage.py", "serve")), "--port", port, **environment) as process:
        wait_until(lambda: process.poll() is not None or is_open(port), "the web process listens")
        yield process, port


def is_open(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=5).close()
    except OSError:
        return False
    return True
