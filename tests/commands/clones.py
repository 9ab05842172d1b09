"""Clones for tests of the commands: the real bin/, a stand-in for manage.py, this test's venv."""

import os
import pwd
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from environment import TESTING
from places import home_elsewhere
from processes import spawn

ROOT = Path(__file__).resolve().parents[2]
VENV = Path(sys.prefix)


@contextmanager
def open_directory() -> Iterator[Path]:
    """A temporary directory everybody may pass through, unlike pytest's own."""
    directory = Path(tempfile.mkdtemp(prefix="campaign-clone-", dir="/tmp")).resolve()
    directory.chmod(0o755)
    try:
        yield directory
    finally:
        shutil.rmtree(directory, ignore_errors=True)


def make_clone(root: Path) -> Path:
    root.mkdir(parents=True, exist_ok=True)
    shutil.copytree(ROOT / "bin", root / "bin", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(Path(__file__).with_name("stand_in.py"), root / "manage.py")
    for name in TESTING:
        shutil.copy(ROOT / name, root / name)
    borrow_venv(root)
    return root


def borrow_venv(root: Path) -> None:
    """A virtual environment that is this test's own, and believed to be up to date."""
    installed = root / ".venv" / "installed"
    installed.mkdir(parents=True)
    for name in ("bin", "lib", "pyvenv.cfg"):
        (root / ".venv" / name).symlink_to(VENV / name)
    for name in TESTING:
        shutil.copy(root / name, installed / name)


def bare_environment(**more: str) -> dict[str, str]:
    """What `env -i` leaves, so that nothing of the test run's own settings is seen."""
    return {"PATH": os.environ["PATH"], **more}


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def processes_of(*paths: Path) -> list[str]:
    """The command lines of the processes that name one of the paths."""
    found = []
    for file in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):
            line = file.read_bytes().replace(b"\0", b" ").decode(errors="replace")
            found += [line] if any(str(path) in line for path in paths) else []
    return found


class Dev:
    """A bin/dev that runs in a clone."""

    def __init__(self, root: Path, account: pwd.struct_passwd | None = None, **env: str) -> None:
        self.root, self.port = root, free_port()
        self.process = spawn(
            [str(root / "bin" / "dev"), "--port", str(self.port)],
            account=account,
            env=bare_environment(**env),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        self.said = ""

    def hears(self, pattern: str, within: float = 20) -> re.Match[str]:
        """Wait until its output, from the last match on, matches the pattern."""
        deadline = time.monotonic() + within
        os.set_blocking(self.process.stdout.fileno(), False)
        while not (found := re.search(pattern, self.said, re.MULTILINE)):
            assert time.monotonic() < deadline, f"{pattern!r} not heard in:\n{self.said}"
            assert self.process.poll() is None or self._read(), f"ended without {pattern!r}:\n{self.said}"
            self._read()
            time.sleep(0.02)
        self.said = self.said[found.end() :]
        return found

    def _read(self) -> bytes:
        heard = self.process.stdout.read() or b""
        self.said += heard.decode()
        return heard

    def is_up(self) -> "Dev":
        self.hears(r"^API key +\S+$")
        return self

    def pid_of(self, name: str) -> int:
        return int(self.hears(rf"^{name} +\| begins (\d+)$")[1])

    def setting(self, name: str) -> str:
        return re.search(rf"^{name}=(.*)$", (self.root / ".local/env").read_text(), re.MULTILINE)[1]

    def ends(self, signum: signal.Signals | None = signal.SIGINT) -> int:
        """Signal it, wait, and return its exit code."""
        if signum:
            self.process.send_signal(signum)
        os.set_blocking(self.process.stdout.fileno(), True)
        rest, _ = self.process.communicate(timeout=30)
        self.said += rest.decode()
        return self.process.returncode

    def leftovers(self, within: float = 0) -> list[str]:
        """Processes and sockets still there after the given time."""
        elsewhere = home_elsewhere(self.root / ".local")
        deadline = time.monotonic() + within
        while True:
            sockets = [str(path) for path in (self.root / ".local").rglob("*") if path.is_socket()]
            left = processes_of(self.root, elsewhere) + sockets
            if not left or time.monotonic() > deadline:
                return left
            time.sleep(0.05)


@contextmanager
def running_dev(root: Path, **env: str) -> Iterator[Dev]:
    dev = Dev(root, **env)
    try:
        yield dev
    finally:
        if dev.process.poll() is None:
            dev.ends(signal.SIGTERM)
        shutil.rmtree(home_elsewhere(root / ".local"), ignore_errors=True)


def dev_refuses(root: Path, *arguments: str, **env: str) -> str:
    """The one sentence with which bin/dev ends at once."""
    done = subprocess.run(
        [str(root / "bin" / "dev"), *arguments],
        env=bare_environment(**env),
        capture_output=True,
        text=True,
        timeout=30,
    )
    assert done.returncode == 1, done
    assert "Traceback" not in done.stderr
    assert len(done.stderr.splitlines()) == 1, done.stderr
    return done.stderr
