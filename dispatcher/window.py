"""How many messages a worker has in hand: as many as the window holds, and fewer where losing them would cost more."""

from collections import defaultdict
from collections.abc import Iterable

from django.conf import settings

from dispatcher.handover import Call
from dispatcher.lease import Lease
from dispatcher.senders.parcel import Busy, Receipt, Refused, Sender, Unreachable, Unsure

ANSWERS = (Receipt, Busy, Refused, Unsure)

SWIFT = 0.25  # seconds; a sender that answers in this time has the whole window
LEAST = 20
PROMPT = 0.006  # seconds for which a free place may wait to be filled again
MEMORY = 0.7  # of what was known before, in each new average
FEWER = 10  # times, for each worker lost over a batch


class Window:
    """Remembers for one shift how long each sender takes to answer."""

    def __init__(self) -> None:
        self.seconds: dict[Sender, float] = {}

    def heard(self, calls: Iterable[Call]) -> None:
        """Learn from these calls, but for those that reached nobody."""
        took: dict[Sender, list[float]] = defaultdict(list)
        for call in calls:
            if isinstance(call.answer, ANSWERS) and not isinstance(call.answer, Unreachable):
                took[call.sender].append(call.took)
        for sender, values in took.items():
            mean = sum(values) / len(values)
            known = self.seconds.get(sender, mean)
            self.seconds[sender] = MEMORY * known + (1 - MEMORY) * mean

    @property
    def wake_at(self) -> int:
        """How many answers are worth settling: half a window of a sender that answers at once, fewer of a slow one.

        The places of what was answered stay empty until it is settled, and a slow sender's speed is its places.
        """
        half = settings.DISPATCH_WINDOW // 2
        swiftest = min(self.seconds.values(), default=0)
        return max(1, half if swiftest < 2 * PROMPT else int(2 * half * PROMPT / swiftest))

    def of_sender(self, sender: Sender) -> int:
        """How many messages this sender may have in hand.

        What a lost worker handed over becomes unknown where a key is not honoured: so no more than DISPATCH_WINDOW,
        of a slow one no more than it answers in a quarter of a second at full speed, but always 20, and no more than
        these before it was heard.
        """
        most = settings.DISPATCH_WINDOW
        if sender.honours_keys is None:
            known = self.seconds.get(sender)
            most = min(most, LEAST if known is None else max(LEAST, int(most * min(1, SWIFT / max(known, 1e-6)))))
        return most if sender.at_once is None else min(most, sender.at_once)


def of_batch(lease: Lease) -> int:
    """How many messages of one batch may be in hand.

    What was in hand when a worker was lost is asked for again in a later pass, a tenth at a time, then a hundredth: the
    message that kills its worker is alone in the end, and the others are through.
    """
    lapses = lease.lapses if lease.pass_no else 0
    return max(1, int(settings.DISPATCH_WINDOW) // FEWER**lapses)
