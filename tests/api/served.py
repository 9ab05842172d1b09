"""The demo as documents speak of it, and programs that ask it: in this process, or over HTTP while the engine works."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event, Thread

import pytest
from django.db import connection
from django.test import Client

from accounts.models import ApiKey, Role, Workspace
from campaigns.linking import link_on
from campaigns.models import Campaign, Linking
from dispatcher import demo, engine
from dispatcher.api_demo.requests import Answer, Ask, Request
from people.models import Group, Recipient


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
        headers = {"Content-Type": "application/json", **request.headers, "Authorization": f"Bearer {secret}"}
        kind = headers.pop("Content-Type")
        answer = Client().generic(request.method, request.path, request.body, content_type=kind, headers=headers)
        return Answer(answer.status_code, answer.content.decode(), {k.lower(): v for k, v in answer.items()})

    return ask


@contextmanager
def engine_at_work() -> Iterator[None]:
    """Messages leave and addresses are linked for the time of the block, as workers would see to."""
    over = Event()

    def work() -> None:
        while not over.wait(0.05):
            engine.work(seconds=0.3)
            for campaign in Linking.objects.filter(done_at=None).values_list("campaign", flat=True):
                link_on(campaign)
        connection.close()

    worker = Thread(target=work)
    worker.start()
    try:
        yield
    finally:
        over.set()
        worker.join()


def said_by(*command: str | Path) -> str:
    """All that a program said that ended well."""
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout
