"""An import is work for many turns: it waits for others between them, keeps nobody waiting, and is never lost."""

import json
import time
from datetime import timedelta
from threading import Thread

import pytest
from django.db import connection
from django.utils import timezone

from people import attributes, carrying, forecast, imports
from people.columns import Mapping
from people.models import Import, ImportRow, Problem, StagedRow
from people.rows import rows
from people.sheet import Record
from people.staging import Overtaken
from tests.make import make_recipients, make_workspace
from tests.people.listing import bring_in, carry_on, words
from wires import queue

LIST = "".join(f"p{n}@example.com\n" for n in range(9))


@pytest.fixture
def rung(monkeypatch) -> list[int]:
    rung: list[int] = []
    monkeypatch.setattr(queue, "ask_for_import", rung.append)
    return rung


@pytest.mark.django_db
def test_an_import_lets_others_have_their_turn_and_is_carried_on_after_them(workspace, monkeypatch, rung):
    monkeypatch.setattr(carrying, "TURN", 0)
    monkeypatch.setattr(carrying, "STAGE", 4)
    upload = imports.start_import(workspace, name="x", source=LIST)
    turns = 0

    while rung:
        turns, _ = turns + 1, rung.pop()
        upload = carry_on(upload)

    assert (upload.get_status_display(), upload.created) == ("done", 9)
    assert turns > 4


@pytest.mark.django_db
def test_an_import_whose_worker_has_no_more_time_is_not_ended(workspace, monkeypatch):
    upload = imports.start_import(workspace, name="x", source=LIST)
    merge_range = carrying.merge_range

    def take_too_long(upload):
        raise queue.TimeIsUp

    monkeypatch.setattr(carrying, "merge_range", take_too_long)
    with pytest.raises(queue.TimeIsUp):
        carry_on(upload)
    monkeypatch.setattr(carrying, "merge_range", merge_range)

    assert words(carry_on(upload)) == ["created"] * 9


def test_rows_that_were_read_before_are_passed_and_keep_their_numbers():
    records = [Record(1, ["ann@example.com", "ben@example.com"]), Record(2, ["cid@example.com"])]

    assert [(row.number, row.email) for row in rows(records, Mapping(), after=1)] == [
        (2, "ben@example.com"),
        (3, "cid@example.com"),
    ]


@pytest.mark.django_db
def test_a_list_that_is_read_again_up_to_its_last_row_is_not_taken_for_lost(workspace, monkeypatch):
    monkeypatch.setattr(carrying, "SIGN_OF_LIFE", 0)
    upload = imports.start_import(workspace, name="x", source=LIST)
    Import.objects.filter(pk=upload.pk).update(moved_at=timezone.now() - timedelta(minutes=1))

    def overtaken(*arguments):
        raise Overtaken

    monkeypatch.setattr(carrying, "stage", overtaken)
    carry_on(upload)

    assert not carrying.unfinished().exists()


@pytest.mark.django_db
def test_rows_are_not_compared_each_with_each_where_the_statistics_are_those_of_another_list(workspace, monkeypatch):
    plans: list[str] = []

    def explained(do, sql, values, many, about):
        if "HAVING count(*) > 1" in sql and not sql.startswith("EXPLAIN"):
            with connection.cursor() as cursor:
                cursor.execute(f"EXPLAIN {sql}", values)
                plans.append("\n".join(line for (line,) in cursor.fetchall()))
        return "" if "ANALYZE (SKIP_LOCKED)" in sql else do(sql, values, many, about)  # as while it is vacuumed

    other = imports.start_import(make_workspace(), name="x", source=LIST)
    rest = {"attributes": {}, "opted_out": False, "problem": 0, "forecast": ImportRow.Verdict.CREATED, "is_alone": True}
    StagedRow.objects.bulk_create(StagedRow(upload=other, number=n, line=n, **rest) for n in range(2_000))
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE people_stagedrow")
    with connection.execute_wrapper(explained):
        bring_in(workspace, LIST)

    assert len(plans) == 2
    assert [plan for plan in plans if "Nested Loop" in plan] == []


@pytest.mark.django_db
def test_after_a_large_list_the_statistics_know_its_people(workspace, monkeypatch):
    monkeypatch.setattr(carrying, "MANY", 300)
    make_recipients(make_workspace(), 300)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE people_recipient")

    def estimate() -> int:
        return json.loads(workspace.recipients.explain(format="json"))[0]["Plan"]["Plan Rows"]

    bring_in(workspace, "".join(f"p{n}@example.com\n" for n in range(299)))
    assert estimate() < 10
    bring_in(workspace, "".join(f"q{n}@example.com\n" for n in range(300)))
    assert estimate() > 500


@pytest.mark.django_db(transaction=True)
def test_the_check_of_one_list_keeps_no_other_waiting(monkeypatch):
    monkeypatch.setattr(imports.queue, "_put", lambda *arguments: None)
    monkeypatch.setattr(forecast, "SAME_PHONE", "SELECT pg_sleep(0.6)")
    ours, theirs = (imports.start_import(make_workspace(), name="x", source=LIST) for _ in range(2))

    def check():
        carrying.carry_out(theirs.pk)
        connection.close()

    checking = Thread(target=check)
    checking.start()
    with connection.cursor() as cursor:
        until = time.monotonic() + 10
        while time.monotonic() < until:
            cursor.execute(
                "SELECT count(*) FROM pg_stat_activity WHERE state = 'active' AND query ~ '^SELECT pg_sleep'"
            )
            if cursor.fetchone() != (0,):
                break
        cursor.execute("SET lock_timeout = '100ms'")

    try:
        ours = carry_on(ours)
    finally:
        connection.close()
        checking.join()

    assert ours.get_status_display() == "done"


@pytest.mark.django_db
def test_attributes_without_room_are_left_out_of_all_rows_at_once(
    workspace, monkeypatch, django_assert_max_num_queries
):
    monkeypatch.setattr(attributes, "MOST_NAMES", 1)
    bring_in(workspace, "email,tier\nann@example.com,gold\n")
    upload = imports.begin(workspace, name="x", by=None)
    imports.keep_list(upload, imports.as_bytes("email,tier,colour\n" + "".join(f"p{n}@x.com,1,2\n" for n in range(60))))
    upload.refresh_from_db()
    imports.complete(upload, by=None)
    imports.map_columns(upload, Mapping(["email", "tier", "colour"], ["email", "tier", "colour"]), [], by=None)
    carry_on(upload)
    imports.start(upload, by=None)

    with django_assert_max_num_queries(50):
        upload = carry_on(upload)

    assert "Attributes left out: colour." in upload.note
    assert set(
        map(str, workspace.recipients.exclude(email="ann@example.com").values_list("attributes", flat=True))
    ) == {"{'tier': '1'}"}


@pytest.mark.django_db
def test_who_stands_in_a_list_twice_is_found_however_few_addresses_are_compared_at_once(workspace, monkeypatch):
    monkeypatch.setattr(forecast, "SLICE", 2)

    upload = imports.begin(workspace, name="x", by=None)
    imports.keep_list(upload, imports.as_bytes(LIST + LIST + "+254712345678\n+254712345678\n"))
    upload.refresh_from_db()
    imports.complete(upload, by=None)
    imports.map_columns(upload, Mapping(), [], by=None)
    upload = carry_on(upload)

    assert upload.forecast["problems"] == {str(Problem.REPEATED.value): 10}
    assert (upload.forecast["created"], upload.forecast["unchanged"]) == (10, 10)
