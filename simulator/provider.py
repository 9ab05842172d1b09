"""A provider of the outside world, simulated: latency, failures and faults, and a ledger of its own.

It shares nothing with the engine but the call: it writes to its own connection, before it answers, as a real
provider would, so that what it remembers can be held against our ledger.
"""

import asyncio
import hashlib
import itertools
import secrets
import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from struct import unpack
from typing import Any, NamedTuple

import psycopg
from django.conf import settings
from django.db import connections

from wires import arrays


@dataclass(frozen=True)
class Profile:
    """How the provider behaves: seconds an answer takes, and the share of calls that fail."""

    slowest: float
    fastest: float
    failures: float


PROFILES = {
    "leopard": Profile(fastest=0.05, slowest=0.2, failures=0.08),
    "quick": Profile(fastest=0, slowest=0, failures=0.10),
    "rails": Profile(fastest=1, slowest=3, failures=0.10),
    "dispatch": Profile(fastest=0, slowest=0.5, failures=0.05),
    "stormy": Profile(fastest=0.05, slowest=0.2, failures=0.75),
    "perfect": Profile(fastest=0, slowest=0, failures=0),
}
# Faults that can be asked for, each with the share of calls it befalls.
FAULTS = ("busy", "hang", "drop", "garbage")
REFUSALS = ("invalid_address", "bounced", "rejected")
LARGEST_GROUP = 1000  # calls written to the ledger in one transaction
LOOK_EVERY = 1.0  # seconds between two looks at whether an outage began or ended
CLOSED_FOR = 3.0  # seconds it asks callers to stay away during an outage


def by_settings(name: str) -> Any:
    return field(default_factory=lambda: getattr(settings, name))


@dataclass(frozen=True)
class Behaviour:
    """How one workspace's simulated provider behaves; what is not said is as SIMULATOR_* say."""

    workspace: int | None = None
    profile: str = by_settings("SIMULATOR_PROFILE")
    seed: int = by_settings("SIMULATOR_SEED")
    honours_keys: bool = by_settings("SIMULATOR_HONOURS_KEYS")
    faults: Mapping[str, float] = by_settings("SIMULATOR_FAULTS")
    retry_after: float = 1.0
    writes_down: bool = True  # what is only tried out is not remembered, for no book of ours knows it


class Answer(Exception):
    """Anything but "accepted"."""


class NotAccepted(Answer):
    """Refused for good; remembered with the key."""

    def __init__(self, category: str) -> None:
        self.category = category
        super().__init__(f"Simulated delivery failure: {category.replace('_', ' ')}")


class TooFast(Answer):
    """429: not accepted, come again in `retry_after` seconds."""

    def __init__(self, retry_after: float) -> None:
        self.retry_after = retry_after
        super().__init__(f"429 Too Many Requests, Retry-After: {retry_after:g}")


class Unavailable(Answer):
    """503: not accepted."""


class Closed(Answer):
    """503 to everybody: an outage is being rehearsed; not accepted, come again in `retry_after` seconds."""

    def __init__(self, left: float) -> None:
        self.retry_after = min(CLOSED_FOR, left)
        super().__init__("503 Service Unavailable: an outage is rehearsed.")


class Broken(Answer):
    """The connection ended, or the answer made no sense, after the message was accepted."""


class Letter(NamedTuple):
    """What is handed over; `nth` is how often it was tried before."""

    key: str
    nth: int
    channel: str
    address: str
    subject: str
    text: str
    html: str = ""


class _Call(NamedTuple):
    key: str
    accepted: bool
    category: str
    provider_id: str
    channel: str
    address: str
    subject: str
    text: str
    html_digest: str


def draws(seed: int, key: str, nth: int) -> Sequence[float]:
    """Chance that can be repeated: four numbers in [0, 1) that depend on the seed, the key and which try it is."""
    digest = hashlib.blake2b(f"{seed}:{key}:{nth}".encode(), digest_size=16).digest()
    return [number / 2**32 for number in unpack(">4I", digest)]


