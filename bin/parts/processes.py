"""Child processes that never outlive the command that started them."""

import ctypes
import os
import pwd
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

PR_SET_PDEATHSIG, PR_SET_CHILD_SUBREAPER = 1, 36
libc = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


class Trouble(Exception):
    """What stands in the way, in one sentence for the operator."""


@dataclass
class Program:
    """One long-running process: how it is started, known to be ready, and stopped."""

    name: str
    argv: list[str]
    env: dict[str, str] | None = None
    cwd: Path | None = None
    account: pwd.struct_passwd | None = None
    stop_with: signal.Signals = signal.SIGTERM
    grace: float = 10
    quiet: bool = False  # what it says is shown only when it fails
    before: Callable[[], None] = field(default=lambda: None)
    is_ready: Callable[[int], bool] = field(default=lambda pid: True)


def spawn(
    argv: list[str],
    *,
    on_parent_death: signal.Signals = signal.SIGTERM,
    account: pwd.struct_passwd | None = None,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    stdin: int | None = subprocess.DEVNULL,
    stdout=None,
    stderr=None,
    own_session: bool = True,
) -> subprocess.Popen[bytes]:
    """Start a program, as `account` when one is given; on Linux the kernel signals it when we die.

    Call it from the main thread: Linux takes the end of the starting thread for the end of the parent.
    """
    return subprocess.Popen(
        argv,
        cwd=cwd,
        env=env,
        stdin=stdin,
        stdout=stdout,
        stderr=stderr,
        # In a session of its own: Ctrl-C reaches us only, and we stop everything in order.
        start_new_session=own_session,
        preexec_fn=tie_to_parent(on_parent_death),
        **_as(account),
    )


def _as(account: pwd.struct_passwd | None) -> dict:
    return {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []} if account else {}


def tie_to_parent(signum: signal.Signals) -> Callable[[], None]:
    parent = os.getpid()

    def tie() -> None:
        # subprocess calls this after it changed the user: changing it would undo the request.
        if libc:
            libc.prctl(PR_SET_PDEATHSIG, int(signum))
        if os.getppid() != parent:
            os._exit(1)

    return tie


def run(
    argv: list[str],
    *,
    account: pwd.struct_passwd | None = None,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    text: str = "",
    within: float | None = None,
) -> subprocess.CompletedProcess[str]:
    """Run a program to its end with `text` as its input; returns its code and all it said as `stdout`."""
    child = spawn(
        argv,
        account=account,
        cwd=cwd,
        env=env,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    try:
        said, _ = child.communicate(text.encode(), timeout=within)
    except BaseException:
        end(child, grace=2)
        raise
    return subprocess.CompletedProcess(argv, child.returncode, said.decode(errors="replace"))


def last_words(said: str | Iterable[str]) -> str:
    """The last line of an output that says something, the best excuse most programs give."""
    lines = said.splitlines() if isinstance(said, str) else said
    lines = [line.strip() for line in lines if line.strip()]
    errors = [line for line in lines if line.lower().startswith(("error", "fatal"))]
    return (errors or lines or ["it said nothing"])[-1]


def end(child: subprocess.Popen, with_signal: signal.Signals = signal.SIGTERM, grace: float = 10) -> None:
    """Ask a child to stop; after `grace` seconds it and what it started are killed."""
    if child.poll() is None:
        child.send_signal(with_signal)
        try:
            child.wait(grace)
        except subprocess.TimeoutExpired:
            kill_group(child)
            child.wait()


def kill_group(child: subprocess.Popen) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(child.pid, signal.SIGKILL)


def adopt_orphans() -> None:
    """From now on the orphans of our children become our children, so that `end_orphans` finds them."""
    if libc:
        libc.prctl(PR_SET_CHILD_SUBREAPER, 1)


def end_orphans(but: Iterable[int] = (), grace: float = 5) -> None:
    """Stop every child of this process except those named; after `grace` seconds kill."""
    told: set[int] = set()
    late = time.monotonic() + grace
    while (left := set(children()) - set(but)) and time.monotonic() < late + grace:
        is_late = time.monotonic() > late
        for pid in left if is_late else left - told:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL if is_late else signal.SIGTERM)
        told |= left
        time.sleep(0.02)
        for pid in left:
            with suppress(ChildProcessError):
                os.waitpid(pid, os.WNOHANG)


def children() -> list[int]:
    """The processes whose parent we are, started or adopted; none where there is no /proc."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat") if libc else ():
        try:
            parent = stat.read_text(errors="replace").rpartition(")")[2].split()[1]
        except (OSError, IndexError):
            continue
        if int(parent) == os.getpid():
            found.append(int(stat.parent.name))
    return found
