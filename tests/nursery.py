"""Processes of the house that need not start from nothing: each is a fork of one that has loaded it all.

A Python that starts anew takes most of a second of processor time before it does anything.
"""

import json
import os
import runpy
import signal
import subprocess
import sys
import threading
import time
import traceback
from contextlib import suppress
from importlib import import_module, reload
from pathlib import Path
from typing import Any

import django

from processes import spawn, tie_to_parent

ROOT = Path(__file__).resolve().parent.parent
READY = "ready"


class Nursery:
    """Starts processes on what was loaded with one environment; ends with whoever made it."""

    def __init__(self, environment: dict[str, str]) -> None:
        paths = {"PYTHONPATH": os.pathsep.join(str(ROOT / part) for part in ("", "bin/parts"))}
        argv, pipes = [sys.executable, "-m", "tests.nursery"], {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
        self.process = spawn(argv, cwd=ROOT, env=environment | paths, **pipes)
        self.asking = threading.Lock()
        assert self._hear() == READY

    def __enter__(self) -> "Nursery":
        return self

    def __exit__(self, *about: object) -> None:
        with self.process:  # closes its input, which is the end of it
            pass

    def start(self, *words: object, **settings: object) -> "Child":
        """Python with these words - `manage.py worker`, `-m module` or `-c program` - and settings of its own."""
        told = {name: str(value) if isinstance(value, Path) else value for name, value in settings.items()}
        return Child(self, self.ask({"start": [str(word) for word in words], "settings": told}))

    def ask(self, question: dict) -> int | None:
        with self.asking:
            self.process.stdin.write(json.dumps(question).encode() + b"\n")
            self.process.stdin.flush()
            return self._hear()

    def _hear(self) -> Any:
        return json.loads(self.process.stdout.readline())


class Child:
    """A process of the nursery, with the part of `Popen` that the house uses."""

    def __init__(self, nursery: Nursery, pid: int) -> None:
        self.nursery = nursery
        self.pid = pid
        self.returncode: int | None = None

    def poll(self) -> int | None:
        if self.returncode is None:
            self.returncode = self.nursery.ask({"poll": self.pid})
        return self.returncode

    def wait(self, timeout: float = float("inf")) -> int:
        ends = time.monotonic() + timeout
        while (code := self.poll()) is None:
            if time.monotonic() > ends:
                raise subprocess.TimeoutExpired(str(self.pid), timeout)
            time.sleep(0.02)
        return code

    def send_signal(self, signum: int) -> None:
        if self.poll() is None:
            with suppress(ProcessLookupError):
                os.kill(self.pid, signum)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)


# The nursery itself


def answer(question: dict) -> int | None:
    if words := question.get("start"):
        tie = tie_to_parent(signal.SIGTERM)
        pid = os.fork()
        if not pid:
            tie()
            live(words, question["settings"])
        return pid
    pid, status = os.waitpid(question["poll"], os.WNOHANG)
    return os.waitstatus_to_exitcode(status) if pid else None


def live(words: list[str], changed: dict[str, Any]) -> None:
    """In a session of its own, to the end of the program."""
    os.setsid()
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(2, 1)  # what it says is no answer of the nursery
    code: object = 1
    try:
        change(**changed)
        begin(*words)
        code = 0
    except SystemExit as end:
        code = end.code
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(code if isinstance(code, int) else int(code is not None))


def change(**settings: Any) -> None:
    ours = import_module("django.conf").settings
    for name, value in settings.items():
        setattr(ours, name, like(getattr(ours, name), value))
    reload(import_module("dispatcher.crash"))  # which looks at its setting once


def like(known: Any, value: Any) -> Any:
    """The value in the kind of the one it replaces. Raises TypeError where a truth is given as a text."""
    if isinstance(known, bool) and not isinstance(value, bool):
        raise TypeError(f"{value!r} is neither True nor False")
    return type(known)(value)


def begin(program: str, *words: str) -> None:
    if program == "-c":
        exec(words[0], {"__name__": "__main__"})  # noqa: S102 - from the tests
    elif program == "-m":
        sys.argv = list(words)
        runpy.run_module(words[0], run_name="__main__", alter_sys=True)
    else:
        import_module("django.core.management").execute_from_command_line([program, *words])


if __name__ == "__main__":
    os.environ["DJANGO_SETTINGS_MODULE"] = "dispatcher.settings"
    django.setup()
    # Not the server: what it runs on, which its import makes, must not be shared with other processes.
    for name in ("dispatcher.urls", "dispatcher.clock", "dispatcher.jobs", "dispatcher.worker"):
        import_module(name)
    import_module("dispatcher.collector").spare()
    print(json.dumps(READY), flush=True)
    for line in sys.stdin:
        print(json.dumps(answer(json.loads(line))), flush=True)
