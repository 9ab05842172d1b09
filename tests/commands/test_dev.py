"""bin/dev, with real PostgreSQL and Valkey and a stand-in for the rest of the house."""

import http.client
import os
import re
import signal
import socket
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import psycopg
import redis

from .clones import bare_environment, dev_refuses, free_port, make_clone, open_directory, running_dev


def health(port: int) -> int:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    connection.request("GET", "/health")
    return connection.getresponse().status


def remember(dev, word: str) -> None:
    with psycopg.connect(dev.setting("DATABASE_URL"), autocommit=True) as database:
        database.execute("CREATE TABLE memory AS SELECT %s::text AS word", [word])
    redis.Redis.from_url(dev.setting("REDIS_URL")).set("word", word)


def memory(dev) -> tuple[str, str]:
    with psycopg.connect(dev.setting("DATABASE_URL")) as database:
        row = database.execute("SELECT word FROM memory").fetchone()
    return row[0], redis.Redis.from_url(dev.setting("REDIS_URL")).get("word").decode()


def eventually(look: Callable[[], object], within: float = 10) -> object:
    """What `look` returns as soon as it does not fail."""
    deadline = time.monotonic() + within
    while True:
        try:
            return look()
        except (OSError, psycopg.OperationalError, redis.ConnectionError):
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)


def test_it_prints_address_login_and_key_once_everything_answers(clone):
    with running_dev(clone) as dev:
        dev.hears(rf"^Address   http://127.0.0.1:{dev.port}$\n^Login     ann@example.com / secret$\n^API key   key$")

        assert health(dev.port) == 200
        assert (clone / ".local/env").stat().st_mode & 0o777 == 0o600
        assert (clone / ".local/demo").stat().st_mode & 0o777 == 0o600
        assert len(dev.setting("SECRET_KEY")) > 50
        assert dev.setting("DEV") == "1"


def test_ctrl_c_stops_workers_clock_web_valkey_postgres_in_that_order_and_leaves_nothing(clone):
    with running_dev(clone) as dev:
        code = dev.is_up().ends(signal.SIGINT)

        order = re.findall(r"^(\S+) +\| ended with 0$", dev.said, re.MULTILINE)
        assert set(order[:3]) == {"dispatch-1", "dispatch-2", "chores"}
        assert order[3:] == ["clock", "web", "valkey", "postgres"]
        assert code == 0
        assert dev.leftovers() == []


def test_a_signal_that_comes_twice_at_once_still_stops_everything_gently(clone):
    with running_dev(clone) as dev:
        dev.is_up().process.send_signal(signal.SIGTERM)
        time.sleep(0.05)

        assert dev.ends(signal.SIGTERM) == 0
        assert "SIGKILL" not in dev.said


def test_the_second_start_keeps_data_login_and_secret_key(clone):
    with running_dev(clone) as first:
        remember(first.is_up(), "kept")
        secret = first.setting("SECRET_KEY")
        first.ends(signal.SIGTERM)

    with running_dev(clone) as second:
        second.hears(r"^Login     ann@example.com / secret$")

        assert memory(second) == ("kept", "kept")
        assert second.setting("SECRET_KEY") == secret


def test_a_second_one_is_refused_while_one_runs(clone):
    with running_dev(clone) as dev:
        dev.is_up()

        sentence = dev_refuses(clone)

        assert f"already runs from here, at http://127.0.0.1:{dev.port}" in sentence
        assert health(dev.port) == 200


def test_what_dies_is_started_again(clone):
    with running_dev(clone) as dev:
        web = dev.pid_of("web")
        remember(dev.is_up(), "kept")
        postgres = int((clone / ".local/postgres/data/postmaster.pid").read_text().split()[0])
        valkey = redis.Redis.from_url(dev.setting("REDIS_URL")).info()["process_id"]

        for name, pid in {"web": web, "valkey": valkey, "postgres": postgres}.items():
            os.kill(pid, signal.SIGKILL)
            dev.hears(rf"^{name} +\| ended by SIGKILL; starting again in 0.5 s$")
            dev.hears(rf"^{name} +\| (begins \d+|started again)$")

        assert eventually(lambda: memory(dev)) == ("kept", "kept")
        assert eventually(lambda: health(dev.port)) == 200


