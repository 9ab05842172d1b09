"""A provider whose every answer the test decides, with its own memory of what it accepted."""

import asyncio
from collections import Counter, defaultdict
from collections.abc import Callable
from datetime import timedelta

from dispatcher.senders.parcel import Options, Parcel, Receipt, Setup


class Script:
    """Answers by address: a list is used up one by one, the last answer stays; others are accepted.

    An answer is an exception to raise, "hang" to accept and never answer, or None to accept.
    """

    title = "Scripted"
    about = "Answers as the test says."
    channels = ("email", "sms", "whatsapp")
    options = Options
    account = ()
    at_once = None

    def __init__(self, *, honours_keys: bool = True, remembers_refusals: bool = True) -> None:
        self.honours_keys = timedelta(days=1) if honours_keys else None
        self.remembers_refusals = remembers_refusals
        self.answers: dict[str, list[object]] = defaultdict(list)
        self.calls: list[Parcel] = []
        self.accepted: Counter[str] = Counter()
        self.keys: set[str] = set()
        self.latency = 0.0
        self.in_flight = self.most_in_flight = 0
        self.begun = 0
        self.at_call: dict[int, Callable[[], None]] = {}

    def __call__(self, setup: Setup | None = None) -> "Script":
        return self

    def defaults(self) -> dict[str, object]:
        return {}

    async def __aenter__(self) -> "Script":
        return self

    async def __aexit__(self, *error: object) -> None:
        pass

    async def send(self, parcel: Parcel) -> Receipt:
        self.in_flight += 1
        self.most_in_flight = max(self.most_in_flight, self.in_flight)
        try:
            return await self._answer(parcel)
        finally:
            self.in_flight -= 1

    async def _answer(self, parcel: Parcel) -> Receipt:
        self.begun += 1
        self.at_call.pop(self.begun, lambda: None)()
        if self.latency:
            await asyncio.sleep(self.latency)
        self.calls.append(parcel)
        script = self.answers[parcel.to]
        answer = (script.pop(0) if len(script) > 1 else script[0]) if script else None
        if answer == "hang":
            self._accept(parcel)
            await asyncio.sleep(60)
        if isinstance(answer, BaseException):
            raise answer
        self._accept(parcel)
        return Receipt(f"scripted-{len(self.calls)}")

    def _accept(self, parcel: Parcel) -> None:
        if self.honours_keys and parcel.key in self.keys:
            return
        self.keys.add(parcel.key)
        self.accepted[parcel.to] += 1
