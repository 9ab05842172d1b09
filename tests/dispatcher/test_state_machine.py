"""Whatever happens in whatever order, the books balance after every step and every campaign can be brought to its end.

The engine's own shifts, two at a time and step by step, on the real schema; only the provider and the time that passes
are ours. Receipts that arrive later are no part of it: there is no verb for them yet.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from functools import partial

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
from people.recipients import DuplicateRecipient, change_recipient
from tests.dispatcher.overseer import ASSUME, RETRY, SEND_AGAIN, Moves, Overseer
from tests.dispatcher.stepping import Worker, stop_at_points
from tests.dispatcher.world import KINDS, UNSURE, World
from tests.make import make_campaign, make_workspace

pytestmark = pytest.mark.django_db(transaction=True)
ROUNDS = 60  # in which honest workers bring anything to its end
A_DAY = timedelta(hours=25)  # and a bit
NOBODY_WAITS = """
    UPDATE dispatcher_pace SET closed_until = now(), slowed_at = now() - interval '1 hour', refilled_at = now()
"""
PRIORITIES = [partial(operations.change_priority, to=priority) for priority in Campaign.Priority]
VERBS = [
    *[operations.pause] * 3, *[operations.resume] * 4, *[operations.launch] * 3, operations.cancel, shelf.archive,
    *PRIORITIES,
]  # fmt: skip
SECOND_THOUGHTS = {
    operations.retry_failed: RETRY,
    operations.send_again: SEND_AGAIN,
    operations.assume_delivered: ASSUME,
}
ADDRESSES = ["here@example.com", "there@example.com"]
WHOM = [None, None, 1, 2, 3, Category.REJECTED, Category.PROVIDER_DOWN]
some = st.integers(0, 9)  # one of those there are, counted around
kinds = st.sampled_from(KINDS)


class CourseOfEvents(RuleBasedStateMachine):
    """Two workers, a provider, and people who press buttons."""

    @initialize(
        honours=st.booleans(),
        remembers=st.booleans(),
        at_once=st.sampled_from([None, None, 1, 2]),
        policy=st.sampled_from([Workspace.RetryPolicy.STANDARD, Workspace.RetryPolicy.NONE]),
        people=st.integers(2, 5),
        size=st.integers(2, 3),
        window=st.integers(1, 3),
    )
    def opens(self, honours, remembers, at_once, policy, people, size, window):
        with connection.cursor() as cursor:  # with the same numbers each time, so that a course can be repeated
            cursor.execute("TRUNCATE accounts_workspace RESTART IDENTITY CASCADE")
        self.world = World(honours_keys=honours, remembers_refusals=remembers, at_once=at_once)
        senders.SENDERS["scripted"] = self.world
        self.override = override_settings(
            SENDERS=dict.fromkeys(("email", "sms", "whatsapp"), "scripted"),
            BATCH_SIZE=size,
            DISPATCH_WINDOW=window,
            LEASE_SECONDS=100_000,  # a lease ends when the test says so
        )
        self.override.enable()
        first = make_campaign(make_workspace(retry_policy=policy), people=people)
        self.campaigns = [first, make_campaign(first.workspace, priority=Campaign.Priority.URGENT)]
        self.people = list(first.workspace.recipients.order_by("pk"))
        self.gone: frozenset[int] = frozenset()  # people nobody may write to any more
        self.gone_before: dict[str, frozenset[int]] = {}  # the last step of each worker
        operations.launch(first, by=None)
        self.hired = 0
        self.workers = [self._hire(), self._hire()]
        self.overseer = Overseer(self.campaigns, self.world, window)
        self.is_sound = True

    def _hire(self) -> Worker:
        self.hired += 1
        return Worker(f"worker {self.hired}", self.world)

    @contextmanager
    def _step(self, *moves: Moves) -> Iterator[None]:
        """What happens in it leaves everything as it must be."""
        self.is_sound = False
        yield
        self.overseer.look(self.workers, moves)
        self.is_sound = True

    # --- workers ---

    @rule(who=some, steps=st.integers(1, 4))
    def goes_on(self, who, steps):
        self._go_until(self.workers[who % 2], lambda: False, most=steps)

    def _go_on(self, worker: Worker) -> None:
        before = self.gone_before.get(worker.name, frozenset())
        self.gone_before[worker.name] = self.gone
        with self._step():
            worker.go_on()
            fresh, worker.hands.fresh = worker.hands.fresh, []
            # Their intent was committed in the step before this one.
            to = {self.overseer.person[call.standing.id] for call in fresh}
            assert not before & to, "somebody is written to who did not want that"

    @precondition(lambda self: any(worker.hands.flying for worker in self.workers))
    @rule(who=some, which=some, kind=kinds)
    def answers(self, who, which, kind):
        waiting = [worker for worker in self.workers if worker.hands.flying]
        self._answer(waiting[who % len(waiting)], which, kind)

    def _answer(self, worker: Worker, which: int, kind: str) -> None:
        call = worker.hands.flying[which % len(worker.hands.flying)]
        with self._step():
            worker.hands.answer(call, kind)
            if kind in UNSURE:
                self.overseer.doubted.add(call.standing.id)

    def works(self, who, kinds):
        """As soon as anything is due: to its next calls, which get these answers, and on until they are settled."""
        worker = self.workers[who % 2]
        with self._step():
            self.world.is_closed = False
            self._end_waits()
        self._go_until(worker, lambda: worker.hands.flying)
        for kind in kinds[: len(worker.hands.flying)]:
            self._answer(worker, 0, kind)
        self._go_until(worker, lambda: worker.at in ("after_intent", "after_settle"))

    def _go_until(self, worker: Worker, is_there: Callable, most: int = 5) -> None:
        """At most a turn and a bit; who has nothing to do is left alone."""
        for _ in range(most):
            self._go_on(worker)
            if is_there() or worker.at == "between shifts":
                break

    # Every rule is as likely as any other, and this is what happens most of the time.
    work = rule(who=some, kinds=st.lists(kinds, min_size=1, max_size=3))
    works, works_on, works_more = work(works), work(works), work(works)

    @rule(who=some, mishap=st.sampled_from(["killed", "killed", "stopped", "lost", "unheard"]))
    def is_interrupted(self, who, mishap):
        """By kill -9, by SIGTERM, or by a cut connection, before a commit was done or before it was heard of."""
        worker = self.workers[who % 2]
        if mishap == "killed":
            with self._step():
                self._kill(who % 2)
        elif mishap == "stopped":
            worker.shift.ends = 0
        else:
            worker.commit_fate = mishap

    def _kill(self, who: int) -> None:
        self.workers[who].kill()
        self.workers[who] = self._hire()

    @precondition(lambda self: self.overseer.held())
    @rule(which=some)
    def lapses(self, which):
        """A lease ends; whoever holds it does not know yet."""
        held = self.overseer.held()
        with self._step():
            self._lapse(held[which % len(held)])

    def _lapse(self, *batches) -> None:
        self.overseer.doubt(batches)
        Batch.objects.filter(pk__in=[batch.id for batch in batches]).update(due_at=Now())

    # --- the world ---

    @rule(what=st.sampled_from(["late", "the clock", "closed", "closed", "a day"]))
    def it_is(self, what):
        with self._step():
            if what == "late":
                self._end_waits()
            elif what == "the clock":
                clock.finish_the_finished()
            elif what == "closed":
                self.world.is_closed = True
            else:
                self._let_a_day_pass()

    def _end_waits(self) -> None:
        Batch.objects.filter(due_at__gt=Now(), owner="").update(due_at=Now())
        with connection.cursor() as cursor:
            cursor.execute(NOBODY_WAITS)
        for worker in self.workers:
            worker.shift.waiting.clear()

    def _let_a_day_pass(self) -> None:
        """Nobody works meanwhile, the provider forgets its keys, and patience ends."""
        for who in range(2):
            self._kill(who)
        self._lapse(*self.overseer.held())
        self.world.forget()
        messages = Message.objects.filter(campaign__in=self.campaigns)
        messages.update(in_doubt_since=F("in_doubt_since") - A_DAY, gives_up_at=F("gives_up_at") - A_DAY)
        Batch.objects.filter(campaign__in=self.campaigns).update(first_intent_at=F("first_intent_at") - A_DAY)
        self._end_waits()

    @precondition(lambda self: self.world.travelling)
    @rule(which=some)
    def arrives_late(self, which):
        with self._step():
            self.world.arrive(self.world.travelling.pop(which % len(self.world.travelling)))

    # --- people ---

    @rule(which=some, verb=st.sampled_from(VERBS))
    def presses(self, which, verb):
        self._ask(which, verb)

    @precondition(lambda self: self.overseer.troubled())
    @rule(which=some, verb=st.sampled_from(list(SECOND_THOUGHTS)), whom=st.sampled_from(WHOM))
    def thinks_again(self, which, verb, whom):
        """About all, about one message, or of those that failed about one cause."""
        if isinstance(whom, Category) and verb != operations.retry_failed:
            whom = None
        how = {"category": whom} if isinstance(whom, Category) else {"numbers": [whom]} if whom else {}
        self._ask(which, partial(verb, **how), SECOND_THOUGHTS[verb])

    def _ask(self, which: int, verb: Callable, *moves: tuple[Message.Status, Message.Status]) -> None:
        with self._step(*moves), suppress(IllegalMove, operations.LaunchRefused):
            verb(self.campaigns[which % 2], by=None)

    @precondition(lambda self: self.people)
    @rule(which=some, how=st.sampled_from(["erased", "opted out", *ADDRESSES]))
    def changes(self, which, how):
        """Somebody moves, opts out, or is erased."""
        person = self.people[which % len(self.people)]
        number = person.pk
        with self._step(), suppress(DuplicateRecipient):
            if how == "erased":
                person.delete()
            elif how == "opted out":
                change_recipient(person, by=None, opted_out=True)
            else:
                change_recipient(person, by=None, email=how)
        if how not in ADDRESSES:
            self.gone |= {number}
            self.people.remove(person)

    # --- the end ---

    def teardown(self):
        try:
            if getattr(self, "is_sound", False):
                self._come_to_an_end()
        finally:
            for worker in getattr(self, "workers", []):
                worker.kill()
            if hasattr(self, "override"):
                self.override.disable()

    def _come_to_an_end(self) -> None:
        """Nobody is lost any more, and the provider answers: nothing stays open."""
        self.world.is_closed = False
        for which in range(2):
            self._ask(which, self._resume_if_paused)
        for _ in range(ROUNDS):
            if not self._open():
                break
            for worker in self.workers:
                self._work_honestly(worker)
            with self._step():
                in_hand = {batch for worker in self.workers for batch in worker.shift.leases}
                self._lapse(*(batch for batch in self.overseer.held() if batch.id not in in_hand))
                self._end_waits()
                clock.finish_the_finished()
        assert not self._open(), f"{self._open()} never came to an end"

    def _resume_if_paused(self, campaign: Campaign, *, by: None) -> None:
        campaign.refresh_from_db()
        if campaign.status == Campaign.Status.PAUSED:
            operations.resume(campaign, by=by)

    def _open(self) -> list[Campaign]:
        ids = [campaign.pk for campaign in self.campaigns]
        return list(Campaign.objects.filter(pk__in=ids, launched_at__isnull=False, finished_at=None))

    def _work_honestly(self, worker: Worker) -> None:
        for _ in range(20):
            for _ in range(len(worker.hands.flying)):
                self._answer(worker, 0, "accept")
            self._go_on(worker)
            if worker.at == "between shifts":
                break


def test_the_books_balance_after_every_step_of_any_course_of_events(monkeypatch):
    monkeypatch.setitem(senders.SENDERS, "scripted", None)  # each course puts its own there
    hour = 3600  # so that no wait ends by itself
    for policy, waits in verdicts.WAITS.items():
        monkeypatch.setitem(verdicts.WAITS, policy, tuple(wait * hour for wait in waits))
    stop_at_points(monkeypatch)
    run_state_machine_as_test(CourseOfEvents, settings=LENGTH)


# The same courses each time, unless more are asked for by a profile: see CONTRIBUTING.
LENGTH = settings(deadline=None, stateful_step_count=50, suppress_health_check=list(HealthCheck))
if settings.get_current_profile_name() == "default":
    LENGTH = settings(LENGTH, max_examples=15, derandomize=True)
