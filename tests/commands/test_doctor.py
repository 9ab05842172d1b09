"""What `manage.py doctor` says of real faults: ports that refuse or never answer, services that are set up badly."""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import psycopg
import pytest
import redis
from django.conf import settings
from django.db import connection
from django.db.backends.postgresql.base import DatabaseWrapper
from django.utils import timezone
from rq import Worker

import services
from accounts.models import User, Workspace
from campaigns.models import Campaign
from dispatcher import clock, doctor, health, workers
from dispatcher.doctor import configuration, database, machine
from dispatcher.doctor import redis as of_redis
from dispatcher.doctor.finding import Note, Problem
from dispatcher.models import Batch, ChosenSender, Erasure, Heartbeat, Pace
from people.channels import Channel
from tests.dispatcher.outcomes import launched
from tests.dispatcher.shift import database_url
from tests.make import make_campaign, make_member, make_workspace
from wires import queue

from .clones import open_directory

SECRET = "s3cr3t-and-nobodys-business"
PYTHON = Path(sys.executable)


def ask(**environment: str) -> tuple[int, str]:
    """The exit code of the command and all it says, which is never a secret and never a traceback."""
    env = {k: v for k, v in os.environ.items() if k != "DJANGO_ALLOW_ASYNC_UNSAFE"} | environment
    began = time.monotonic()
    done = subprocess.run(
        [sys.executable, "manage.py", "doctor"], cwd=settings.BASE_DIR, env=env, capture_output=True, text=True
    )
    assert time.monotonic() - began < 15
    said = done.stdout + done.stderr
    assert SECRET not in said
    assert "Traceback" not in said
    return done.returncode, said


@pytest.fixture(scope="module")
def postgres() -> Iterator[services.Postgres]:
    """A PostgreSQL of our own, which can be set up badly."""
    with open_directory() as home:
        service = services.postgres(PYTHON, [home], durable=False)
        with services.running(service, home / "log"):
            yield service


@pytest.fixture
def valkey() -> Iterator[services.Valkey]:
    with open_directory() as home:
        service = services.valkey(PYTHON, home, durable=False)
        with services.running(service, home / "log"):
            yield service


@pytest.fixture
def well(transactional_db) -> Iterator[None]:
    """A house in which all is well: somebody who can log in, a clock, and a worker on each queue."""
    queue._redis.cache_clear()
    make_member()
    Heartbeat.objects.create(name=clock.NAME)
    with ExitStack() as at_the_end:
        for name in settings.RQ_QUEUES:
            worker = Worker([queue._queue(name)], connection=queue._redis())
            worker.register_birth()
            at_the_end.callback(worker.register_death)
        yield


def said() -> list[str]:
    return [finding.sentence for finding in doctor.examine()]


# Well


def test_of_a_house_in_which_all_is_well_nothing_is_to_be_said(well):
    assert doctor.examine() == []

    code, words = ask(DATABASE_URL=database_url())

    assert code == 0
    assert words.startswith("All is well")


def test_notes_alone_are_no_reason_to_exit_with_an_error(well):
    User.objects.update(is_active=False)

    code, words = ask(DATABASE_URL=database_url())

    assert code == 0
    assert words.splitlines()[0] == "Note  Nobody can log in yet."
    assert words.splitlines()[-1].endswith("no problems, 1 note.")


# PostgreSQL


@pytest.mark.parametrize(
    ("port", "sentence"), [("closed", "nothing listens there"), ("silence", "does not answer within 2 seconds")]
)
def test_a_database_that_does_not_answer_is_named_and_hides_nothing_else(request, port, sentence):
    at = request.getfixturevalue(port)

    code, words = ask(DATABASE_URL=f"postgresql://ann:{SECRET}@127.0.0.1:{at}/campaign", SECRET_KEY="", DEV="0")

    assert code == 1
    assert f"PostgreSQL at 127.0.0.1 port {at} " in words
    assert sentence in words
    assert "Not looked at while the database is out of order: the state of the database" in words
    assert "SECRET_KEY" in words
    assert "No worker is running for dispatch" in words


