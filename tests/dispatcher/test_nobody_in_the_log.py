"""A worker that fails over somebody's message says so, and not whose message it was."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings
from django.db import connection

from dispatcher import clock, operations
from tests.dispatcher.mail_server import mail_server
from tests.dispatcher.shift import child_environment
from tests.dispatcher.test_crash import wait_for
from tests.dispatcher.test_smtp_campaign import by_smtp
from tests.make import make_campaign, make_recipient

pytestmark = pytest.mark.django_db(transaction=True)
CANARIES = ("Zebulon", "zebulon", "712999888", "Quartz")


@pytest.fixture
def refused_rows() -> Iterator[None]:
    """The database refuses to keep an error that names him, and quotes the row, as it does."""
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE dispatcher_attempt ADD CONSTRAINT canary CHECK (error NOT LIKE '%Zebulon%')")
        yield
        cursor.execute("ALTER TABLE dispatcher_attempt DROP CONSTRAINT canary")


def test_a_worker_whose_provider_and_database_name_somebody_names_nobody(refused_rows, tmp_path: Path):
    campaign = make_campaign(body="Dear {first_name}, about your Quartz lamp", people=3)
    person = {"email": "zebulon@canary.example", "phone": "+254712999888", "first_name": "Zebulon"}
    make_recipient(campaign.workspace, **person)
    log = tmp_path / "log"
    with mail_server() as sink, log.open("wb") as said:
        sink.answers["zebulon@canary.example"] = (
            "550 5.1.1 <zebulon@canary.example>: Zebulon (+254712999888) is unknown"
        )
        operations.launch(by_smtp(campaign, sink.port), by=None)
        worker = subprocess.Popen(
            [sys.executable, "manage.py", "worker", "dispatch"],
            env=child_environment(LOG_FORMAT="json", LOG_LEVEL="DEBUG"),
            cwd=settings.BASE_DIR,
            stdout=said,
            stderr=subprocess.STDOUT,
        )
        try:
            clock.ring_if_due()
            wait_for(lambda: b"IntegrityError" in log.read_bytes())
        finally:
            worker.terminate()
            worker.wait(20)

    text = log.read_text()
    lines = [json.loads(line) for line in text.splitlines()]
    assert [canary for canary in CANARIES if canary in text] == []
    assert any(line.get("work") == "dispatch" and line.get("job") for line in lines if "IntegrityError" in str(line))
