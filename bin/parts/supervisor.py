"""Runs programs in order, shows what they say, starts again what dies, and stops everything in order."""

import os
import select
import selectors
import signal
import subprocess
import sys
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import IO, cast

from processes import Program, Trouble, adopt_orphans, end_orphans, kill_group, last_words, spawn

FIRST_PAUSE, LONGEST_PAUSE = 0.5, 30  # seconds before something that died is started again
SETTLED = 30  # seconds after which a death counts as the first again
LONGEST_LINE = 64 * 1024


class Stopped(Exception):
    """Somebody asked for the end: a signal came, or nobody reads what we say."""


@dataclass
class Child:
    program: Program
    process: subprocess.Popen[bytes]
    pipe: IO[bytes]
    started: float
    unfinished: bytes = b""
    said: deque[str] = field(default_factory=lambda: deque(maxlen=50))


class Supervisor:
    """Use it as a context: leaving it stops everything, the last group started first."""

    def __init__(self) -> None:
        self.groups: list[list[Program]] = []
        self.children: dict[str, Child] = {}
        self.pauses: dict[str, float] = {}
        self.due: dict[str, float] = {}
        self.asked_to_stop_at: float | None = None
        self.in_a_hurry = False
        self.selector = selectors.DefaultSelector()
        self.readers = closed_pipe_watch(1)

    def __enter__(self) -> "Supervisor":
        adopt_orphans()
        for signum in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            if signum != signal.SIGHUP or signal.getsignal(signum) != signal.SIG_IGN:
                signal.signal(signum, self._note_stop)
        return self

    def __exit__(self, *exception: object) -> None:
        self.stop()

    def _note_stop(self, signum: int = 0, frame: object = None) -> None:
        """A second signal means hurry, unless it comes at once: `timeout` sends each of its signals twice."""
        if self.asked_to_stop_at is None:
            self.asked_to_stop_at = time.monotonic()
        elif signum and time.monotonic() > self.asked_to_stop_at + 1:
            self.in_a_hurry = True

    # What a command does with it

    def start(self, *programs: Program) -> None:
        """Start programs that belong together: they will be stopped together."""
        self.groups.append(list(programs))
        for program in programs:
            self._launch(program)

    def wait_until_ready(self, program: Program, within: float) -> None:
        """Return when the program is ready; Trouble when it ends before, or takes longer."""
        deadline = time.monotonic() + within
        child = self.children[program.name]
        while not program.is_ready(child.process.pid):
            if child.process.poll() is not None:
                self._drain(child)
                self._recall(child)
                raise Trouble(f"{program.name} ended before it was ready: {last_words(child.said)}")
            if time.monotonic() > deadline:
                raise Trouble(f"{program.name} was not ready after {within:.0f} seconds.")
            self._turns(0.1)

    def run(self, program: Program) -> list[str]:
        """Run a program to its end and return the last it said; Trouble when it fails."""
        child = self._launch(program)
        while child.process.poll() is None:
            self._turn(0.05, restart=False)
        self._drain(child)
        del self.children[program.name]
        if child.process.returncode:
            self._recall(child)
            raise Trouble(f"{program.name} failed: {last_words(child.said)}")
        return list(child.said)

    def watch(self) -> None:
        """Keep everything running until somebody asks for the end, which raises Stopped."""
        while True:
            self._turn(0.2)

    # One turn: read, reap, restart

    def _turns(self, seconds: float) -> None:
        """Let time pass, however much is said meanwhile."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            self._turn(0.05, restart=False)

    def _turn(self, wait: float, restart: bool = True) -> None:
        if self.asked_to_stop_at is not None or self.readers():
            raise Stopped
        self._read(wait)
        if restart:
            for child in [child for child in self.children.values() if child.process.poll() is not None]:
                self._bury(child)
            for name in [name for name, due in self.due.items() if due <= time.monotonic()]:
                del self.due[name]
                self._launch(next(p for group in self.groups for p in group if p.name == name))
                self.say(name, "started again")

    def _launch(self, program: Program) -> Child:
        program.before()
        process = spawn(
            program.argv,
            on_parent_death=program.stop_with,
            account=program.account,
            cwd=program.cwd,
            env=program.env,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        pipe = cast(IO[bytes], process.stdout)
        os.set_blocking(pipe.fileno(), False)
        child = self.children[program.name] = Child(program, process, pipe, time.monotonic())
        self.selector.register(pipe, selectors.EVENT_READ, child)
        return child

    def _bury(self, child: Child) -> None:
        """Say how a child ended and when it is started again."""
        self._drain(child)
        self._recall(child)
        name = child.program.name
        del self.children[name]
        lived = time.monotonic() - child.started
        pause = FIRST_PAUSE if lived > SETTLED else self.pauses.get(name, FIRST_PAUSE)
        self.pauses[name] = min(pause * 2, LONGEST_PAUSE)
        self.due[name] = time.monotonic() + pause
        self.say(name, f"{ending(child.process.returncode)}; starting again in {pause:g} s")

    # What they say

    def _read(self, wait: float) -> None:
        for key, _ in self.selector.select(wait):
            self._read_from(key.data)

    def _read_from(self, child: Child) -> bool:
        try:
            chunk = os.read(child.pipe.fileno(), 65536)
        except BlockingIOError:
            return False
        if not chunk:
            self.selector.unregister(child.pipe)
            child.pipe.close()
            chunk = b"\n" if child.unfinished else b""
        *lines, child.unfinished = (child.unfinished + chunk).split(b"\n")
        if len(child.unfinished) > LONGEST_LINE:
            lines, child.unfinished = [*lines, child.unfinished], b""
        for line in lines:
            text = line.decode(errors="replace").rstrip()
            child.said.append(text)
            if not child.program.quiet:
                self.say(child.program.name, text)
        return not child.pipe.closed

    def _drain(self, child: Child) -> None:
        """Read what an ended child left in its pipe; a grandchild may hold the pipe open, so never wait."""
        while not child.pipe.closed and self._read_from(child):
            continue
        if not child.pipe.closed:
            self.selector.unregister(child.pipe)
            child.pipe.close()

    def _recall(self, child: Child) -> None:
        """What a quiet program said, now that it matters."""
        for text in child.said if child.program.quiet else ():
            self.say(child.program.name, text)

    def say(self, name: str, text: str) -> None:
        self.print(f"{name:<10} | {text}")

    def print(self, text: str) -> None:
        try:
            sys.stdout.buffer.write(text.encode(errors="replace") + b"\n")
            sys.stdout.buffer.flush()
        except OSError:
            self._note_stop()
            os.dup2(os.open(os.devnull, os.O_WRONLY), 1)

    # The end

    def stop(self) -> None:
        """Stop the groups, last first, waiting for each; asked a second time, wait for none."""
        self._note_stop()
        for group in [[child.program for child in self._one_offs()], *reversed(self.groups)]:
            children = [self.children[program.name] for program in group if program.name in self.children]
            for child in children:
                if child.process.poll() is None:
                    child.process.send_signal(child.program.stop_with)
            for child in children:
                self._see_off(child)
        end_orphans()

    def _one_offs(self) -> list[Child]:
        names = {program.name for group in self.groups for program in group}
        return [child for name, child in self.children.items() if name not in names]

    def _see_off(self, child: Child) -> None:
        deadline = time.monotonic() + child.program.grace
        while child.process.poll() is None:
            if time.monotonic() > deadline or self.in_a_hurry:
                kill_group(child.process)
            self._read(0.05)
        self._drain(child)
        self.say(child.program.name, ending(child.process.returncode))


def ending(code: int) -> str:
    return f"ended by {signal.Signals(-code).name}" if code < 0 else f"ended with {code}"


def closed_pipe_watch(descriptor: int) -> Callable[[], bool]:
    """A test for "nobody reads our output any more", which writing would notice only at the next line."""
    watch = select.poll()
    watch.register(descriptor, 0)
    return lambda: bool(watch.poll(0))
