"""What the house has done since it was installed: counts that only grow, also where campaigns are deleted.

A process chalks them up in its memory and writes them every few seconds, beside the work and never as a part of it.
What is killed takes its last seconds with it: these are for rates and alarms, the books for the truth.
"""

import logging
import time
from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterable
from itertools import pairwise
from threading import Lock

from django.db import DatabaseError, InterfaceError, connection, transaction

from dispatcher.content import Content
from dispatcher.handover import Call
from dispatcher.models import Category
from dispatcher.pace import Lane
from dispatcher.senders.parcel import Busy, Receipt, Refused, Unreachable
from dispatcher.settle import Counts
from dispatcher.verdicts import NotFilledIn, NotStarted, Stopped
from dispatcher.window import ANSWERS

logger = logging.getLogger(__name__)
WRITE_EVERY = 2.0  # seconds
BOUNDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)  # seconds until an answer
# The first that fits: what cannot be reached is busy, too.
WORDS: tuple[tuple[type | tuple[type, ...], str], ...] = (
    (Receipt, "accepted"),
    (Refused, "refused"),
    (Unreachable, "unreachable"),
    (Busy, "busy"),
    ((NotFilledIn, NotStarted, Stopped), "not_made"),
    (object, "unsure"),
)
# In one order for all, or two processes that add to the same totals would wait for each other.
ADD = """
    INSERT INTO dispatcher_total AS t (name, channel, sender, label, n)
    SELECT * FROM unnest(%s::text[], %s::smallint[], %s::text[], %s::text[], %s::float8[])
    ON CONFLICT (name, channel, sender, label) DO UPDATE SET n = t.n + excluded.n
"""
NOBODY = Lane(0, 0, "")  # what no sender did


class Tally:
    """Of one process, or of one shift."""

    def __init__(self) -> None:
        self.lock = Lock()
        self.written_at = time.monotonic()
        self.counts: Counter[tuple[str, int, str, str]] = Counter()

    def add(self, name: str, n: float = 1, *, lane: Lane = NOBODY, label: str = "") -> None:
        with self.lock:
            self.counts[name, lane.channel, lane.sender, label] += n  # type: ignore[assignment]

    def settled(self, lane: Lane, counts: Counts) -> None:
        """Messages that came to an end, and those that failed once more by their cause."""
        for status, many in counts.ended.items():
            self.add("outcomes", many, lane=lane, label=status.name.lower())
        for category, many in counts.failed_by.items():
            self.add("failures", many, lane=lane, label=Category(category).name.lower())

    def heard(self, answered: Iterable[tuple[Content, Call]]) -> None:
        """Hand-overs by what they were answered, and how long that took; counted together, for the sake of speed."""
        contents: dict[int, Content] = {}
        by_batch: dict[int, list[Call]] = defaultdict(list)
        for content, call in answered:
            contents[call.batch] = content
            by_batch[call.batch].append(call)
        for batch, calls in by_batch.items():
            lane = contents[batch].lane
            for kind, many in Counter(type(call.answer) for call in calls).items():
                self.add("tries", many, lane=lane, label=word_of(kind))
            self._took(lane, sorted(call.took for call in calls if is_answer(call.answer)))

    def _took(self, lane: Lane, seconds: list[float]) -> None:
        places = [0, *(bisect_right(seconds, bound) for bound in BOUNDS), len(seconds)]
        for label, (before, upto) in zip([*BOUNDS, "+Inf"], pairwise(places), strict=True):
            if upto > before:
                self.add("answers", upto - before, lane=lane, label=str(label))
        if seconds:
            self.add("answer_seconds", sum(seconds), lane=lane)

    def write_if_due(self) -> None:
        if time.monotonic() - self.written_at > WRITE_EVERY:
            self.write()

    def write(self) -> None:
        """Not in a transaction of the work: others wait for these rows. What cannot be written is kept for later."""
        with self.lock:
            counts, self.counts, self.written_at = self.counts, Counter(), time.monotonic()
        if not counts:
            return
        rows = [(*about, float(n)) for about, n in sorted(counts.items())]
        try:
            with transaction.atomic(), connection.cursor() as cursor:
                # Who was suspended in the middle of this holds up no batch of ours.
                cursor.execute("SET LOCAL synchronous_commit = off; SET LOCAL lock_timeout = '200ms'")
                cursor.execute(ADD, [list(column) for column in zip(*rows, strict=True)])
        except (DatabaseError, InterfaceError) as error:
            logger.warning("what was counted could not be added: %s", error)
            with self.lock:
                self.counts.update(counts)


def word_of(kind: type) -> str:
    return next(word for kinds, word in WORDS if issubclass(kind, kinds))


def is_answer(answer: object) -> bool:
    return isinstance(answer, ANSWERS) and not isinstance(answer, Unreachable)


PAGES = Tally()  # what this process does for the live pages; written while somebody watches, and when metrics are read
