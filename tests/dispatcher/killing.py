"""`manage.py archive` in processes that die at named points, each a fork of one that has loaded everything.

A Python that starts anew for every point would take a second each.
"""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path

import django
import pytest
from django.db import connection

from tests.dispatcher.shift import start_process


@pytest.fixture(scope="session")
def nursery(django_db_setup, django_db_blocker) -> Iterator[subprocess.Popen]:
    with django_db_blocker.unblock():
        process = start_process(
            *("-m", "tests.dispatcher.killing"), stdin=subprocess.PIPE, stdout=subprocess.PIPE, BATCH_SIZE=1
        )
    with process:
        yield process
        process.stdin.close()


@pytest.fixture
def killed_at(nursery, place) -> Callable[..., None]:
    """Run the command until it comes to a point, "name" or "name:n", and is killed there."""

    def kill(point: str, *arguments: object) -> None:
        line = json.dumps([str(place), point, *map(str, arguments)])
        nursery.stdin.write(f"{line}\n".encode())
        nursery.stdin.flush()
        assert int(nursery.stdout.readline()) == signal.SIGKILL, f"{point} was never passed"
        with connection.cursor() as cursor:  # that was some time ago: no other machine is at it
            cursor.execute(
                "UPDATE dispatcher_messagefile SET noted_at = noted_at - interval '2 h' WHERE kept_at IS NULL"
            )

    return kill


def live_until(place: str, point: str, *arguments: str) -> None:
    crash, conf, management = map(import_module, ("dispatcher.crash", "django.conf", "django.core.management"))
    conf.settings.ARCHIVE_DIR = Path(place)
    crash.ARMED, _, crash.NTH = point.partition(":")
    sys.stdout = sys.stderr
    try:
        management.call_command("archive", *arguments)
    finally:
        os._exit(0)


if __name__ == "__main__":
    os.environ["DJANGO_SETTINGS_MODULE"] = "dispatcher.settings"
    django.setup()
    import_module("dispatcher.management.commands.archive")
    for line in sys.stdin:
        if child := os.fork():
            print(os.waitpid(child, 0)[1], flush=True)
        else:
            live_until(*json.loads(line))
