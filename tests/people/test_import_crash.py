"""Imports carried out by real processes: killed, doubled, and overtaken by people who type."""

import os
import signal
import subprocess
import sys
import time
from threading import Barrier, Thread

import pytest
from django.conf import settings
from django.db import connection

from people import carrying, imports
from people.models import Import, ImportPart, Recipient
from people.recipients import add_recipient
from people.register import Register
from tests.make import make_recipient, make_workspace
from tests.people.listing import carry_on, words

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def silent(monkeypatch):
    """No bell: the tests start their own workers."""
    monkeypatch.setattr(imports.queue, "_put", lambda *arguments: None)


def start(rows: int) -> Import:
    workspace = make_workspace()
    source = "".join(f"p{n}@example.com\n" for n in range(rows))
    return imports.start_import(workspace, name="x", source=source)


def worker(upload: Import, *dies_at: str) -> subprocess.Popen:
    kept = connection.settings_dict
    host = kept["HOST"] or kept["OPTIONS"].get("host", "")
    url = f"postgresql://{kept['USER']}:{kept['PASSWORD']}@/{kept['NAME']}?host={host}&port={kept['PORT'] or 5432}"
    environment = os.environ | {"DATABASE_URL": url, "DJANGO_SETTINGS_MODULE": "dispatcher.settings"}
    command = [sys.executable, "-m", "tests.people.carry_out", str(upload.pk), *dies_at]
    return subprocess.Popen(command, env=environment, cwd=settings.BASE_DIR)


def wait_for_rows(upload: Import, some: int) -> None:
    until = time.monotonic() + 30
    while time.monotonic() < until:
        upload.refresh_from_db()
        if upload.rows >= some:
            return
        time.sleep(0.01)
    raise AssertionError(f"only {upload.rows} rows in 30 s")


def test_an_import_killed_half_way_is_finished_by_the_next_worker_with_every_row_once():
    upload = start(rows=2000)
    process = worker(upload)
    wait_for_rows(upload, 100)

    process.kill()
    process.wait()
    upload.refresh_from_db()
    assert upload.get_status_display() == "running"
    assert upload.verdicts.count() == upload.rows == upload.workspace.recipients.count() < 2000

    upload = carry_on(upload)
    assert (upload.get_status_display(), upload.rows, upload.created) == ("done", 2000, 2000)
    assert upload.workspace.recipients.count() == upload.verdicts.count() == 2000


@pytest.mark.parametrize("step", ["stage", "_look_up_range", "merge_range"])
def test_an_import_that_dies_at_any_step_is_taken_up_there_and_its_books_are_exact(step):
    workspace = make_workspace()
    make_recipient(workspace, email="p7@example.com", first_name="Old")
    rows = [f"p{n}@example.com,New\n" for n in range(90)]
    rows[50:50] = ["bad,New\n", "P3@example.com,Newer\n"]
    upload = imports.start_import(workspace, name="x", source="email,first_name\n" + "".join(rows))

    assert worker(upload, step, "2").wait(60) == -signal.SIGKILL
    assert worker(upload, step, "1").wait(60) == -signal.SIGKILL
    carrying.carry_out(upload.pk)

    upload.refresh_from_db()
    assert (upload.get_status_display(), upload.rows) == ("done", 92)
    assert (upload.created, upload.updated, upload.unchanged, upload.rejected) == (89, 1, 1, 1)
    assert (workspace.recipients.count(), upload.verdicts.count()) == (90, 92)


def test_an_import_that_dies_between_the_statements_of_a_range_has_done_nothing_of_it():
    workspace = make_workspace()
    make_recipient(workspace, email="p7@example.com", first_name="Old")
    rows = "".join(f"p{n}@example.com,New\n" for n in range(30))
    upload = imports.start_import(workspace, name="x", source="email,first_name\nbad,New\n" + rows)

    for statement in ("8", "14"):
        assert worker(upload, "merge_range", "0", statement).wait(60) == -signal.SIGKILL
        assert [*workspace.recipients.values_list("first_name", flat=True)] == ["Old"]
        assert not upload.verdicts.exists()
    carrying.carry_out(upload.pk)

    upload.refresh_from_db()
    assert (upload.get_status_display(), upload.created, upload.updated, upload.rejected) == ("done", 29, 1, 1)

    imports.undo(upload, by=None)
    assert worker(upload, "undo_range", "1", "11").wait(60) == -signal.SIGKILL
    upload.refresh_from_db()
    assert (upload.not_undone, upload.removed, workspace.recipients.count()) == (11, 20, 10)
    carrying.carry_out(upload.pk)

    upload.refresh_from_db()
    assert (upload.get_status_display(), upload.removed, upload.restored, upload.kept) == ("undone", 29, 1, 0)
    assert [*workspace.recipients.values_list("first_name", flat=True)] == ["Old"]


