"""Check and test everything, with services and a browser of its own; skip nothing, leave nothing behind."""

import argparse
import os
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import IO

import services
from environment import TESTING, ready, say
from processes import Trouble, adopt_orphans, children, end_orphans, kill_group, last_words, run, spawn

ROOT = Path(__file__).resolve().parents[2]
BROWSER_TESTS = "tests/browser"
# The groups run side by side and take about as long as each other.
ENGINE_TESTS = ("tests/dispatcher", "tests/chaos", "tests/bench")
# Ubuntu's chromium-browser is a stub that only points to a snap: every find has to tell its version.
BROWSERS = ("chromium", "google-chrome-stable", "google-chrome", "microsoft-edge", "chromium-browser")
MAC_BROWSERS = ("Google Chrome", "Chromium", "Microsoft Edge")


class Interrupted(Exception):
    """A signal asked for the end."""


def main() -> int:
    options, pytest_arguments = arguments()
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        python = ready(ROOT, TESTING)
        chromium = browser(python)
        everything = not (options.screenshots or pytest_arguments)
        with services.temporary(python) as urls, ExitStack() as more:
            env = {**environment(), **urls, "CHROMIUM_PATH": chromium}
            # Services somebody else gave us are one set, so there the groups of tests run one after the other.
            apart = everything and {"DATABASE_URL", "REDIS_URL"} <= urls.keys()
            others = [more.enter_context(services.temporary(python)) for _ in range(2)] if apart else []
            return test(python, env, options, pytest_arguments, others)
    except (Interrupted, KeyboardInterrupt):
        print("Interrupted.", file=sys.stderr)
        return 130
    except Trouble as trouble:
        print(trouble, file=sys.stderr)
    except OSError as error:
        print(f"Cannot use {error.filename or ROOT}: {error.strerror}.", file=sys.stderr)
    return 1


def arguments() -> tuple[argparse.Namespace, list[str]]:
    parser = argparse.ArgumentParser(
        prog="bin/test",
        description=__doc__,
        epilog="Everything else goes to pytest, and then only pytest runs.",
        allow_abbrev=False,
    )
    parser.add_argument("--screenshots", metavar="DIR", help="make a picture of every page there instead")
    return parser.parse_known_args()


FOR_OTHERS = {"DEV": "0", "PUBLIC_URL": "https://campaigns.example.com"}  # as it stands where everybody can reach it


# Tests and benchmarks ask more than anybody; those of a limit set it.
LIMITS = ("API_REQUESTS_PER_MINUTE", "API_REQUESTS_AT_ONCE", "API_WRONG_KEYS_PER_MINUTE", "API_SENDS_PER_MINUTE")


def environment() -> dict[str, str]:
    """Ours, with every setting the tests rely on: .local/env of a running bin/dev would fill any gap."""
    return {
        **services.inherited(),
        "SECRET_KEY": secrets.token_urlsafe(50),
        "ALLOWED_HOSTS": "localhost,127.0.0.1,[::1]",
        "DEV": "1",
        **dict.fromkeys(LIMITS, "0"),
    }


def test(
    python: Path,
    env: dict[str, str],
    options: argparse.Namespace,
    pytest_arguments: list[str],
    others: Sequence[dict[str, str]],
) -> int:
    """Run what was asked for; `others` are the addresses of services for each group of tests after the first."""
    pytest = [str(python), "-m", "pytest"]
    steps = Steps(env)
    if options.screenshots:
        env["SCREENSHOTS"] = str(Path(options.screenshots).resolve())
        steps.run("screenshots", [*pytest, f"{BROWSER_TESTS}/test_screenshots.py", *pytest_arguments])
    elif pytest_arguments:
        steps.run("pytest", [*pytest, *pytest_arguments])
    else:
        manage = [str(python), "manage.py"]
        steps.run("format", [str(python), "-m", "ruff", "format", "--check", "."])
        steps.run("lint", [str(python), "-m", "ruff", "check", "."])
        steps.run("migrations", [*manage, "makemigrations", "--check", "--dry-run"])
        steps.run("deploy", [*manage, "check", "--deploy", "--fail-level", "WARNING"], **FOR_OTHERS)
        # Processes of their own: playwright's synchronous interface keeps an event loop in the test thread.
        # They often wait, so where each group has its own services they run side by side, and types beside them.
        groups = {
            "tests": ["tests", *(f"--ignore={each}" for each in (BROWSER_TESTS, *ENGINE_TESTS))],
            "engine tests": [each for each in ENGINE_TESTS if (ROOT / each).is_dir()],
            "browser tests": [BROWSER_TESTS],
        }
        envs = [{}, *others] if others else [{}] * len(groups)
        tests = [
            (name, [*pytest, "--durations=25", "--durations-min=3", *paths], own)
            for (name, paths), own in zip(groups.items(), envs, strict=True)
        ]
        types: Step = ("types", [str(python), "-m", "mypy"], {})
        if others:
            steps.run_together(tests[0], types, *tests[1:])
        else:
            for one in (types, *tests):
                steps.run_together(one)
    return steps.report()


