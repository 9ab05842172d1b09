"""Whatever happens in whatever order, the books balance after every step and every campaign can be brought to its end.

The engine's own shifts, two at a time and step by step, on the real schema; only the provider and the clock on the
wall are ours. Receipts that arrive later are no part of it: there is no verb for them yet.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta

import pytest
from django.db import connection
from django.db.models import F
from django.db.models.functions import Now
from django.test import override_settings
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule, run_state_machine_as_test

from accounts.models import Workspace
from campaigns.models import Campaign, IllegalMove
from dispatcher import clock, operations, senders, shelf, verdicts
from dispatcher.models import Batch, Category, Message
from people.recipients import change_recipient
from tests.dispatcher.overseer import ASSUME, RETRY, SEND_AGAIN, Moves, Overseer
from tests.dispatcher.stepping import Worker, stop_at_points
from tests.dispatcher.world import KINDS, UNSURE, World
from tests.make import make_campaign, make_workspace

pytestmark = pytest.mark.django_db(transaction=True)
ROUNDS = 60  # in which honest workers bring anything to its end
NOBODY_WAITS = """
    UPDATE dispatcher_pace SET closed_until = now(), slowed_at = now() - interval '1 hour', refilled_at = now()
"""
A_DAY_AND_A_BIT = timedelta(hours=25)
some = st.integers(0, 9)  # one of those there are, counted around
kinds = st.sampled_from(KINDS)


class CourseOfEvents(RuleBasedStateMachine):
    """Workers, a provider and people who press buttons."""

    @initialize(
        honours=st.booleans(),
        remembers=st.booleans(),
        at_once=st.sampled_from([None, None, 1, 2]),
        policy=st.sampled_from(Workspace.RetryPolicy),
        people=st.integers(2, 5),
        size=st.integers(2, 3),
        window=st.integers(1, 3),
    )
    def opens(self, honours, remembers, at_once, policy, people, size, window):
        self.world = World(honours_keys=honours, remembers_refusals=remembers, at_once=at_once)
        self.override = override_settings(
            SENDERS=dict.fromkeys(("email", "sms", "whatsapp"), "scripted"),
            BATCH_SIZE=size,
            DISPATCH_WINDOW=window,
            LEASE_SECONDS=100_000,  # a lease ends when the test says so
        )
        self.override.enable()
        senders.SENDERS["scripted"] = self.world
        first = make_campaign(make_workspace(retry_policy=policy), people=people)
        self.campaigns = [first, make_campaign(first.workspace, priority=Campaign.Priority.URGENT)]
        self.people = list(first.workspace.recipients.order_by("pk"))
        operations.launch(first, by=None)
        self.hired, self.gone = 0, frozenset()
        self.seen: dict[str, frozenset[str]] = {}  # by worker: who was gone before its last step
        self.workers = [self._hire(), self._hire()]
        self.overseer = Overseer(self.campaigns, self.world, window)
        self.is_sound = True

    def _hire(self) -> Worker:
        self.hired += 1
        return Worker(f"worker {self.hired}", self.world)

    @contextmanager
    def _step(self, moves: Moves = ()) -> Iterator[None]:
        """What happens in it leaves everything as it must be."""
        self.is_sound = False
        yield
        self.overseer.look(self.workers, moves)
        self.is_sound = True

    # --- workers ---

    @rule(who=some, steps=st.integers(1, 6))
    def goes_on(self, who, steps):
        for _ in range(steps):
            self._go_on(self.workers[who % 2])

    def _go_on(self, worker: Worker) -> None:
        before = self.seen.get(worker.name, frozenset())
        self.seen[worker.name] = self.gone
        with self._step():
            worker.go_on()
            fresh, worker.hands.fresh = worker.hands.fresh, []
            # Their intent was committed in the step before.
            assert not before & {call.make().to for call in fresh}, "somebody is written to who did not want that"

    @precondition(lambda self: any(worker.hands.flying for worker in self.workers))
    @rule(who=some, which=some, kind=kinds)
    def answers(self, who, which, kind):
        busy = [worker for worker in self.workers if worker.hands.flying]
        self._answer(busy[who % len(busy)], which, kind)

    def _answer(self, worker: Worker, which: int, kind: str) -> None:
        call = worker.hands.flying[which % len(worker.hands.flying)]
        with self._step():
            worker.hands.answer(call, kind)
            if kind in UNSURE:
                self.overseer.doubted.add(call.standing.id)

    @rule(who=some, kinds=st.lists(kinds, min_size=1, max_size=3))
    def works(self, who, kinds):
        """To its next call, which gets these answers, and on until they are settled."""
        worker = self.workers[who % 2]
        for _ in range(8):
            if worker.hands.flying:
                break
            self._go_on(worker)
        for kind in kinds[: len(worker.hands.flying)]:
            self._answer(worker, 0, kind)
        for _ in range(3):
            self._go_on(worker)

    @rule(who=some)
    def is_killed(self, who):
        with self._step():
            self._kill(who % 2)

    def _kill(self, who: int) -> None:
        self.workers[who].kill()
        self.workers[who] = self._hire()

    @rule(who=some, fate=st.sampled_from(["lost", "unheard"]))
    def loses_its_connection_in_a_commit(self, who, fate):
        self.workers[who % 2].commit_fate = fate

    @rule(who=some)
    def is_asked_to_stop(self, who):
        self.workers[who % 2].shift.ends = 0

    @rule(which=some)
    def lapses(self, which):
        """A lease ends; whoever holds it does not know yet."""
        held = [batch for batch in self.overseer.batches.values() if batch.owner and batch.due_at]
        if held:
            with self._step():
                self._lapse(held[which % len(held)])

    def _lapse(self, *batches: Batch) -> None:
        self.overseer.doubt(batches)
        Batch.objects.filter(pk__in=[batch.pk for batch in batches]).update(due_at=Now())

    # --- the world ---

    @rule()
    def waits_are_over(self):
        with self._step():
            self._end_waits()

    def _end_waits(self) -> None:
        Batch.objects.filter(due_at__gt=Now(), owner="").update(due_at=Now())
        with connection.cursor() as cursor:
            cursor.execute(NOBODY_WAITS)
        for worker in self.workers:
            worker.shift.waiting.clear()

    @rule()
    def a_day_passes(self):
        """Nobody works meanwhile, the provider forgets its keys, and patience ends."""
        with self._step():
            for who in range(2):
                self._kill(who)
            self._lapse(*(batch for batch in self.overseer.batches.values() if batch.owner and batch.due_at))
            self.world.forget()
            ago = A_DAY_AND_A_BIT
            messages = Message.objects.filter(campaign__in=self.campaigns)
            messages.update(in_doubt_since=F("in_doubt_since") - ago, gives_up_at=F("gives_up_at") - ago)
            Batch.objects.filter(campaign__in=self.campaigns).update(first_intent_at=F("first_intent_at") - ago)
            self._end_waits()

    @precondition(lambda self: self.world.travelling)
    @rule(which=some)
    def arrives_late(self, which):
        with self._step():
            self.world.arrive(self.world.travelling.pop(which % len(self.world.travelling)))

    @rule(is_closed=st.booleans())
    def the_provider_closes_or_opens(self, is_closed):
        self.world.is_closed = is_closed

    @rule()
    def the_clock_finishes_what_is_over(self):
        with self._step():
            clock.finish_the_finished()

    # --- people ---

    @rule(
        which=some,
        verb=st.sampled_from(
            [
                operations.pause,
                operations.pause,
                operations.resume,
                operations.resume,
                operations.resume,
                operations.launch,
                operations.cancel,
                shelf.archive,
            ]
        ),
    )
    def presses(self, which, verb):
        self._ask(which, lambda campaign: verb(campaign, by=None))

    @rule(which=some, to=st.sampled_from(Campaign.Priority))
    def changes_the_priority(self, which, to):
        self._ask(which, lambda campaign: operations.change_priority(campaign, to=to, by=None))

    @rule(which=some, category=st.sampled_from([None, *Category]), number=st.sampled_from([None, 1, 2, 3]))
    def retries_failed(self, which, category, number):
        whom = {"category": category} if number is None else {"numbers": [number]}
        self._ask(which, lambda campaign: operations.retry_failed(campaign, by=None, **whom), RETRY)

    @rule(which=some, number=st.sampled_from([None, 1, 2, 3]))
    def sends_again(self, which, number):
        numbers = [number] if number else None
        self._ask(which, lambda campaign: operations.send_again(campaign, by=None, numbers=numbers), SEND_AGAIN)

    @rule(which=some, number=st.sampled_from([None, 1, 2, 3]))
    def assumes_delivery(self, which, number):
        numbers = [number] if number else None
        self._ask(which, lambda campaign: operations.assume_delivered(campaign, by=None, numbers=numbers), ASSUME)

    def _ask(self, which: int, verb: Callable, *moves: tuple[Message.Status, Message.Status]) -> None:
        with self._step(moves), suppress(IllegalMove, operations.LaunchRefused):
            verb(self.campaigns[which % 2])

    @precondition(lambda self: self.people)
    @rule(which=some)
    def opts_out(self, which):
        person = self.people[which % len(self.people)]
        with self._step():
            change_recipient(person, by=None, opted_out=True)
        self.gone |= {person.email}

    @precondition(lambda self: self.people)
    @rule(which=some)
    def is_erased(self, which):
        person = self.people.pop(which % len(self.people))
        with self._step():
            person.delete()
        self.gone |= {person.email}

    # --- the end ---

    def teardown(self):
        try:
            if getattr(self, "is_sound", False):
                self._come_to_an_end()
        finally:
            for worker in getattr(self, "workers", []):
                worker.kill()
            Campaign.objects.filter(finished_at=None).update(status=Campaign.Status.CANCELLED, finished_at=Now())
            if hasattr(self, "override"):
                self.override.disable()

    def _come_to_an_end(self) -> None:
        """Nobody is lost any more, and the provider answers: nothing stays open."""
        self.world.is_closed = False
        for which, campaign in enumerate(self.campaigns):
            campaign.refresh_from_db()
            if campaign.status == Campaign.Status.PAUSED:
                self._ask(which, lambda campaign: operations.resume(campaign, by=None))
        for _ in range(ROUNDS):
            if not self._open():
                break
            for worker in self.workers:
                self._work_honestly(worker)
            with self._step():
                names = [worker.name for worker in self.workers]
                batches = self.overseer.batches.values()
                self._lapse(*(b for b in batches if b.owner and b.owner not in names and b.due_at))
                self._end_waits()
        assert not self._open(), f"{self._open()} never came to an end"

    def _open(self) -> list[Campaign]:
        ids = [campaign.pk for campaign in self.campaigns]
        return list(Campaign.objects.filter(pk__in=ids, launched_at__isnull=False, finished_at=None))

    def _work_honestly(self, worker: Worker) -> None:
        for _ in range(6):
            for _ in range(len(worker.hands.flying)):
                self._answer(worker, 0, "accept")
            self._go_on(worker)


def test_the_books_balance_after_every_step_of_any_course_of_events(monkeypatch):
    monkeypatch.setitem(senders.SENDERS, "scripted", None)  # taken out again at the end
    hour = 3600  # so that no wait ends by itself
    for policy, waits in verdicts.WAITS.items():
        monkeypatch.setitem(verdicts.WAITS, policy, tuple(wait * hour for wait in waits))
    stop_at_points(monkeypatch)
    run_state_machine_as_test(CourseOfEvents, settings=LENGTH)


LENGTH = settings(
    deadline=None,
    stateful_step_count=40,
    suppress_health_check=list(HealthCheck),
)
if settings.get_current_profile_name() == "default":
    LENGTH = settings(LENGTH, max_examples=40, derandomize=True)
