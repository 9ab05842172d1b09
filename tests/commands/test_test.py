"""bin/test itself, in a clone with next to nothing to test."""

import os
import re
import signal
import subprocess
import time
from pathlib import Path

import pytest

from processes import spawn

from .clones import bare_environment, processes_of

SETTINGS = """
[tool.ruff]
include = ["*_formatted.py"]
[tool.mypy]
files = ["manage.py"]
"""
PASSES = "import os\n\n\ndef test_passes():\n    assert os.environ[{name!r}]\n"
MEETS = """import os
import time
from pathlib import Path


def test_meets():
    Path("{mine}").write_text(os.environ["DATABASE_URL"] + os.environ["REDIS_URL"])
    ends = time.monotonic() + 20
    while not Path("{theirs}").exists():
        assert time.monotonic() < ends
        time.sleep(0.05)
"""
SLEEPS = """import os
import subprocess
import sys
import time


def test_sleeps():
    wait = "import time; time.sleep(600)"
    subprocess.Popen([sys.executable, "-c", wait, os.getcwd()], start_new_session=True)
    open("begun", "w").close()
    time.sleep(600)
"""


@pytest.fixture
def bench(clone: Path) -> Path:
    """A clone whose house is a stand-in and whose tests are those that a test writes."""
    (clone / "pyproject.toml").write_text(SETTINGS)
    for group in ("browser", "dispatcher"):
        (clone / "tests" / group).mkdir(parents=True)
    return clone


def run_tests(clone: Path, *arguments: str, browser: str = "/bin/true") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(clone / "bin" / "test"), *arguments],
        env=bare_environment(CHROMIUM_PATH=browser),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
    )


def test_arguments_go_to_pytest_which_then_runs_alone(bench):
    for name in ("DATABASE_URL", "REDIS_URL", "SECRET_KEY", "CHROMIUM_PATH"):
        (bench / "tests" / f"test_{name.lower()}.py").write_text(PASSES.format(name=name))

    done = run_tests(bench, "tests", "-k", "passes")

    assert re.search(r"^4 passed", done.stdout.replace("=", "").replace(" 4", "4"), re.MULTILINE), done.stdout
    assert "--- lint" not in done.stdout
    assert done.returncode == 0
    assert processes_of(bench) == []


def test_every_step_runs_and_the_end_names_those_that_failed(bench):
    (bench / "tests" / "test_it.py").write_text("def test_fails():\n    raise OSError\n")
    (bench / "tests" / "dispatcher" / "test_it_as_well.py").write_text(PASSES.format(name="SECRET_KEY"))
    (bench / "tests" / "browser" / "test_it_too.py").write_text(PASSES.format(name="SECRET_KEY"))
    (bench / "badly_formatted.py").write_text("x=1\n")

    done = run_tests(bench)

    steps = re.findall(r"^--- (.*)$", done.stdout, re.MULTILINE)
    assert steps == ["format", "lint", "migrations", "deploy", "tests", "types", "engine tests", "browser tests"]
    assert done.stdout.splitlines()[-1] == "Failed: format, tests."
    assert done.returncode == 1


def test_the_groups_of_tests_run_side_by_side_on_services_of_their_own(bench):
    (bench / "tests" / "test_it.py").write_text(MEETS.format(mine="here", theirs="there"))
    (bench / "tests" / "dispatcher" / "test_it_as_well.py").write_text(MEETS.format(mine="there", theirs="elsewhere"))
    (bench / "tests" / "browser" / "test_it_too.py").write_text(MEETS.format(mine="elsewhere", theirs="here"))

    done = run_tests(bench)

    assert done.stdout.count("1 passed") == 3, done.stdout
    assert len({(bench / name).read_text() for name in ("here", "there", "elsewhere")}) == 3


def test_screenshots_are_made_by_the_test_that_makes_them(bench, tmp_path):
    (bench / "tests" / "browser" / "test_screenshots.py").write_text(PASSES.format(name="SCREENSHOTS"))

    done = run_tests(bench, "--screenshots", str(tmp_path))

    assert "1 passed" in done.stdout
    assert done.returncode == 0


@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_run_leaves_no_process_behind_not_even_those_of_a_test(bench, signum):
    (bench / "tests" / "test_it.py").write_text(SLEEPS)
    argv = [str(bench / "bin" / "test"), "tests/test_it.py"]
    run = spawn(argv, cwd=bench, env=bare_environment(CHROMIUM_PATH="/bin/true"))
    for _ in range(400):
        if (bench / "begun").exists():
            break
        time.sleep(0.05)

    os.kill(run.pid, signum)

    assert run.wait(20) == 130
    assert processes_of(bench) == []


def test_a_browser_that_does_not_start_is_named(bench):
    done = run_tests(bench, browser="/bin/false")

    assert done.stderr == "CHROMIUM_PATH names /bin/false, which does not start.\n"
    assert done.returncode == 1