Step = tuple[str, list[str], dict[str, str]]  # its name, the command, and what its environment has of its own


class Steps:
    """Runs one command after another, all of them, and remembers which failed."""

    def __init__(self, env: dict[str, str]) -> None:
        self.env = env
        self.failed: list[str] = []
        self.running: list[subprocess.Popen] = []
        self.interrupted_at: float | None = None
        # On a terminal a step shares our session, so that Ctrl-C and a debugger's prompt reach it.
        self.on_terminal = sys.stdin is not None and sys.stdin.isatty()
        adopt_orphans()
        self.keep = children()
        for signum in (signal.SIGINT, signal.SIGTERM):
            signal.signal(signum, self._interrupt)

    def _interrupt(self, signum: int, frame: object) -> None:
        first = self.interrupted_at is None
        self.interrupted_at = self.interrupted_at or time.monotonic()
        for child in self.running:
            if first and (signum == signal.SIGTERM or not self.on_terminal):
                child.send_signal(signal.SIGINT)  # pytest tears down on this one only
            elif time.monotonic() > self.interrupted_at + 1:  # `timeout` sends each of its signals twice
                child.kill()

    def run(self, name: str, argv: list[str], **env: str) -> None:
        self.run_together((name, argv, env))

    def run_together(self, first: Step, *others: Step) -> None:
        """Run commands at the same time: the first speaks at once, what the others said follows after it."""
        if self.interrupted_at:
            raise Interrupted
        say(f"\n--- {first[0]}")
        with ExitStack() as files:
            logs = [files.enter_context(tempfile.TemporaryFile()) for _ in others]
            steps = [(first, None), *zip(others, logs, strict=True)]
            for step, log in steps:
                self.running.append(self._start(step, log))
            for child, (step, log) in zip(self.running, steps, strict=True):
                code = child.wait()
                if log:
                    say(f"\n--- {step[0]}")
                    log.seek(0)
                    say(log.read().decode(errors="replace").rstrip())
                if code:
                    self.failed.append(step[0])
        if not self.on_terminal:
            for child in self.running:
                kill_group(child)
        end_orphans(but=self.keep)
        self.running = []
        if self.interrupted_at:
            raise Interrupted

    def _start(self, step: Step, log: IO[bytes] | None) -> subprocess.Popen:
        _, argv, env = step
        return spawn(
            argv,
            cwd=ROOT,
            env={**self.env, **env},
            stdin=None if self.on_terminal and not log else subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT if log else None,
            own_session=not self.on_terminal,
        )

    def report(self) -> int:
        say(f"\nFailed: {', '.join(self.failed)}." if self.failed else "\nAll passed.")
        return 1 if self.failed else 0


# The browser


def browser(python: Path) -> str:
    """The path of a Chromium that starts, installed first if need be; Trouble when none is to be had."""
    named = os.environ.get("CHROMIUM_PATH")
    if named:
        if not starts(named):
            raise Trouble(f"CHROMIUM_PATH names {named}, which does not start.")
        return named
    for find in (installed_browser, playwright_browser, browser_from_apt, browser_from_playwright):
        path = find(python)
        if path and starts(path):
            return path
    raise Trouble(
        "The browser tests need a Chromium, and none could be found or installed: install one, "
        "or name one in CHROMIUM_PATH."
    )


def starts(path: str) -> bool:
    try:
        return run([path, "--version"], within=30).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False


def installed_browser(python: Path) -> str | None:
    found = [shutil.which(name) for name in BROWSERS]
    found += [f"/Applications/{name}.app/Contents/MacOS/{name}" for name in MAC_BROWSERS]
    return next((path for path in found if path and starts(path)), None)


def playwright_browser(python: Path) -> str | None:
    ask = "from playwright.sync_api import sync_playwright as start"
    ask += "\nwith start() as p: print(p.chromium.executable_path)"
    return last_words(run([str(python), "-c", ask]).stdout)


def browser_from_apt(python: Path) -> str | None:
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        return None
    say("Installing Chromium for the browser tests ...")
    quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    run(["apt-get", "update"], env=quiet)
    run(["apt-get", "install", "-y", "--no-install-recommends", "chromium"], env=quiet)
    return installed_browser(python)


def browser_from_playwright(python: Path) -> str | None:
    say("Downloading Chromium for the browser tests ...")
    try:
        run([str(python), "-m", "playwright", "install", "chromium"], within=180)
    except subprocess.TimeoutExpired:
        return None
    return playwright_browser(python)


if __name__ == "__main__":
    sys.exit(main())