def test_a_wrong_password_a_missing_user_and_a_missing_database_are_told_apart(postgres):
    rules = postgres.data / "pg_hba.conf"
    trusting = rules.read_text()
    with psycopg.connect(postgres.url, autocommit=True) as owner:
        owner.execute("CREATE ROLE ann LOGIN PASSWORD 'the right one'")
        rules.write_text("local all ann scram-sha-256\n" + trusting)
        owner.execute("SELECT pg_reload_conf()")
        time.sleep(0.2)

        _, wrong = ask(DATABASE_URL=postgres.url.replace("campaign@", f"ann:{SECRET}@"))
        _, nothing = ask(DATABASE_URL=postgres.url.replace("campaign@", "ann@"))
        _, nobody = ask(DATABASE_URL=postgres.url.replace("campaign@", f"bob:{SECRET}@"))
        _, missing = ask(DATABASE_URL=postgres.url.replace("/campaign?", "/elsewhere?"))

        rules.write_text(trusting)
        owner.execute("SELECT pg_reload_conf()")
    assert "refuses the password of ann" in wrong
    assert "wants a password for ann" in nothing
    assert "createuser bob" in nobody
    assert "createdb --encoding=UTF8 --template=template0 --owner=campaign elsewhere" in missing


def test_a_database_without_tables_wants_to_be_migrated(postgres):
    code, words = ask(DATABASE_URL=postgres.url)

    assert code == 1
    assert "The database is empty" in words
    assert "-> python manage.py migrate" in words
    assert "The clock cannot be looked at before the database is migrated" in words


def test_a_database_with_one_migration_too_few_or_too_many_is_noticed(well):
    rename = "UPDATE django_migrations SET name = %s WHERE name = %s AND app = 'people'"
    with connection.cursor() as cursor:
        cursor.execute("SELECT max(name) FROM django_migrations WHERE app = 'people'")
        newest = cursor.fetchone()[0]
        cursor.execute(rename, ["9999_from_tomorrow", newest])
    try:
        words = " ".join(said())
    finally:
        with connection.cursor() as cursor:
            cursor.execute(rename, [newest, "9999_from_tomorrow"])

    assert f"lacks what this code expects: people.{newest}" in words
    assert "newer than this code: it has people.9999_from_tomorrow" in words


def test_a_database_that_does_not_keep_utf8_is_refused(postgres):
    with psycopg.connect(postgres.url, autocommit=True) as owner:
        owner.execute("CREATE DATABASE latin ENCODING 'LATIN1' LOCALE 'C' LOCALE_PROVIDER libc TEMPLATE template0")

    code, words = ask(DATABASE_URL=postgres.url.replace("/campaign?", "/latin?"))

    assert code == 1
    assert "keeps text as LATIN1" in words


def test_a_database_that_can_only_be_read_is_noticed(postgres):
    _, words = ask(DATABASE_URL=f"{postgres.url}&options=-c%20default_transaction_read_only%3Don")

    assert "can only be read" in words


def test_an_old_postgresql_is_named_with_the_version_that_is_needed(well, monkeypatch):
    monkeypatch.setattr(DatabaseWrapper, "pg_version", 130012)

    words = " ".join(said())

    assert "PostgreSQL 14 or later is required" in words


def test_a_clock_that_differs_from_the_clock_of_the_database_is_noticed(well, monkeypatch):
    monkeypatch.setattr(database.timezone, "now", lambda: datetime.now(UTC) + timedelta(seconds=90))

    assert any("90 seconds behind the clock of this machine" in sentence for sentence in said())


def test_services_that_bin_dev_brings_along_are_started_by_it():
    url = "postgresql://campaign@/campaign?host=/tmp/campaign-dispatcher-0000"
    _, words = ask(DATABASE_URL=url, REDIS_URL="unix:///tmp/campaign-dispatcher-0001/valkey.sock?db=0")

    assert words.count("Start bin/dev, which brings it along") == 2


# Redis


