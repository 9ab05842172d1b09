"""What processes cost, as the kernel counts it: seconds of CPU and bytes of memory."""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from django.db import connection

PROC = Path("/proc")
TICK = os.sysconf("SC_CLK_TCK")
PAGE = os.sysconf("SC_PAGE_SIZE")


@dataclass
class Cost:
    """What it took to send so many messages; the CPU in seconds, the memory in bytes."""

    messages: int
    seconds: float = 0
    own_cpu: float = 0
    database_cpu: float = 0
    memory: int = 0

    @property
    def rate(self) -> float:
        return self.messages / self.seconds

    @property
    def own_microseconds(self) -> float:
        return self.own_cpu / self.messages * 1e6

    @property
    def database_microseconds(self) -> float:
        return self.database_cpu / self.messages * 1e6

    @property
    def microseconds(self) -> float:
        return self.own_microseconds + self.database_microseconds


@contextmanager
def measured(messages: int) -> Iterator[Cost]:
    """What this process and the database spend inside."""
    cost = Cost(messages)
    began, own, database = time.monotonic(), time.process_time(), database_cpu()
    yield cost
    cost.seconds, cost.own_cpu = time.monotonic() - began, time.process_time() - own
    cost.database_cpu = database_cpu() - database


def database_cpu() -> float:
    """Seconds of CPU that all processes of this database server have used, ended ones included."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        postmaster = parent_of(cursor.fetchone()[0])
    ended = sum(int(ticks) for ticks in stat(postmaster)[13:15]) / TICK
    return ended + sum(map(cpu_of, [postmaster, *children_of(postmaster)]))


def cpu_of(pid: int) -> float:
    """Seconds of CPU a process has used itself."""
    return sum(int(ticks) for ticks in stat(pid)[11:13]) / TICK


def parent_of(pid: int) -> int:
    if not (found := stat(pid)):
        raise SystemExit("The database runs on another machine, so its share of the work cannot be told.")
    return int(found[1])


def children_of(pid: int) -> list[int]:
    pids = (int(entry.name) for entry in PROC.iterdir() if entry.name.isdecimal())
    return [child for child in pids if stat(child)[1:2] == [str(pid)]]


def memory_of(pid: int) -> int:
    """Bytes of a process in memory now; 0 once it has ended."""
    try:
        return int((PROC / str(pid) / "statm").read_text().split()[1]) * PAGE
    except (OSError, IndexError):
        return 0


def peak_memory() -> int:
    """The most this process ever had in memory; unlike ru_maxrss without what its parent had when it forked."""
    lines = (PROC / "self" / "status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM"))


def stat(pid: int) -> list[str]:
    """The fields after the name, which may hold blanks and brackets itself: state, parent and so on."""
    try:
        return (PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
    except OSError:
        return []
