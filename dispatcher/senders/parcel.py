"""What a sender is given and what it may answer: the whole contract between us and a provider."""

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Parcel:
    """One finished message. `key` names it to the provider: the same key must never be delivered twice.

    `tries` is how often it was handed over before; only a simulation has a use for it.
    """

    key: str
    channel: str
    to: str
    sender: str
    subject: str
    text: str
    html: str = ""
    tries: int = 0
    headers: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Receipt:
    """The provider accepted the message and calls it so."""

    provider_id: str


class Busy(Exception):
    """Provably not accepted, and may be later: the message stays pending.

    `counts` says whether it uses up a try (a 429 does not), `retry_after` how many seconds the provider asks for.
    """

    def __init__(self, sentence: str, *, category: str, retry_after: float | None = None, counts: bool = True) -> None:
        self.category, self.retry_after, self.counts = category, retry_after, counts
        super().__init__(sentence)


class Refused(Exception):
    """Provably not accepted, and will not be: the message failed."""

    def __init__(self, sentence: str, *, category: str) -> None:
        self.category = category
        super().__init__(sentence)


class Unsure(Exception):
    """Handed over, but no answer that says what became of it."""

    def __init__(self, sentence: str, *, category: str = "timeout") -> None:
        self.category = category
        super().__init__(sentence)


class Sender(Protocol):
    """An adapter to one provider; opened once per shift, inside the event loop that calls it."""

    # How long the provider takes the same key for the same message; None when it never does.
    honours_keys: timedelta | None
    # Whether a refusal is remembered with its key, so that it proves that no earlier call of the key was accepted.
    remembers_refusals: bool

    async def __aenter__(self) -> "Sender": ...

    async def __aexit__(self, *error: object) -> None: ...

    async def send(self, parcel: Parcel) -> Receipt:
        """Hand one message over. Raises Busy, Refused or Unsure; anything else raised counts as Unsure."""
        ...
