"""What a sender is given and what it may answer: the whole contract between us and a provider."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from types import MappingProxyType
from typing import Any, ClassVar, NamedTuple, Protocol

from django import forms


class Parcel(NamedTuple):
    """One finished message. `key` names it to the provider: the same key must never be delivered twice.

    `sender` is the mailbox or number it comes from; `tries` is how often it was handed over before.
    """

    key: str
    channel: str
    to: str
    sender: str
    subject: str
    text: str
    html: str = ""
    tries: int = 0
    headers: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Setup:
    """For whom a sender is opened, and its options as people chose them, secrets in the clear."""

    workspace: int | None = None
    channel: str = ""
    options: Mapping[str, Any] = field(default_factory=dict, repr=False)
    is_a_test: bool = False  # outside the books: nobody will look for it in them


class Receipt(NamedTuple):
    """The provider accepted the message and calls it so."""

    provider_id: str


class Busy(Exception):
    """Provably not accepted, and may be later: the message stays pending.

    `counts` says whether it uses up a try (a 429 does not), `retry_after` how many seconds the provider asks for:
    of all messages with "rate_limited", else of this one.
    """

    def __init__(self, sentence: str, *, category: str, retry_after: float | None = None, counts: bool = True) -> None:
        self.category, self.retry_after, self.counts = category, retry_after, counts
        super().__init__(sentence)


class Unreachable(Busy):
    """Nobody is there, or lets us in: true of every message, so no try is used up and all wait for `retry_after`.

    The sentence is read by people: it says what is wrong and what to do about it.
    """

    def __init__(self, sentence: str, *, category: str = "provider_down", retry_after: float = 15) -> None:
        super().__init__(sentence, category=category, retry_after=retry_after, counts=False)


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


class Options(forms.Form):
    """What people may set of a sender. A field named in `secrets` is stored encrypted and never shown again."""

    secrets: ClassVar[tuple[str, ...]] = ()

    def __init__(self, *args: Any, stored: Mapping[str, Any] | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.stored = stored or {}  # the options as they are now, secrets sealed
        for name in self.secrets:
            if self.stored.get(name):
                self.fields[name].help_text = "One is stored. Leave this empty to keep it."


class Sender(Protocol):
    """An adapter to one provider; opened once per shift, inside the event loop that calls it. Made from a Setup."""

    title: ClassVar[str]
    about: ClassVar[str]  # one sentence for people who choose
    channels: ClassVar[tuple[str, ...]]
    options: ClassVar[type[Options]]
    # The options that say with whom we deal: a key given to one account means nothing to another.
    account: ClassVar[tuple[str, ...]]

    # How long the provider takes the same key for the same message; None when it never does.
    honours_keys: timedelta | None
    # Whether a refusal is remembered with its key, so that it proves that no earlier call of the key was accepted.
    remembers_refusals: bool
    # How many messages may be in its hands at once; None for as many as the window holds.
    at_once: int | None

    @classmethod
    def defaults(cls) -> dict[str, Any]:
        """The options of this installation, for workspaces that chose none."""
        ...

    async def __aenter__(self) -> "Sender":
        """Get ready. Raises Unreachable where nobody is there or the credentials are wrong."""
        ...

    async def __aexit__(self, *error: object) -> None: ...

    async def send(self, parcel: Parcel) -> Receipt:
        """Hand one message over. Raises Busy, Unreachable, Refused or Unsure; anything else raised counts as Unsure."""
        ...


class BulkSender(Sender, Protocol):
    """A sender whose provider takes several messages in one call, up to `at_a_time`."""

    at_a_time: int

    async def send_together(self, parcels: Sequence[Parcel]) -> Sequence[object]:
        """Hand these over; for each of them, in their order, a Receipt or what `send` would have raised.

        What this raises itself is the answer to all of them.
        """
        ...
