"""The provider of the state machine: answers as it is told, as far as its promises allow, and remembers everything."""

from collections import Counter

from dispatcher.senders.parcel import Busy, Parcel, Receipt, Refused, Unreachable, Unsure
from dispatcher.verdicts import NotFilledIn, NotStarted
from tests.dispatcher.scripted import Script

# Of these nobody knows what became of the message.
UNSURE = ("accept unheard", "refuse unheard", "lose", "travel", "garbage")
# By our own doing, or provably not accepted.
NOT_TAKEN = {
    "busy": Busy("503", category="provider_down"),
    "busy, no try": Busy("503", category="provider_down", counts=False, retry_after=60),
    "too fast": Busy("429", category="rate_limited", counts=False, retry_after=300),
    "unreachable": Unreachable("nobody is there", retry_after=300),
    "not started": NotStarted("the lease was about to end"),
    "not filled in": NotFilledIn("the text could not be made"),
}
KINDS = (*["accept"] * 8, "refuse", "refuse", *UNSURE, *NOT_TAKEN)


class World(Script):
    """Honours keys or not, remembers refusals or not; a call may also arrive long after everybody gave it up."""

    def __init__(self, *, honours_keys: bool, remembers_refusals: bool, at_once: int | None) -> None:
        super().__init__(honours_keys=honours_keys, remembers_refusals=remembers_refusals)
        self.at_once = at_once
        self.is_closed = False
        self.taken: Counter[str] = Counter()  # how often a message was accepted, by its key
        self.refused: set[str] = set()
        self.travelling: list[Parcel] = []

    def answer(self, parcel: Parcel, kind: str) -> object:
        """What the caller hears."""
        if kind in NOT_TAKEN:
            return NOT_TAKEN[kind]
        if kind == "travel":
            self.travelling.append(parcel)
        is_taken = self.arrive(parcel, kind) if kind.startswith(("accept", "refuse")) else False
        if kind == "garbage":
            return ValueError("200 OK with an answer that is not JSON")
        if kind in UNSURE:
            return Unsure("no answer")
        return Receipt(f"world-{parcel.key}") if is_taken else Refused("no", category="rejected")

    def arrive(self, parcel: Parcel, kind: str = "accept") -> bool:
        """Whether it is accepted: what a key was answered once holds, as far as the provider promises that."""
        remembers = bool(self.honours_keys and self.remembers_refusals)
        if remembers and parcel.key in self.refused:
            return False
        if kind.startswith("refuse") and not (remembers and parcel.key in self.keys):
            self.refused.add(parcel.key)
            return False
        if not (self.honours_keys and parcel.key in self.keys):
            self.taken[parcel.key] += 1
        self.keys.add(parcel.key)
        self.accepted[parcel.to] += 1
        return True

    def forget(self) -> None:
        """The time for which it honours keys is over; nothing travels as long as that."""
        self.keys, self.refused, self.travelling = set(), set(), []
