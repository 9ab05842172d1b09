"""The demo as documents speak of it, and programs that ask it: in this process, or over HTTP beside the engine."""

import subprocess
import time
from pathlib import Path
from tempfile import TemporaryFile

import pytest
from django.conf import settings
from django.db import connection
from django.test import Client

from accounts.models import ApiKey, Role, Workspace
from campaigns.models import Campaign
from dispatcher import demo, engine
from dispatcher.api_demo.requests import Answer, Ask, Request
from people.models import Group, Recipient
from tests.dispatcher.shift import child_environment

LONGEST = 60  # seconds


def on_its_first_day(monkeypatch: pytest.MonkeyPatch) -> Workspace:
    """The demo as documents speak of it: people, groups and campaigns begin at 1. It has fewer people than usual."""
    monkeypatch.setattr(demo, "MANY", 100)
    with connection.cursor() as cursor:
        for model in (Recipient, Group, Campaign):
            cursor.execute(f"ALTER SEQUENCE {model._meta.db_table}_id_seq RESTART")
    demo.build()
    return Workspace.objects.get(name=demo.WORKSPACE)


def asking(workspace: Workspace) -> Ask:
    """Asks within this process, with an admin's key."""
    _, secret = ApiKey.make(workspace, "documents", Role.ADMIN)

    def ask(request: Request) -> Answer:
        headers = {"Authorization": f"Bearer {secret}"} | {
            name: value for name, value in request.headers.items() if name.lower() != "authorization"
        }
        answer = Client().generic(
            request.method, request.path, request.body, content_type="application/json", headers=headers
        )
        return Answer(answer.status_code, answer.content.decode(), {k.lower(): v for k, v in answer.items()})

    return ask


def run_beside_the_engine(*command: str | Path) -> tuple[int, str]:
    """Its exit code and all it said."""
    with TemporaryFile("w+") as said:
        child = subprocess.Popen(
            command, cwd=settings.BASE_DIR, env=child_environment(), stdout=said, stderr=subprocess.STDOUT
        )
        ends = time.monotonic() + LONGEST
        while child.poll() is None and time.monotonic() < ends:
            engine.work(seconds=0.3)
            time.sleep(0.05)
        child.kill()
        said.seek(0)
        return child.wait(), said.read()
