"""The calls to the providers: many at once, on an event loop in a thread of its own.

The engine's thread talks to the database and never waits for a provider; this one talks to providers and never
waits for the database. Parcels go in by `submit`, answers come out by `collect`.
"""

import asyncio
import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from itertools import groupby
from types import TracebackType
from typing import cast

import uvloop
from django.conf import settings

from campaigns.rendering import digest_of
from dispatcher.chosen import Chosen
from dispatcher.crash import crash_point
from dispatcher.senders.parcel import BulkSender, Parcel, Sender, Unreachable, Unsure
from dispatcher.verdicts import NotFilledIn, NotStarted, Standing, Stopped, storable

logger = logging.getLogger(__name__)
MARGIN = 1.0  # seconds of its lease that a call leaves unused
CLOSING_SECONDS = 5
AGAIN = 5.0  # seconds until a sender that did not open for a reason it does not tell is tried again
OPENING_SECONDS = 8  # less than a shift
PATIENCE = 0.3  # seconds that the engine itself waits for a sender to open; after that it looks again now and then


class StillOpening(Exception):
    """The sender is being opened; the other campaigns do not wait for it."""


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
    sender: Sender
    standing: Standing
    make: Callable[[], Parcel]
    answer: object = None
    is_begun: bool = False
    took: float = 0  # seconds until the answer
    digest: int | None = None  # of the words that were handed over


@dataclass(slots=True, eq=False)
class Round:
    """Calls started together under one lease, which end together: a timer for each would cost more than its call."""

    began: float
    # By the first of the calls that go together; the loop itself keeps no strong reference.
    tasks: dict[Call, asyncio.Task] = field(default_factory=dict)
    timer: asyncio.TimerHandle | None = None
    ended: Unsure | None = None  # what is known of the calls nobody waits for any more

    def end(self, known: Unsure) -> None:
        self.ended = known
        for call, task in self.tasks.items():
            if call.is_begun:  # the others see by themselves that it is too late
                task.cancel()


class Handover:
    """Runs calls until closed; use as a context manager. `wake_at` many answers are worth an interruption."""

    def __init__(self, wake_at: int) -> None:
        self.wake_at = self._most = wake_at
        self._longest_call = settings.CALL_SECONDS
        self._done: deque[Call] = deque()
        self._open = 0
        self._news = threading.Event()
        self._rounds: set[Round] = set()
        self._senders: dict[Chosen, Future[Sender]] = {}
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

    def sender(self, chosen: Chosen) -> Sender:
        """This sender, opened when first needed and closed with the shift. Raises StillOpening or Unreachable."""
        is_new = chosen not in self._senders
        if is_new:
            self._senders[chosen] = asyncio.run_coroutine_threadsafe(self._enter(chosen), self._loop)
        opening = self._senders[chosen]
        try:
            return opening.result(PATIENCE if is_new else 0)
        except TimeoutError:
            raise StillOpening from None
        except Unreachable:
            del self._senders[chosen]
            raise

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

    def hurry(self, seconds: float) -> None:
        """Wait no longer than this for the calls under way: somebody wants this process to stop."""
        self._loop.call_soon_threadsafe(self._loop.call_later, seconds, self._end_all)

    def collect(self, seconds: float, *, besides: int = 0) -> list[Call]:
        """The calls answered so far, after waiting at most this long for a good number of them.

        `besides` says how many are in hand already.
        """
        if seconds and len(self._done) < min(self.wake_at, self._open):
            self._news.wait(seconds)
        self._news.clear()
        # Not more than that: while these are settled and followed by others, the loop has the rest in hand.
        answered = [self._done.popleft() for _ in range(min(len(self._done), self._most - besides))]
        self._open -= len(answered)
        return answered

    # --- below runs on the event loop ---

    def _start(self, calls: list[Call]) -> None:
        for _, group in groupby(calls, key=lambda call: call.batch):
            together = list(group)
            seconds = max(0, min(self._longest_call, together[0].term.left() - MARGIN))
            started = Round(time.monotonic())
            silence = Unsure(f"no answer within {seconds:.0f} s", category="timeout")
            started.timer = self._loop.call_later(seconds, started.end, silence)
            size = getattr(together[0].sender, "at_a_time", 1)
            for at in range(0, len(together), size):
                part = together[at : at + size]
                started.tasks[part[0]] = self._loop.create_task(self._carry(part, started))
            self._rounds.add(started)

    async def _carry(self, calls: Sequence[Call], started: Round) -> None:
        await self._answer(calls, started)
        took = time.monotonic() - started.began
        del started.tasks[calls[0]]
        if not started.tasks:
            if started.timer:
                started.timer.cancel()
            self._rounds.discard(started)
        for call in calls:
            call.took = took
            crash_point("after_call")
            self._done.append(call)
        if len(self._done) >= min(self.wake_at, self._open):
            self._news.set()

    async def _answer(self, calls: Sequence[Call], started: Round) -> None:
        """Give each of these calls its answer; what befalls all of them is the answer to each."""
        parcels: list[Parcel] = []
        carried: list[Call] = []
        for call in calls:
            try:
                parcel = call.make()
                call.digest = digest_of(parcel.subject, parcel.text, parcel.html)
                parcels.append(parcel)
                carried.append(call)
            except Exception as error:  # our own fault, before anything was handed over
                call.answer = NotFilledIn(f"the text could not be made: {error}")
        for call, answer in zip(carried, await self._send(calls[0], parcels, started), strict=True):
            call.answer = answer

    async def _send(self, first: Call, parcels: Sequence[Parcel], started: Round) -> Sequence[object]:
        if started.ended or first.term.left() <= MARGIN:
            return [NotStarted("the time for it was over before the call could begin")] * len(parcels)
        for _ in parcels:
            crash_point("before_call")
        first.is_begun = True
        try:
            if len(parcels) == 1:
                return [await first.sender.send(parcels[0])]
            answers = await cast(BulkSender, first.sender).send_together(parcels) if parcels else []
            return (
                answers if len(answers) == len(parcels) else [Unsure("an answer for each was not given")] * len(parcels)
            )
        except asyncio.CancelledError as error:
            return [started.ended or error] * len(parcels)
        except Exception as error:  # Busy, Refused, Unsure, and anything unforeseen
            return [error] * len(parcels)

    def _end_all(self) -> None:
        for started in self._rounds:
            started.end(Stopped("the worker was stopped before the answer came", category="timeout"))

    async def _enter(self, chosen: Chosen) -> Sender:
        """Raises Unreachable, whatever is wrong."""
        try:
            sender = chosen.make()
            async with asyncio.timeout(OPENING_SECONDS):
                return await sender.__aenter__()
        except Unreachable:
            raise
        except TimeoutError:
            raise Unreachable(f"It did not answer within {OPENING_SECONDS} s.", category="network") from None
        except Exception as error:
            logger.exception("the sender %s did not open", chosen.sender)
            raise Unreachable(f"It could not be opened: {storable(str(error))}", retry_after=AGAIN) from error

    async def _close(self) -> None:
        """End the calls nobody waits for any more, then each sender; one that will not end holds up nobody."""
        tasks = [task for started in self._rounds for task in started.tasks.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for chosen, opening in self._senders.items():
            if not opening.done() or opening.exception():
                opening.cancel()
                continue
            try:
                async with asyncio.timeout(CLOSING_SECONDS):
                    await opening.result().__aexit__(None, None, None)
            except Exception:
                logger.exception("the sender %s did not close", chosen.sender)
