"""The whole house as real processes: web, two workers, chores and clock, kept alive as bin/dev would."""

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO
from urllib.error import URLError
from urllib.request import urlopen

from processes import end, kill_group, spawn
from tests.nursery import Child, Nursery

ROOT = Path(__file__).resolve().parent.parent
WORKERS = ("worker-1", "worker-2")


@dataclass
class House:
    """What dies is started again until the house is closed, unless it was told to rest."""

    port: int
    environment: dict[str, str]
    own: dict[str, dict[str, str]] = field(default_factory=dict)  # what one process has in its environment beside
    logs: Path | None = None
    nursery: Nursery | None = None  # of this environment, from which its processes come sooner
    processes: dict[str, subprocess.Popen | Child] = field(default_factory=dict)
    started: dict[str, int] = field(default_factory=dict)
    resting: set[str] = field(default_factory=set)
    closing: threading.Event = field(default_factory=threading.Event)
    keeper: threading.Thread | None = None
    moving: threading.RLock = field(default_factory=threading.RLock)

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def commands(self) -> dict[str, list[str]]:
        return {
            "web": ["serve", "--host", "127.0.0.1", "--port", str(self.port)],
            **{name: ["worker", "dispatch"] for name in WORKERS},
            "chores": ["worker", "chores"],
            "clock": ["clock"],
        }

    def open(self) -> None:
        for name in self.commands():
            self.start(name)
        self.keeper = threading.Thread(target=self._keep, daemon=True)
        self.keeper.start()
        await_answer(f"{self.address}/login/")

    def close(self) -> None:
        self.closing.set()
        if self.keeper:
            self.keeper.join()
        for process in self.processes.values():
            process.terminate()
        for process in self.processes.values():
            try:
                process.wait(15)
            except subprocess.TimeoutExpired:  # a second SIGTERM would have a worker drop what it holds
                kill_group(process)
                process.wait()

    def start(self, name: str) -> None:
        """Raises ValueError where a nursery could not give it what it is to have: all there share one environment."""
        if self.nursery and (self.logs or self.own.get(name)):
            raise ValueError(f"{name} from the nursery has neither an environment nor a log of its own")
        with self.moving:
            self.resting.discard(name)
            self.started[name] = self.started.get(name, 0) + 1
            if self.nursery:
                self.processes[name] = self.nursery.start("manage.py", *self.commands()[name])
                return
            output: IO[bytes] | None = (self.logs / f"{name}.log").open("ab") if self.logs else None
            argv = [sys.executable, "manage.py", *self.commands()[name]]
            env = self.environment | self.own.get(name, {})
            said = {"stdout": output, "stderr": subprocess.STDOUT} if output else {}
            self.processes[name] = spawn(argv, cwd=ROOT, env=env, **said)
            if output:
                output.close()

    def rest(self, name: str, signum: signal.Signals = signal.SIGTERM) -> None:
        """Stop a process, which is not started again before `start`."""
        self.resting.add(name)
        with self.moving:
            end(self.processes[name], signum, grace=20)

    def kill(self, name: str) -> bool:
        """kill -9; the keeper starts it again. False if it was not there."""
        process = self.processes[name]
        alive = process.poll() is None
        process.kill()
        return alive

    def manage(self, *command: str) -> subprocess.CompletedProcess:
        """Run a management command to its end."""
        arguments = [sys.executable, "manage.py", *command]
        return subprocess.run(arguments, cwd=ROOT, env=self.environment, capture_output=True, text=True, timeout=120)

    def horse(self, seconds: float = 10) -> tuple[str, int]:
        """A worker that has a work-horse now, and the horse's process id."""
        ends = time.monotonic() + seconds
        while time.monotonic() < ends:
            for name in WORKERS:
                if horses := children_of(self.processes[name].pid):
                    return name, horses[0]
            time.sleep(0.01)
        raise TimeoutError("no worker works")

    def _keep(self) -> None:
        while not self.closing.wait(0.2):
            with self.moving:
                for name, process in list(self.processes.items()):
                    if process.poll() is not None and name not in self.resting:
                        self.start(name)


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


def children_of(pid: int) -> list[int]:
    """The processes whose parent has this id."""
    listed = subprocess.run(["ps", "-A", "-o", "pid=,ppid="], capture_output=True, text=True).stdout
    return [int(line.split()[0]) for line in listed.splitlines() if line.split()[1] == str(pid)]


def await_answer(address: str, seconds: float = 30) -> None:
    ends = time.monotonic() + seconds
    while time.monotonic() < ends:
        try:
            urlopen(address, timeout=2).close()
            return
        except (URLError, ConnectionError, TimeoutError):
            time.sleep(0.1)
    raise TimeoutError(address)


def kill(pid: int) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)