def digest_of(html: str) -> str:
    return hashlib.blake2b(html.encode(errors="surrogatepass"), digest_size=16).hexdigest()


class Provider:
    """One connection to the simulated provider. Raises NotAccepted, TooFast, Closed, Unavailable, Broken."""

    def __init__(self, behaviour: Behaviour | None = None) -> None:
        self.behaviour = behaviour or Behaviour()
        self.profile = PROFILES[self.behaviour.profile]
        self._closed_until = self._look_at = 0.0
        self._ids = itertools.count(secrets.randbits(120))
        self._waiting: list[tuple[_Call, asyncio.Future[_Call]]] = []
        self._writer: asyncio.Task | None = None
        self._opening = asyncio.Lock()
        self._ledger: psycopg.AsyncConnection

    async def open(self) -> None:
        params = connections["default"].get_connection_params()
        known: dict[str, Any] = {
            name: params[name] for name in ("host", "port", "user", "password", "dbname") if name in params
        }
        if settings.DATABASE_POOLER:
            known["prepare_threshold"] = None  # the session that knows the statement may be lent to somebody else
        self._ledger = await psycopg.AsyncConnection.connect(**known, autocommit=True)
        await self._look_for_an_outage()

    async def close(self) -> None:
        if self._writer:
            await self._writer
        await self._ledger.close()

    @property
    def answers_at_once(self) -> bool:
        """Whether it takes many in one call: with neither waits nor faults that befall one of them."""
        return not self.profile.slowest and not any(self.behaviour.faults.values())

    async def accept(self, letter: Letter) -> str:
        """Take one message; returns the provider's own id for it."""
        await self._be_open()
        arrived = time.monotonic()
        fails, kind, fault, wait = draws(self.behaviour.seed, letter.key, letter.nth)
        befallen = self._fault(fault)
        busy = TooFast(self.behaviour.retry_after)
        answer = busy if befallen == "busy" else await self._take(letter, fails, kind)
        if self.profile.slowest:  # what was written down meanwhile is part of it
            answers = arrived + self.profile.fastest + wait * (self.profile.slowest - self.profile.fastest)
            await asyncio.sleep(answers - time.monotonic())
        if befallen == "hang":
            await asyncio.sleep(3600)
        if befallen == "drop":
            raise Broken("connection reset by peer after the message was sent")
        if befallen == "garbage":
            raise Broken("200 OK with an answer that is not JSON")
        if isinstance(answer, Answer):
            raise answer
        return answer

    async def _take(self, letter: Letter, fails: float, kind: float) -> str | Answer:
        """Decide and remember, on arrival; whoever hangs up before the answer has been heard nonetheless."""
        try:
            call = self._decide(letter, fails, kind)
        except Unavailable as answer:
            return answer
        known = await self._remember(call) if self.behaviour.writes_down else call
        return f"sim-{known.provider_id}" if known.accepted else NotAccepted(known.category)

    async def accept_together(self, letters: Iterable[Letter]) -> list[str | Answer]:
        """Take several messages; for each its id or what is wrong with it. Raises Closed and Broken for all of them."""
        await self._be_open()
        answers: list[str | Answer] = []
        decided: dict[int, _Call] = {}  # by their place among the answers
        for place, letter in enumerate(letters):
            fails, kind = draws(self.behaviour.seed, letter.key, letter.nth)[:2] if self.profile.failures else (1, 1)
            try:
                call = decided[place] = self._decide(letter, fails, kind)
                answers.append(f"sim-{call.provider_id}" if call.accepted else NotAccepted(call.category))
            except Unavailable as answer:
                answers.append(answer)
        if decided and self.behaviour.writes_down:
            try:
                known = await self._write(list(decided.values()))
            except Exception as error:
                raise Broken(f"the provider's own ledger failed: {error}") from error
            for place, call in decided.items() if known else ():
                if earlier := known.get(call.key):
                    accepted, category = earlier.accepted, earlier.category
                    answers[place] = f"sim-{earlier.provider_id}" if accepted else NotAccepted(category)
        return answers

    async def _be_open(self) -> None:
        if time.monotonic() > self._look_at:
            await self._look_for_an_outage()
        if (left := self._closed_until - time.monotonic()) > 0:
            raise Closed(left)

    def _decide(self, letter: Letter, fails: float, kind: float) -> _Call:
        """What to remember of this message. Raises Unavailable, of which nothing is remembered."""
        category = ""
        if fails < self.profile.failures:
            if kind > 1 / 3:  # two of three failures pass; the third is final
                raise Unavailable("503 Service Unavailable: simulated delivery failure")
            category = REFUSALS[int(kind * 9)]
        key, _, channel, address, subject, text, html = letter
        ours = f"{next(self._ids):032x}"
        digest = digest_of(html) if html else ""
        return _Call(key, not category, category, ours, channel, address, subject, text, digest)

    def _fault(self, draw: float) -> str:
        for name in FAULTS:
            draw -= self.behaviour.faults.get(name, 0)
            if draw < 0:
                return name
        return ""

    async def _look_for_an_outage(self) -> None:
        """Asked once a second, so that an outage also reaches those who are connected already."""
        self._look_at = time.monotonic() + LOOK_EVERY
        with suppress(psycopg.Error):  # then it is as it was a second ago
            cursor = await self._ledger.execute(OUTAGE, [self.behaviour.workspace])
            row = await cursor.fetchone()
            self._closed_until = time.monotonic() + row[0] if row else 0

    async def _remember(self, call: _Call) -> _Call:
        """Write the call down for good, together with those that come meanwhile; answers what is remembered."""
        answer: asyncio.Future[_Call] = asyncio.get_running_loop().create_future()
        self._waiting.append((call, answer))
        if self._writer is None or self._writer.done():
            self._writer = asyncio.create_task(self._write_groups())
        return await answer

    async def _write_groups(self) -> None:
        while self._waiting:
            group, self._waiting = self._waiting[:LARGEST_GROUP], self._waiting[LARGEST_GROUP:]
            try:
                known = await self._write([call for call, _ in group])
            except Exception as error:
                for _, answer in group:
                    if not answer.done():
                        answer.set_exception(Broken(f"the provider's own ledger failed: {error}"))
                continue
            for call, answer in group:
                if not answer.done():  # else the caller has given up
                    answer.set_result(known.get(call.key, call))

    async def _write(self, calls: list[_Call]) -> dict[str, _Call]:
        """Append the calls; with keys honoured, what an earlier call of the same key was answered instead."""
        async with self._opening:
            if self._ledger.closed:
                await self.open()
        honours = self.behaviour.honours_keys
        keys, accepted, category, ids, *texts = zip(*calls, strict=True)
        values = [arrays.plain(keys), arrays.plain(accepted), arrays.texts(category), arrays.plain(ids)]
        cursor = await self._ledger.execute(INSERT, [honours, *values, *map(arrays.texts, texts)])
        if not honours or cursor.rowcount == len(calls):
            return {}
        cursor = await self._ledger.execute(EARLIER, [values[0]])
        return {
            str(key): _Call(str(key), accepted, category, provider_id.hex, "", "", "", "", "")
            for key, accepted, category, provider_id in await cursor.fetchall()
        }


INSERT = """
    INSERT INTO simulator_call
        (key, accepted, category, provider_id, channel, address, subject, text, html_digest, honours_key)
    SELECT *, %s FROM unnest(
        %s::uuid[], %s::bool[], %s::text[], %s::uuid[], %s::text[], %s::text[], %s::text[], %s::text[], %s::text[])
    ON CONFLICT DO NOTHING
"""
OUTAGE = """
    SELECT extract(epoch FROM until - clock_timestamp())::float FROM simulator_outage WHERE workspace_id = %s
"""
EARLIER = """
    SELECT key, accepted, category, provider_id FROM simulator_call WHERE honours_key AND key = ANY(%s::uuid[])
"""