def test_what_dies_again_and_again_is_started_again_ever_more_slowly(clone):
    with running_dev(clone, BROKEN="clock") as dev:
        dev.hears(r"^clock +\| ended with 1; starting again in 0.5 s$")
        dev.hears(r"^clock +\| ended with 1; starting again in 1 s$")
        dev.hears(r"^clock +\| ended with 1; starting again in 2 s$")


def test_a_start_after_kill_9_keeps_the_data(clone):
    with running_dev(clone) as killed:
        remember(killed.is_up(), "kept")
        killed.ends(signal.SIGKILL)

    with running_dev(clone) as next_one:
        next_one.is_up()

        assert memory(next_one) == ("kept", "kept")
        assert killed.process.returncode == -signal.SIGKILL
        next_one.ends()
        assert next_one.leftovers() == []


def test_after_kill_9_nothing_is_left_running(clone):
    with running_dev(clone) as dev:
        dev.is_up().ends(signal.SIGKILL)

        assert dev.leftovers(within=10) == []


def test_when_nobody_reads_its_output_any_more_everything_stops(clone):
    with running_dev(clone) as dev:
        dev.is_up()

        dev.process.stdout.close()

        assert dev.process.wait(20) == 0
        assert dev.leftovers() == []


def test_urls_in_the_environment_win_each_by_itself(clone):
    with running_dev(clone, REDIS_URL="unix:///elsewhere") as dev:
        dev.is_up()

        assert dev.setting("REDIS_URL") == "unix:///elsewhere"
        assert not (clone / ".local/valkey").exists()
        assert dev.setting("DATABASE_URL").startswith("postgresql://campaign@/campaign?host=")


def test_it_runs_below_a_long_path_that_is_closed_to_others():
    with open_directory() as directory:
        (directory / "closed").mkdir(mode=0o700)
        clone = make_clone(directory / "closed" / ("a long name " * 9))
        with running_dev(clone) as dev:
            remember(dev.is_up(), "kept")

            assert memory(dev) == ("kept", "kept")
            assert (directory / "closed").stat().st_mode & 0o777 == 0o700
            short = redis.Redis.from_url(dev.setting("REDIS_URL")).connection_pool.connection_kwargs["path"]
            dev.ends()
            assert dev.leftovers() == []
            assert not Path(short).parent.exists()


def test_a_port_in_use_is_named_with_another_to_take(clone):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]

        assert f"Port {port} " in dev_refuses(clone, "--port", str(port))


def test_a_directory_that_cannot_be_written_is_named(clone):
    (clone / ".local").write_text("in the way")

    assert str(clone / ".local") in dev_refuses(clone)


def test_a_python_without_venv_module_is_told_what_to_install(clone, tmp_path):
    (clone / ".venv" / "bin").unlink()
    (tmp_path / "ensurepip.py").write_text("raise ImportError")

    assert "apt install python3" in dev_refuses(clone, "--port", str(free_port()), PYTHONPATH=str(tmp_path))


def test_dependencies_that_cannot_be_installed_are_named(clone):
    for name in ("requirements.txt", "requirements-embedded.txt"):
        (clone / name).write_text("there-is-no-such-thing-as-this\n")

    sentence = dev_refuses(clone, "--port", str(free_port()), PIP_NO_INDEX="1")

    assert "is this machine offline?" in sentence
    assert "there-is-no-such-thing-as-this" in sentence


def test_a_machine_with_too_old_a_python_is_told_which_it_needs(clone, tmp_path):
    (tmp_path / "python3").write_text("#!/bin/sh\nexit 1\n")
    (tmp_path / "python3").chmod(0o755)
    for name in ("sh", "dirname"):
        (tmp_path / name).symlink_to(f"/bin/{name}" if Path(f"/bin/{name}").exists() else f"/usr/bin/{name}")

    assert "needs Python 3.11" in dev_refuses(clone, PATH=str(tmp_path))


def test_a_failing_step_ends_it_with_its_last_words_and_leaves_nothing(clone):
    done = subprocess.run(
        [str(clone / "bin/dev"), "--port", str(free_port())],
        env=bare_environment(BROKEN="demo"),
        capture_output=True,
        text=True,
    )

    assert done.returncode == 1
    assert done.stderr == "demo failed: It is broken.\n"
    assert re.search(r"^postgres +\| ended with 0$", done.stdout, re.MULTILINE)
