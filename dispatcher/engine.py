"""The engine: one shift of one worker. Leases batches, notes intents, hands over, settles, and gives back.

PostgreSQL remembers everything that matters; a worker may die at any line of this file and the next owner of its
batches finds out from the rows what may have been handed over.
"""

import logging
import os
import threading
import time
from collections import defaultdict
from dataclasses import replace
from itertools import groupby

from django.conf import settings
from django.db import InterfaceError, OperationalError, connection, transaction

from campaigns.models import Campaign
from dispatcher import giveback, intent, pace, settle, turns, window
from dispatcher.chosen import Chosen
from dispatcher.content import Content
from dispatcher.crash import crash_point
from dispatcher.finish import finish_if_over
from dispatcher.handover import Call, Handover
from dispatcher.lease import Lease, hold, take
from dispatcher.pace import Lane
from dispatcher.senders.parcel import Busy
from dispatcher.tally import Tally
from dispatcher.verdicts import Verdict, judge
from dispatcher.watch import Watch
from dispatcher.window import Window
from wires import live
from wires.trip import Trip

logger = logging.getLogger(__name__)
stop_requested = threading.Event()

Status = Campaign.Status
SETTLE_EVERY = 0.1  # seconds
SETTLING_SECONDS = 1.0  # of the time that a stop may take
LOOK_EVERY = 1.0  # seconds between two turns in which there was nothing to settle or to note


