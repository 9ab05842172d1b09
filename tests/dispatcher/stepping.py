"""A worker whose every step the test decides: a real shift in a thread of its own, which waits at each named point.

One thread runs at a time, so that a course of events can be repeated. Each worker has its own connection, because
some points lie between two transactions of one turn, and one inside a transaction that has not locked anything yet.
At a point where locks are held nobody stops: the others would wait for it, which tests of their own look at.
"""

import sys
import threading
import time
from collections.abc import Callable
from types import SimpleNamespace

import pytest
from django.db import OperationalError, connections

from dispatcher import crash, engine
from dispatcher.chosen import Chosen
from dispatcher.handover import Call
from dispatcher.senders.parcel import Unreachable
from tests.dispatcher.world import World

STOPS = {"after_lease", "before_settle", "after_intent", "after_settle", "before_finish"}
PATIENCE = 120  # seconds a worker may take from one point to the next, on whatever machine
FOREVER = 1e6
_here = threading.local()


class Killed(BaseException):
    """kill -9: nothing of what follows happens."""


class Hands:
    """What the engine takes for a Handover: the answers come when the test gives them."""

    def __init__(self, worker: "Worker") -> None:
        self.worker = worker
        self.flying: list[Call] = []
        self.answered: list[Call] = []
        self.fresh: list[Call] = []  # handed over since somebody asked

    def sender(self, chosen: Chosen) -> World:
        if self.worker.world.is_closed:
            raise Unreachable("nobody is there", retry_after=300)
        return self.worker.world

    @property
    def in_flight(self) -> int:
        return len(self.flying) + len(self.answered)

    def submit(self, calls: list[Call]) -> None:
        self.flying += calls
        self.fresh += calls

    def collect(self, seconds: float, *, besides: int = 0) -> list[Call]:
        if seconds:  # else it holds locks
            self.worker.wait_at("collect")
        answered, self.answered = self.answered, []
        return answered

    def answer(self, call: Call, kind: str) -> None:
        self.flying.remove(call)
        call.answer = self.worker.world.answer(call.make(), kind)
        self.answered.append(call)

    def leave(self) -> None:
        """Nobody listens any more; what was handed over may still arrive."""
        self.worker.world.travelling += [call.make() for call in self.flying]
        self.flying, self.answered = [], []


class Worker:
    """Shift after shift, from one point to the next whenever it is told to go on."""

    def __init__(self, name: str, world: World) -> None:
        self.name, self.world = name, world
        self.at = "between shifts"
        self.hands = Hands(self)
        self.shift = engine.Shift(self.hands, name, FOREVER)  # type: ignore[arg-type]
        self.commit_fate = ""
        self._is_killed = False
        self._error: BaseException | None = None
        self._go, self._back = threading.Semaphore(0), threading.Semaphore(0)
        self._thread = threading.Thread(target=self._live, name=name, daemon=True)
        self._thread.start()

    def go_on(self) -> None:
        """To its next point."""
        self._go.release()
        assert self._back.acquire(timeout=PATIENCE), f"{self.name} never came back after {self.at}"
        if self._error:
            raise self._error

    def kill(self) -> None:
        """It ends where it is; what it had handed over travels on."""
        if self._thread.is_alive():
            self._is_killed = True
            self._go.release()
            self._thread.join(PATIENCE)
        self.hands.leave()

    # --- below runs in the worker's own thread ---

    def wait_at(self, point: str) -> None:
        self.at = point
        self._back.release()
        self._go.acquire()
        if self._is_killed:
            raise Killed

    def _live(self) -> None:
        _here.worker = self
        own = connections["default"]
        own._commit = self._committing(own, own._commit)  # type: ignore[method-assign]
        try:
            self._go.acquire()
            while not self._is_killed:
                self.shift.run()
                self.hands.leave()
                self.hands = Hands(self)
                self.shift = engine.Shift(self.hands, self.name, FOREVER)  # type: ignore[arg-type]
                self.wait_at("between shifts")
        except Killed:
            pass
        except BaseException as error:
            self._error = error
        finally:
            own.close()
            self._back.release()

    def _committing(self, own, commit: Callable[[], None]) -> Callable[[], None]:
        """The connection may be cut while it commits: before the server did, or before it could say so."""

        def instead() -> None:
            fate, self.commit_fate = self.commit_fate, ""
            if fate == "lost":
                own._rollback()
            else:
                commit()
            if fate:
                raise OperationalError(f"the commit was {fate}")

        return instead


def stop_at_points(monkeypatch: pytest.MonkeyPatch) -> None:
    """From now on workers stop where a crash may be asked for, and where they would sleep."""

    def stop(name: str) -> None:
        worker = getattr(_here, "worker", None)
        if worker and name in STOPS:
            worker.wait_at(name)

    for module in list(sys.modules.values()):
        if getattr(module, "crash_point", None) is crash.crash_point and module is not crash:
            monkeypatch.setattr(module, "crash_point", stop)
    slow = SimpleNamespace(monotonic=time.monotonic, sleep=lambda seconds: _here.worker.wait_at("sleep"))
    monkeypatch.setattr(engine, "time", slow)
    monkeypatch.setattr(engine, "LOOK_EVERY", -1)  # else it would depend on the clock whether a turn is taken
