"""What an answer makes of a message: the rules of doubt, tries and refusals, without any database."""

from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from accounts.models import Workspace
from dispatcher.models import Attempt, Category, Message
from dispatcher.senders.parcel import Busy, Receipt, Refused, Unreachable, Unsure

Status = Message.Status
Policy = Workspace.RetryPolicy

# Seconds to wait after the first, second, ... failed try; one more failure than waits is final.
WAITS: dict[int, tuple[float, ...]] = {
    Policy.STANDARD: (1, 2),
    Policy.PATIENT: (3, 6, 12, 24),
    Policy.NONE: (),
}
# A doubt is worth more tries: under a key the provider honours each of them is safe, and one answer ends it.
MORE_TRIES_IN_DOUBT = 7
LONGEST_ERROR = 300


class NotFilledIn(Exception):
    """Our own fault before the call: the text could not be made. Nothing was handed over."""


class NotStarted(Exception):
    """The lease was too short to begin the call. Nothing was handed over."""


class Stopped(Unsure):
    """We have to end and could not wait for the answer: no sign of a provider that is silent, and no try used up."""


class Standing(NamedTuple):
    """How a message stood when it was intended: what the verdict depends on besides the answer."""

    id: int
    number: int
    key: str
    tries: int
    retry_count: int
    in_doubt_since: datetime | None
    doubt_of_old_key: bool

    @property
    def in_doubt(self) -> bool:
        return self.in_doubt_since is not None or self.doubt_of_old_key


@dataclass(frozen=True, slots=True)
class Terms:
    """What the sender promises about keys, and how often the workspace tries."""

    honours_keys: bool
    refusals_are_conclusive: bool
    policy: int

    def most_tries(self, *, in_doubt: bool) -> int:
        return len(WAITS[self.policy]) + 1 + (MORE_TRIES_IN_DOUBT if in_doubt and self.honours_keys else 0)


class Verdict(NamedTuple):
    """What is written to the message's row, and to its attempts when `outcome` is set."""

    standing: Standing
    status: Status
    retry_count: int
    in_doubt_since: datetime | None = None
    doubt_of_old_key: bool = False
    category: int | None = None
    error: str = ""
    provider_id: str = ""
    outcome: int | None = None
    digest: int | None = None


def judge(
    standing: Standing, answer: object, terms: Terms, handed_over_at: datetime | None, digest: int | None = None
) -> Verdict:
    """The verdict on one try. `handed_over_at` is the earliest moment the message can have been handed over.

    `digest` is that of the words, kept of those that were accepted or may have been.
    """
    if isinstance(answer, Receipt):
        known = storable(str(answer.provider_id))[:200]
        return Verdict(standing, Status.SENT, standing.retry_count, provider_id=known, digest=digest)
    if isinstance(answer, Busy | NotStarted):
        return _busy(standing, answer, terms)
    if isinstance(answer, Refused | NotFilledIn):
        return _refused(standing, answer, terms)
    return _unsure(standing, answer, terms, handed_over_at)._replace(digest=digest)


def _busy(standing: Standing, answer: Busy | NotStarted, terms: Terms) -> Verdict:
    counts = isinstance(answer, Busy) and answer.counts
    tried = standing.retry_count + counts
    out_of_tries = counts and tried >= terms.most_tries(in_doubt=standing.in_doubt)
    category = _category(answer, Category.OTHER)
    return Verdict(
        standing,
        _end(standing, Status.FAILED) if out_of_tries else Status.PENDING,
        tried,
        standing.in_doubt_since,
        standing.doubt_of_old_key,
        category,
        _sentence(answer),
        # Nobody was there: that is no try of this message.
        outcome=Attempt.Outcome.BUSY if isinstance(answer, Busy) and not isinstance(answer, Unreachable) else None,
    )


def _refused(standing: Standing, answer: Refused | NotFilledIn, terms: Terms) -> Verdict:
    # A refusal settles a doubt only if the provider would have remembered that it accepted this very key.
    proves = isinstance(answer, Refused) and terms.refusals_are_conclusive and not standing.doubt_of_old_key
    failed = Status.FAILED if proves else _end(standing, Status.FAILED)
    category = _category(answer, Category.TEMPLATE_ERROR)
    return Verdict(
        standing,
        failed,
        standing.retry_count + 1,
        category=category,
        error=_sentence(answer),
        outcome=Attempt.Outcome.REFUSED,
        **_doubt_kept(standing, failed),
    )


def _unsure(standing: Standing, answer: object, terms: Terms, handed_over_at: datetime | None) -> Verdict:
    tried = standing.retry_count + (not isinstance(answer, Stopped))
    again = terms.honours_keys and tried < terms.most_tries(in_doubt=True)
    category = _category(answer, Category.OTHER)
    return Verdict(
        standing,
        Status.PENDING if again else Status.UNKNOWN,
        tried,
        standing.in_doubt_since or handed_over_at,
        standing.doubt_of_old_key,
        category,
        _sentence(answer),
        outcome=Attempt.Outcome.UNSURE,
    )


def _end(standing: Standing, otherwise: Status) -> Status:
    """How a message ends without an answer: one in doubt is never called anything but unknown."""
    return Status.UNKNOWN if standing.in_doubt else otherwise


def _doubt_kept(standing: Standing, status: Status) -> dict:
    if status != Status.UNKNOWN:
        return {}
    return {"in_doubt_since": standing.in_doubt_since, "doubt_of_old_key": standing.doubt_of_old_key}


def _sentence(answer: object) -> str:
    return storable(str(answer) or type(answer).__name__)[:LONGEST_ERROR]


def _category(answer: object, otherwise: Category) -> Category:
    """The sender's word for it, if it is one of ours."""
    if isinstance(answer, Busy | Refused | Unsure):
        return Category.__members__.get(answer.category.upper(), Category.OTHER)
    return otherwise


def storable(words: str) -> str:
    """What a provider said, without what PostgreSQL cannot store: one odd answer must not spoil a whole settle."""
    return words.replace("\0", "").encode(errors="replace").decode()