def work(*, seconds: float = 10, owner: str = "") -> None:
    """One shift: send what is due until the time is over, then settle what is in flight and give the rest back."""
    with Handover(wake_at=max(1, settings.DISPATCH_WINDOW // 2)) as hands:
        Shift(hands, owner or f"{os.uname().nodename}:{os.getpid()}", seconds).run()
    live.flush()


class Shift:
    """The batches this worker holds, and the loop that moves them on."""

    def __init__(self, hands: Handover, owner: str, seconds: float) -> None:
        self.hands = hands
        self.owner = owner
        self.ends = time.monotonic() + seconds
        self.parent = os.getppid()
        self.looked_at = 0.0
        self.leases: dict[int, Lease] = {}
        self.answered: list[Call] = []  # and not yet settled
        self.contents: dict[int, Content] = {}
        self.waiting: dict[int, float] = {}  # campaigns without tokens or without a sender, and until when
        self.served: dict[int, float] = {}  # campaigns, and when they had their turn
        self.watch = Watch()
        self.window = Window()
        self.tally = Tally()
        self.is_hurried = False

    def run(self) -> None:
        while True:
            try:
                if not self._step():
                    break
            except (OperationalError, InterfaceError) as error:
                # The answers are still in our hands, to be written once the database is back. Rows that a commit
                # whose answer was lost has written already are recognised by their `tries`.
                logger.warning("the database went away, trying again: %s", error)
                connection.close()
                self.leases = {pk: lease for pk, lease in self.leases.items() if lease.term.left() > 0}
                time.sleep(SETTLE_EVERY)
        self.watch.tell_all()
        self.tally.write()

    def _step(self) -> bool:
        """Lease, settle and note once; False when there is nothing left to do."""
        if not self.is_over:
            self._lease_more()
        elif self.is_told_to_stop and not self.is_hurried:
            self.is_hurried = True
            self.hands.hurry(settings.STOP_SECONDS - SETTLING_SECONDS)
        if self.leases:
            self.answered += self.hands.collect(SETTLE_EVERY)
            if self.answered or self._may_note_or_give_back():
                self._turn()
        elif self.is_over or not giveback.due_soon():
            return False
        else:
            time.sleep(SETTLE_EVERY)  # a retry or a token is due within moments
        return True

    @property
    def is_over(self) -> bool:
        """Time is up, a stop was asked for, or the parent died: then nothing new is begun."""
        return time.monotonic() > self.ends or self.is_told_to_stop

    @property
    def is_told_to_stop(self) -> bool:
        return stop_requested.is_set() or os.getppid() != self.parent

    @property
    def room(self) -> int:
        """How many more calls may be intended; those of a batch that was lost meanwhile still count."""
        return settings.DISPATCH_WINDOW - self.hands.in_flight

    def _may_note_or_give_back(self) -> bool:
        if time.monotonic() - self.looked_at > LOOK_EVERY:
            return True
        return any(
            not lease.in_flight or (self.room > 0 and not lease.pass_is_over and not lease.is_held_back)
            for lease in self.leases.values()
        )

    def _lease_more(self) -> None:
        """Hold enough batches to keep the window full, and no more: others may want them."""
        wanted = settings.DISPATCH_WINDOW // settings.BATCH_SIZE + 1
        running = sum(not lease.pass_is_over for lease in self.leases.values())
        if running < wanted and self.room > 0:
            taken = take(self.owner, wanted - running, self.contents, self.hands, self.waiting)
            self.leases |= {lease.batch: lease for lease in taken}
            for lease in taken:
                self.tally.settled(lease.content.lane, lease.found)
                if lease.is_lapsed:
                    self.tally.add("lapses", lane=lease.content.lane)

    def _turn(self) -> None:
        """Settle what was answered and note what comes next, in one transaction; then hand that over."""
        self.looked_at = time.monotonic()
        crash_point("before_settle")
        calls, settled, closed = self._settle_and_note()
        self.answered = []
        self.watch.count(settled)
        self.tally.heard(settled)
        self.window.heard(call for _, call in settled)
        self.hands.wake_at = self.window.wake_at
        crash_point("after_intent" if calls else "after_settle")
        self.hands.submit(calls)
        # Who still holds a batch of it will look again.
        for campaign in closed - {lease.content.campaign for lease in self.leases.values()}:
            finish_if_over(campaign)
        self.watch.pause_where_nothing_is_heard()
        self.tally.write_if_due()

    def _settle_and_note(self) -> tuple[list[Call], list[tuple[Content, Call]], set[int]]:
        """Returns the calls to make, those that were settled, and the campaigns of which a batch was closed."""
        began = time.monotonic()
        with transaction.atomic(), connection.cursor() as cursor:
            statuses = self._hold(cursor)
            self.answered += self.hands.collect(0, besides=len(self.answered))  # what came meanwhile
            counts, settled = self._settle(cursor, self.answered)
            calls = self._note(cursor, statuses, counts, settled)
            for batch, counted in counts.items():
                self.leases[batch].pending -= counted.settled
            heard = [(self.leases[call.batch].content, call) for call in settled]
            trip = Trip(cursor)
            settle.add_up(trip, counts)
            giveback.renew(trip, self.leases.values())
            self.watch.record(trip, [(self.leases[b].content, n) for b, n in counts.items()], heard)
            trip.go()
            left, closed = self._give_back(cursor, statuses)
        for call in settled:
            self.leases[call.batch].in_flight.discard(call)
        for call in calls:
            self.leases[call.batch].in_flight.add(call)
        for lease in self.leases.values():
            lease.handed_up_to = lease.noted_up_to
            lease.term.ends = began + settings.LEASE_SECONDS
        for batch, counted in counts.items():
            self.tally.settled(self.leases[batch].content.lane, counted)
        for batch in left:
            self.leases.pop(batch)
        return calls, heard, closed

    def _hold(self, cursor) -> dict[int, Status]:
        """Hold the campaigns and our batches; one that is somebody else's now is let go without a word."""
        stands, held = hold(cursor, self.leases.values(), self.owner)
        for lost in self.leases.keys() - held.keys():
            campaign = self.leases.pop(lost).content.campaign
            logger.info("batch %s was taken over, letting go", lost, extra={"batch": lost, "campaign": campaign})
        for pk, lease in self.leases.items():
            lease.pending, lease.first_intent_at = held[pk]
            lease.priority = stands[lease.content.campaign][1]
            # Ours is the truth: what a commit whose answer was lost has noted beyond it was never handed over.
            lease.noted_up_to, lease.flying, lease.due_in = lease.handed_up_to, len(lease.in_flight), None
        return {pk: status for pk, (status, _) in stands.items()}

    def _settle(self, cursor, answered: list[Call]) -> tuple[dict[int, settle.Counts], list[Call]]:
        # Only calls of the leases we hold now: after a stall we may have taken our own lapsed batch again, and the
        # answers of the earlier lease are nobody's any more. Their messages were suspects when it was taken.
        settled = [c for c in answered if c.batch in self.leases and c in self.leases[c.batch].in_flight]
        verdicts: dict[int, list[Verdict]] = defaultdict(list)
        for call in settled:
            lease = self.leases[call.batch]
            said = call.standing, call.answer, lease.content.terms, lease.first_intent_at, call.digest
            verdicts[call.batch].append(judge(*said))
            lease.flying -= 1
            lease.asked = max(lease.asked, _asked(call.answer))
        return settle.write(cursor, verdicts), settled

    def _note(
        self, cursor, statuses: dict[int, Status], counts: dict[int, settle.Counts], settled: list[Call]
    ) -> list[Call]:
        """Intents for as many of the next messages as the window allows, and the pace as the answers left it."""
        answers: dict[int, list[object]] = defaultdict(list)
        for call in settled:
            answers[call.batch].append(call.answer)
        calls: list[Call] = []
        room = 0 if self.is_over else self.room
        # In one order for all workers: pace rows are locked one after the other, whatever is done to them.
        in_order = sorted(self.leases.values(), key=lambda lease: (lease.content.lane, lease.batch))
        for lane, leases in groupby(in_order, key=lambda lease: lease.content.lane):
            of_lane = list(leases)
            for chosen in dict.fromkeys(lease.content.chosen for lease in of_lane):
                its = [lease for lease in of_lane if lease.content.chosen == chosen]
                told = [(lease.content.campaign, answer) for lease in its for answer in answers[lease.batch]]
                if not self.watch.close_or_slow_down(cursor, chosen, told):
                    self._let_go_of(chosen)
            sending = [lease for lease in of_lane if statuses[lease.content.campaign] == Status.SENDING]
            calls += self._note_of(cursor, lane, sorted(sending, key=self._turn_of), room - len(calls), counts)
        return calls

    def _turn_of(self, lease: Lease) -> tuple[int, float, int]:
        """Where tokens are short the more urgent campaign has them first, and of equals the one served longer ago."""
        return lease.priority, self.served.get(lease.content.campaign, 0.0), lease.batch

    def _note_of(
        self, cursor, lane: Lane, leases: list[Lease], room: int, counts: dict[int, settle.Counts]
    ) -> list[Call]:
        """Tokens for all leases of a lane are taken at once, and what none of them needs is given back."""
        wanted = min(room, sum(self._places(lease) for lease in leases))
        if wanted <= 0:
            return []
        crash_point("before_intent")
        began = time.monotonic()
        tokens, wait = pace.take(cursor, lane, wanted)
        calls: list[Call] = []
        last = leases[-1].priority  # they come by priority
        first = turns.more_urgent(cursor, lane, last) if 0 < tokens < wanted else None
        for lease in leases:
            yields = first is not None and lease.priority > first
            most = 0 if yields else min(tokens - len(calls), self._places(lease))
            if most:
                noted = intent.note(cursor, lease, most, counts[lease.batch])
                lease.flying += len(noted)
                self.served[lease.content.campaign] = began
                calls += noted
            elif tokens < wanted and self._places(lease):
                lease.due_in = max(wait, turns.YIELD) if yields else wait
                self.waiting[lease.content.campaign] = time.monotonic() + lease.due_in
        if len(calls) < tokens:
            pace.give_back(cursor, lane, tokens - len(calls))
        return calls

    def _places(self, lease: Lease) -> int:
        """How many of its messages may be noted now, as far as its sender is concerned."""
        sender = lease.content.sender
        if lease.pass_is_over:
            return 0
        if sender is None:  # it was paused when it was leased, or its sender is gone: leased again, it has one
            lease.due_in = 0.0
            return 0
        in_hand = sum(other.flying for other in self.leases.values() if other.content.sender is sender)
        places = min(self.window.of_sender(sender) - in_hand, window.of_batch(lease) - lease.flying)
        lease.is_held_back = places <= 0
        return max(0, min(places, lease.last - lease.noted_up_to))

    def _let_go_of(self, chosen: Chosen) -> None:
        """Another sender was chosen than the one that cannot be reached: the batches are leased anew, for that one."""
        self.contents = {pk: content for pk, content in self.contents.items() if content.chosen != chosen}
        for lease in self.leases.values():
            if lease.content.chosen == chosen:
                lease.content = replace(lease.content, sender=None)

    def _give_back(self, cursor, statuses: dict[int, Status]) -> tuple[set[int], set[int]]:
        """The batches that leave our hands, and the campaigns that may be over by that."""
        left, closed = set(), set()
        for lease in self.leases.values():
            status = statuses[lease.content.campaign]
            if lease.flying or (status == Status.SENDING and self._goes_on(lease)):
                continue
            if status == Status.CANCELLED:
                self.tally.settled(lease.content.lane, giveback.cancel(cursor, lease))
            elif not lease.pending:
                giveback.close(cursor, lease)
            elif status == Status.SENDING and lease.pass_is_over:
                giveback.put_off(cursor, lease)
            else:
                giveback.let_go(cursor, lease)
            left.add(lease.batch)
            if status == Status.CANCELLED or not lease.pending:
                closed.add(lease.content.campaign)
        return left, closed

    def _goes_on(self, lease: Lease) -> bool:
        return bool(lease.pending) and not lease.pass_is_over and not self.is_over and lease.due_in is None


def _asked(answer: object) -> float:
    """For how many seconds the provider puts this one message off."""
    if not isinstance(answer, Busy) or not answer.counts or answer.category == "rate_limited":
        return 0
    return answer.retry_after or 0
