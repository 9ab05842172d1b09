"""`manage.py archive` in processes that die at named points."""

import signal
from collections.abc import Callable
from pathlib import Path

import pytest
from django.db import connection

from tests.start import start_process

WITHIN = 60  # seconds


@pytest.fixture
def killed_at(place: Path) -> Callable[..., None]:
    """Run the command until it comes to a point, "name" or "name:n", and is killed there."""

    def kill(point: str, *arguments: object) -> None:
        settings = {"ARCHIVE_DIR": place, "CRASH_AT": point, "BATCH_SIZE": 1}
        ended = start_process("manage.py", "archive", *arguments, **settings).wait(WITHIN)
        assert ended == -signal.SIGKILL, f"{point} was never passed"
        with connection.cursor() as cursor:  # that was some time ago: no other machine is at it
            cursor.execute(
                "UPDATE dispatcher_messagefile SET noted_at = noted_at - interval '2 h' WHERE kept_at IS NULL"
            )

    return kill