@pytest.mark.parametrize(("port", "sentence"), [("closed", "cannot be reached"), ("silence", "it hangs")])
def test_a_redis_that_does_not_answer_is_named_and_hides_nothing_else(request, well, port, sentence):
    at = request.getfixturevalue(port)
    Heartbeat.objects.all().delete()

    code, words = ask(DATABASE_URL=database_url(), REDIS_URL=f"redis://:{SECRET}@127.0.0.1:{at}/0")

    assert code == 1
    assert f"Redis at 127.0.0.1 port {at}" in words
    assert sentence in words
    assert "Not looked at while Redis is out of order: the workers" in words
    assert "No clock is running" in words


def test_a_redis_that_throws_jobs_away_when_full_is_noticed(valkey):
    client = redis.Redis.from_url(valkey.url)
    client.config_set("maxmemory-policy", "allkeys-lru")

    assert "throws jobs away" not in ask(REDIS_URL=valkey.url)[1]
    client.config_set("maxmemory", 100_000_000)
    assert "throws jobs away (maxmemory-policy allkeys-lru)" in ask(REDIS_URL=valkey.url)[1]
    client.config_set("maxmemory-policy", "noeviction")
    assert "throws jobs away" not in ask(REDIS_URL=valkey.url)[1]


def test_a_wrong_password_for_redis_is_noticed(valkey):
    redis.Redis.from_url(valkey.url).config_set("requirepass", "the right one")

    _, none = ask(REDIS_URL=valkey.url)
    _, wrong = ask(REDIS_URL=valkey.url.replace("unix://", f"unix://:{SECRET}@"))

    for words in (none, wrong):
        assert "refuses the password" in words


@pytest.mark.parametrize(
    ("url", "kind"),
    [
        ("redis://127.0.0.1:6379/0", None),
        ("redis://10.1.2.3:6379/0", Note),
        ("redis://93.184.216.34:6379/0", Problem),
        (f"redis://:{SECRET}@93.184.216.34:6379/0", None),
        ("unix:///run/valkey.sock", None),
    ],
)
def test_a_redis_that_others_can_reach_wants_a_password(settings, url, kind):
    settings.REDIS_URL = url

    assert [type(finding) for finding in of_redis.is_private()] == ([kind] if kind else [])


def test_an_address_that_is_no_address_of_a_redis_is_named_without_being_shown():
    _, words = ask(REDIS_URL=f"amqp://:{SECRET}@host")

    assert "REDIS_URL is no address of a Redis" in words


def test_an_old_redis_is_noticed():
    assert [type(f) for f in of_redis.is_fit({"redis_version": "6.2.14"})] == [Note]
    assert list(of_redis.is_fit({"redis_version": "7.2.4", "valkey_version": "9.1.2"})) == []


# Who works


def test_a_clock_that_stopped_is_told_with_when_it_was_heard_of_last(well):
    Heartbeat.objects.update(at=timezone.now() - timedelta(minutes=3))

    assert any("No clock is running: it was last heard of 3 min" in sentence for sentence in said())


def test_each_queue_without_a_worker_is_named_with_what_waits_in_it(well, settings):
    for worker in Worker.all(queue=queue._queue("dispatch")):
        worker.register_death()
    jobs = queue._queue("dispatch")
    jobs.empty()
    jobs.enqueue(queue.DISPATCH)

    words = said()

    jobs.empty()
    assert words == ["No worker is running for dispatch: nothing is sent, and 1 job waits."]


def test_a_worker_that_fails_at_every_job_is_no_worker(well):
    worker = Worker.all(queue=queue._queue("dispatch"))[0]
    for _ in range(queue.BROKEN_AFTER):
        worker.increment_failed_job_count()

    assert said() == ["The worker for dispatch failed at every job, 3 so far: nothing is sent."]
    workers._asked = (float("-inf"), None)
    assert (workers.sending(), workers.doing_chores()) == (0, 1)
    assert health.workers_alive() == {"dispatch": 0, "chores": 1}
    worker.increment_successful_job_count()
    assert said() == []