def test_an_undoing_that_dies_is_taken_up_where_it_was():
    upload = start(rows=90)
    carrying.carry_out(upload.pk)
    imports.undo(upload, by=None)

    assert worker(upload, "undo_range", "2").wait(60) == -signal.SIGKILL
    assert 0 < upload.workspace.recipients.count() < 90
    carrying.carry_out(upload.pk)

    upload.refresh_from_db()
    assert (upload.get_status_display(), upload.removed, upload.kept) == ("undone", 90, 0)
    assert not upload.workspace.recipients.exists()


def test_an_import_that_is_cancelled_stops_after_its_range_and_keeps_what_it_has_done():
    upload = start(rows=2000)
    process = worker(upload)
    wait_for_rows(upload, 100)

    imports.cancel(upload, by=None)

    assert process.wait(60) == 0
    upload.refresh_from_db()
    assert upload.get_status_display() == "cancelled"
    assert 100 <= upload.rows == upload.created == upload.workspace.recipients.count() < 2000


def test_two_workers_on_one_import_do_each_row_once():
    upload = start(rows=1000)

    processes = [worker(upload), worker(upload)]

    assert [process.wait(60) for process in processes] == [0, 0]
    if Import.objects.get(pk=upload.pk).is_open:  # both let go when the other was faster: the clock rings again
        carry_on(upload)
    upload.refresh_from_db()
    assert (upload.get_status_display(), upload.rows, upload.created) == ("done", 1000, 1000)


def test_somebody_added_by_hand_after_the_list_was_checked_is_kept_once(monkeypatch):
    upload = start(rows=3)
    merge_range = carrying.merge_range

    def merge_too_late(upload):
        add_recipient(upload.workspace, by=None, email="p1@example.com")
        merge_range(upload)

    monkeypatch.setattr(carrying, "merge_range", merge_too_late)
    upload = carry_on(upload)

    assert words(upload) == ["created", "unchanged", "created"]
    assert upload.workspace.recipients.count() == 3


def test_somebody_added_by_hand_at_the_same_moment_is_kept_once(monkeypatch):
    source = "p0@example.com\np1@example.com\np1@example.com\np2@example.com\n"
    upload = imports.start_import(make_workspace(), name="x", source=source)
    write, adding = Register.write, Thread(target=add_by_hand, args=(upload.workspace,))

    def write_too_late(register):
        if not adding.ident:
            adding.start()
            adding.join()
        write(register)

    monkeypatch.setattr(Register, "write", write_too_late)
    upload = carry_on(upload)

    assert words(upload) == ["created", "unchanged", "unchanged", "created"]
    assert upload.workspace.recipients.count() == 3


def add_by_hand(workspace) -> None:
    """As if by somebody who does not wait until the import lets go of the workspace."""
    Recipient.objects.create(workspace=workspace, email="p1@example.com")
    connection.close()


def test_two_lists_with_the_same_people_crosswise_are_both_carried_out():
    workspace = make_workspace()
    people = [f"p{n}@example.com\n" for n in range(2000)]
    uploads = [
        imports.start_import(workspace, name="x", source="first_name,email\n" + "".join(f"{name},{p}" for p in order))
        for name, order in {"Ann": people, "Bob": people[::-1]}.items()
    ]
    barrier = Barrier(2)

    def run(upload):
        barrier.wait()
        carrying.carry_out(upload.pk)
        connection.close()

    threads = [Thread(target=run, args=(upload,)) for upload in uploads]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert [Import.objects.get(pk=upload.pk).get_status_display() for upload in uploads] == ["done", "done"]
    assert workspace.recipients.count() == 2000


def test_a_lost_import_is_rung_for_again_but_not_at_every_tick(monkeypatch):
    rung = []
    monkeypatch.setattr(imports.queue, "_put", lambda name, job, *ids: rung.extend(ids))
    upload = start(rows=1)
    fresh = carrying.ring_unfinished()
    Import.objects.update(moved_at="2026-01-01T00:00Z")

    lost = [carrying.ring_unfinished() for _ in range(3)]

    assert (fresh, lost) == (0, [1, 0, 0])
    assert rung == [upload.pk, upload.pk]


def test_a_list_nobody_came_back_to_is_forgotten_after_a_week():
    workspace = make_workspace()
    fresh, old = (imports.begin(workspace, name="x", by=None) for _ in range(2))
    for upload in (fresh, old):
        imports.keep_list(upload, imports.as_bytes("ann@example.com"))
    Import.objects.filter(pk=old.pk).update(moved_at="2026-01-01T00:00Z")

    carrying.cancel_abandoned()

    assert [Import.objects.get(pk=one.pk).get_status_display() for one in (fresh, old)] == ["uploading", "cancelled"]
    assert set(ImportPart.objects.values_list("upload", flat=True)) == {fresh.pk}
