"""The embedded services themselves."""

import subprocess
import sys
from pathlib import Path

import psycopg
import pytest
import redis

import services
from processes import Trouble, end, spawn

from .clones import open_directory, processes_of

PYTHON = Path(sys.executable)


@pytest.fixture
def home():
    with open_directory() as directory:
        yield directory


def run_once(service, home: Path) -> None:
    with services.running(service, home / "log"):
        return


def test_temporary_services_answer_only_on_private_sockets_and_vanish(monkeypatch):
    monkeypatch.delenv("DATABASE_URL", raising=False)
    monkeypatch.delenv("REDIS_URL", raising=False)

    with services.temporary(PYTHON) as urls:
        with psycopg.connect(urls["DATABASE_URL"]) as database:
            assert database.execute("SHOW listen_addresses").fetchone() == ("",)
            home = Path(database.execute("SHOW data_directory").fetchone()[0]).parents[1]
        assert redis.Redis.from_url(urls["REDIS_URL"]).config_get("port") == {"port": "0"}
        assert (home / "postgres").stat().st_mode & 0o777 == 0o700
        assert (home / "valkey").stat().st_mode & 0o777 == 0o700

    assert not home.exists()
    assert processes_of(home) == []


def test_temporary_services_leave_alone_what_the_environment_names(monkeypatch):
    monkeypatch.setenv("DATABASE_URL", "postgresql://elsewhere/")
    monkeypatch.setenv("REDIS_URL", "redis://elsewhere/")

    with services.temporary(PYTHON) as urls:
        assert urls == {}


def test_the_database_folds_all_of_unicode_whatever_the_locale_of_the_machine(home):
    postgres = services.postgres(PYTHON, [home], durable=False)

    with services.running(postgres, home / "log"), psycopg.connect(postgres.url) as database:
        assert database.execute("SELECT lower('ÉÀŞΩЖ')").fetchone() == ("éàşωж",)


def test_a_first_start_that_was_interrupted_is_begun_again(home):
    postgres = services.postgres(PYTHON, [home], durable=False)
    (home / "postgres" / "data.new").mkdir(parents=True)
    (home / "postgres" / "data.new" / "half").touch()

    run_once(postgres, home)

    assert postgres.data.exists()
    assert not (home / "postgres" / "data.new").exists()


def test_a_pid_file_whose_number_now_belongs_to_another_program_is_no_obstacle(home):
    postgres = services.postgres(PYTHON, [home], durable=False)
    run_once(postgres, home)
    stranger = spawn(["sleep", "60"], account=postgres.account)
    (postgres.data / "postmaster.pid").write_text(f"{stranger.pid}\n{postgres.data}\n1\n5432\n\n\n1 1\nready\n")

    try:
        run_once(postgres, home)
        assert stranger.poll() is None
    finally:
        end(stranger)


def test_a_server_that_lost_its_command_is_stopped_before_a_new_one_starts(home):
    postgres = services.postgres(PYTHON, [home], durable=False)
    valkey = services.valkey(PYTHON, home, durable=False)

    with (
        services.running(postgres, home / "log") as old_database,
        services.running(valkey, home / "log2") as old_store,
    ):
        run_once(services.Postgres(postgres.binaries, home, postgres.account, durable=False), home)
        run_once(services.Valkey(valkey.binary, home, durable=False), home)

        assert Path(f"/proc/{old_database}/stat").read_text().split()[2] == "Z"
        assert Path(f"/proc/{old_store}/stat").read_text().split()[2] == "Z"


def test_data_of_another_version_is_refused_in_one_sentence(home):
    postgres = services.postgres(PYTHON, [home], durable=False)
    run_once(postgres, home)
    (postgres.data / "PG_VERSION").write_text("9\n")

    with pytest.raises(Trouble, match="was written by PostgreSQL 9, but here is"):
        run_once(postgres, home)


def test_a_socket_directory_somebody_else_has_put_there_is_refused(home):
    long = home / ("long" * 30)
    valkey = services.valkey(PYTHON, long, durable=False)
    valkey.socket.parent.symlink_to(home)

    try:
        with pytest.raises(Trouble, match="belongs to somebody else"):
            run_once(valkey, home)
    finally:
        valkey.socket.parent.unlink()


def test_without_embedded_ones_those_installed_are_used(home, monkeypatch):
    embedded = services.postgres(PYTHON, [home])
    store = services.valkey(PYTHON, home)
    (home / "bin").mkdir()
    for program in (embedded.binaries / "initdb", embedded.binaries / "postgres", store.binary):
        (home / "bin" / program.name).symlink_to(program)
    monkeypatch.setenv("PATH", str(home / "bin"))
    elsewhere = home / "no-venv" / "bin" / "python"

    assert services.postgres(elsewhere, [home]).binaries == embedded.binaries.resolve()
    assert services.valkey(elsewhere, home).binary == store.binary.resolve()


def test_without_any_a_sentence_names_the_variable_to_set(home, monkeypatch):
    monkeypatch.setenv("PATH", "")
    elsewhere = home / "no-venv" / "bin" / "python"

    with pytest.raises(Trouble, match="REDIS_URL"):
        services.valkey(elsewhere, home)


def test_the_embedded_binaries_are_the_pinned_ones():
    said = subprocess.run([str(services.valkey(PYTHON, Path("/")).binary), "--version"], capture_output=True, text=True)

    assert "9.1.2" in said.stdout