def test_batches_that_nobody_takes_are_counted(well):
    campaign = launched(make_campaign(people=3))
    Batch.objects.filter(campaign=campaign).update(due_at=timezone.now() - timedelta(minutes=5), owner="")

    assert said() == ["1 batch waits for a worker, the first for 5 min 0 s."]

    Campaign.objects.filter(pk=campaign.pk).update(status=Campaign.Status.PAUSED)
    assert said() == []


def test_files_that_still_tell_of_somebody_who_was_erased_are_noticed(well):
    long_ago = timezone.now() - timedelta(hours=2)
    Erasure.objects.create(workspace=make_workspace(), person=7, at=long_ago, trouble="x.zip was altered")

    assert said() == ["Files of messages still tell of person 7, erased over an hour ago: x.zip was altered."]

    Erasure.objects.update(done_at=timezone.now())
    assert said() == []


def test_an_audit_log_somebody_wrote_into_is_noticed(well):
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE accounts_auditentry DISABLE TRIGGER USER")
        cursor.execute(
            "INSERT INTO accounts_auditentry (verb, kind, about, actor_kind, actor, address, request_id, changes)"
            " VALUES ('pause', 'campaign', 'x', 0, '', '', '', '{}')"
        )
        cursor.execute("ALTER TABLE accounts_auditentry ENABLE TRIGGER USER")

    assert any(sentence.startswith("Somebody wrote into the audit log by hand") for sentence in said())


# Settings


@pytest.mark.parametrize(
    ("name", "value"), [("BATCH_SIZE", "many"), ("SENDERS", "email"), ("DATABASE_URL", SECRET), ("DEV", "perhaps")]
)
def test_a_setting_that_cannot_be_read_is_named_in_one_sentence(name, value):
    code, words = ask(**{name: value})

    assert code == 1
    assert words.startswith("This cannot start as it is configured")
    assert name in words
    assert words.count("\n") == 1


def test_what_the_system_checks_find_is_said_in_the_same_way():
    code, words = ask(SENDERS="email=pigeon", LEASE_SECONDS="1")

    assert code == 1
    assert "Problem  SENDERS names ['pigeon']" in words
    assert "Problem  LEASE_SECONDS must be 3 or more" in words


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"DEBUG": True}, "DEBUG is on"),
        ({"SECRET_KEY": "short"}, "SECRET_KEY is short or easily guessed"),
        ({"SECRET_KEY": f"change-me-{'abcdefghij' * 6}"}, "SECRET_KEY is short or easily guessed"),
        ({"ALLOWED_HOSTS": ["*"]}, "ALLOWED_HOSTS is *"),
        (
            {"ALLOWED_HOSTS": ["localhost", "127.0.0.1"], "CSRF_TRUSTED_ORIGINS": [], "PUBLIC_URL": ""},
            "Only this machine can open the pages",
        ),
        ({"CSRF_TRUSTED_ORIGINS": ["http://campaigns.example.com"]}, "but pages are served by https"),
        ({"CSRF_TRUSTED_ORIGINS": ["https://other.example.org"]}, "ALLOWED_HOSTS does not have other.example.org"),
        ({"PUBLIC_URL": "https://mail.example.org"}, "Links to unsubscribe lead to mail.example.org"),
        ({"SECURE_HTTPS": False}, "SECURE_HTTPS is off"),
        ({"TRUSTED_PROXY": False}, "redirects to https without end"),
        ({"SECURE_REFERRER_POLICY": None}, "You have not set the SECURE_REFERRER_POLICY"),
        ({"ALLOWED_HOSTS": [".example.com"]}, None),
        ({}, None),
    ],
    ids=str,
)
def test_settings_that_do_not_fit_each_other_are_named(settings, changes, sentence):
    as_it_should_be = {
        "DEV": False,
        "DEBUG": False,
        "SECRET_KEY": "kq8VZ1nJw0rT5xYb2LmC7dHs4PfGu9AeQo3iRtWyXzNvBk6EjMhUaSl",
        "ALLOWED_HOSTS": ["campaigns.example.com"],
        "CSRF_TRUSTED_ORIGINS": ["https://campaigns.example.com"],
        "PUBLIC_URL": "https://campaigns.example.com",
        "SECURE_HTTPS": True,
        "TRUSTED_PROXY": True,
    }
    for name, value in (as_it_should_be | changes).items():
        setattr(settings, name, value)

    findings = [*configuration.is_safe(), *configuration.can_be_reached()]

    assert [sentence in finding.sentence for finding in findings] == ([True] if sentence else [])


