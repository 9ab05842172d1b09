"""The calls to the providers: many at once, on an event loop in a thread of its own.

The engine's thread talks to the database and never waits for a provider; this one talks to providers and never
waits for the database. Parcels go in by `submit`, answers come out by `collect`.
"""

import asyncio
import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from types import TracebackType

import uvloop
from django.conf import settings

from dispatcher.crash import crash_point
from dispatcher.senders import SENDERS
from dispatcher.senders.parcel import Parcel, Sender, Unsure
from dispatcher.verdicts import NotFilledIn, NotStarted, Standing

logger = logging.getLogger(__name__)
MARGIN = 1.0  # seconds of its lease that a call leaves unused
CLOSING_SECONDS = 5


@dataclass(slots=True)
class Term:
    """Until when a batch is ours, on this process's monotonic clock; the engine renews it, calls look at it."""

    ends: float

    def left(self) -> float:
        return self.ends - time.monotonic()


@dataclass(slots=True, eq=False)
class Call:
    """One hand-over under way: whose, under which lease, and in the end its answer."""

    batch: int
    term: Term
    sender: str
    standing: Standing
    make: Callable[[], Parcel]
    answer: object = None


class Handover:
    """Runs calls until closed; use as a context manager."""

    def __init__(self, wake_at: int) -> None:
        self._wake_at = wake_at
        self._longest_call = settings.CALL_SECONDS
        self._done: deque[Call] = deque()
        self._open = 0
        self._news = threading.Event()
        self._tasks: set[asyncio.Task] = set()
        self._senders: dict[str, Sender] = {}
        self._loop = uvloop.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="handover", daemon=True)

    def __enter__(self) -> "Handover":
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        asyncio.run_coroutine_threadsafe(self._close(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    def sender(self, name: str) -> Sender:
        """The open sender of this name, opened when first needed. Raises whatever its opening raises."""
        if name not in self._senders:
            # Shorter than a lease: those already held must not lapse meanwhile.
            opened = asyncio.run_coroutine_threadsafe(self._enter(name), self._loop).result(settings.LEASE_SECONDS / 3)
            self._senders[name] = opened
        return self._senders[name]

    @property
    def in_flight(self) -> int:
        """Calls submitted and not yet collected."""
        return self._open

    def submit(self, calls: Iterable[Call]) -> None:
        """Start these calls now."""
        calls = list(calls)
        self._open += len(calls)
        self._news.clear()
        self._loop.call_soon_threadsafe(self._start, calls)

    def collect(self, seconds: float) -> list[Call]:
        """The calls answered so far, after waiting at most this long for a good number of them."""
        if len(self._done) < min(self._wake_at, self._open):
            self._news.wait(seconds)
        self._news.clear()
        answered = [self._done.popleft() for _ in range(len(self._done))]
        self._open -= len(answered)
        return answered

    # --- below runs on the event loop ---

    def _start(self, calls: list[Call]) -> None:
        for call in calls:
            task = self._loop.create_task(self._carry(call))
            self._tasks.add(task)  # the loop itself keeps no strong reference
            task.add_done_callback(self._tasks.discard)

    async def _carry(self, call: Call) -> None:
        call.answer = await self._answer(call)
        crash_point("after_call")
        self._done.append(call)
        if len(self._done) >= min(self._wake_at, self._open):
            self._news.set()

    async def _answer(self, call: Call) -> object:
        try:
            parcel = call.make()
        except Exception as error:  # our own fault, before anything was handed over
            return NotFilledIn(f"the text could not be made: {error}")
        seconds = min(self._longest_call, call.term.left() - MARGIN)
        if seconds <= 0:
            return NotStarted("the lease was about to end")
        crash_point("before_call")
        try:
            async with asyncio.timeout(seconds):
                return await self._senders[call.sender].send(parcel)
        except TimeoutError:
            return Unsure(f"no answer within {seconds:.0f} s", category="timeout")
        except (Exception, asyncio.CancelledError) as error:  # Busy, Refused, Unsure, and anything unforeseen
            return error

    async def _enter(self, name: str) -> Sender:
        return await SENDERS[name]().__aenter__()

    async def _close(self) -> None:
        """End the calls nobody waits for any more, then each sender; one that will not end holds up nobody."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for name, sender in self._senders.items():
            try:
                async with asyncio.timeout(CLOSING_SECONDS):
                    await sender.__aexit__(None, None, None)
            except Exception:
                logger.exception("the sender %s did not close", name)