# Senders and mail


@pytest.mark.parametrize(
    ("choice", "sentence"),
    [
        ({"sender": "pigeon"}, "“pigeon” does not exist here"),
        ({"sender": "smtp", "options": {"host": "mail.example.com", "port": 99999}}, "port: "),
        (
            {"sender": "smtp", "options": {"host": "mail.example.com", "user": "ann", "password": "sealed otherwise"}},
            "because SECRET_KEY was changed",
        ),
        ({"sender": "smtp", "options": {"host": "mail.example.com", "port": 587, "security": "starttls"}}, None),
        ({"sender": "simulated"}, None),
    ],
    ids=str,
)
def test_a_workspace_whose_sender_cannot_be_used_is_named(well, choice, sentence):
    workspace = Workspace.objects.get()
    ChosenSender.objects.create(workspace=workspace, channel=Channel.EMAIL, **choice)

    words = said()

    assert [one.startswith(f"{workspace} cannot send by email: ") for one in words] == ([True] if sentence else [])
    assert all(sentence in one for one in words if sentence)


def test_a_provider_that_cannot_be_reached_is_told_in_its_own_words(well):
    workspace = Workspace.objects.get()
    Pace.objects.create(workspace=workspace, channel=Channel.EMAIL, sender="smtp", trouble="535 wrong password")

    assert said() == [f"{workspace} cannot reach its provider: 535 wrong password"]


def test_mail_to_our_own_users_that_cannot_go_out_is_noticed(settings, closed):
    settings.CAN_MAIL = False
    (note,) = configuration.mail_goes_out()

    settings.CAN_MAIL, settings.EMAIL_BACKEND = True, "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", closed
    (problem,) = configuration.mail_goes_out()

    assert isinstance(note, Note) and "links passed on by hand" in note.sentence
    assert isinstance(problem, Problem) and f"127.0.0.1 port {closed} cannot be reached" in problem.sentence


# The machine


def test_a_disk_that_is_nearly_full_is_noticed_and_one_that_is_full_is_a_problem(monkeypatch):
    def left(size: int) -> list:
        monkeypatch.setattr(shutil, "disk_usage", lambda path: SimpleNamespace(free=size))
        return [type(finding) for finding in machine.has_room()]

    assert set(left(100 * 2**20)) == {Problem}
    assert set(left(2**30)) == {Note}
    assert left(100 * 2**30) == []


def test_too_few_open_files_are_noticed():
    command = f"ulimit -n 256; exec {sys.executable} manage.py doctor"
    done = subprocess.run(["/bin/sh", "-c", command], cwd=settings.BASE_DIR, capture_output=True, text=True)

    assert "A process may open 256 files" in done.stdout


def test_pages_without_their_stylesheet_are_noticed(settings):
    settings.STATICFILES_DIRS = []

    (finding,) = machine.has_static_files()

    assert "app.css" in finding.sentence


def test_an_examination_that_breaks_or_hangs_is_a_finding_like_any_other(monkeypatch):
    def breaks():
        raise RuntimeError("oh")
        yield

    hangs = doctor.Examination("what hangs", lambda: time.sleep(10) or [])
    monkeypatch.setattr(doctor, "PATIENCE", 0.2)
    looks = [doctor.Examination(name, lambda: []) for name in (doctor.DATABASE, doctor.REDIS)]
    monkeypatch.setattr(doctor, "EXAMINATIONS", (*looks, doctor.Examination("what breaks", breaks), hangs))

    assert said() == ["What breaks cannot be looked at: RuntimeError: oh", "What hangs: no answer within 0.2 seconds."]
