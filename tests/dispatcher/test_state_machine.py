"""Whatever happens in whatever order, the books balance after every step and every campaign can be brought to its end.

The engine's own shifts, two at a time and step by step, on the real schema; only the provider and the time that passes
are ours. Receipts that arrive later are no part of it: there is no verb for them yet.
"""

from functools import partial

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule, run_state_machine_as_test

from accounts.models import Workspace
from campaigns.models import Campaign
from dispatcher import clock, operations, senders, shelf, verdicts
from dispatcher.models import Category
from tests.dispatcher.course import Course
from tests.dispatcher.overseer import ASSUME, RETRY, SEND_AGAIN
from tests.dispatcher.stepping import stop_at_points
from tests.dispatcher.world import KINDS, World

pytestmark = pytest.mark.django_db(transaction=True)
PRIORITIES = [partial(operations.change_priority, to=priority) for priority in Campaign.Priority]
VERBS = [
    *[operations.pause] * 3, *[operations.resume] * 4, *[operations.launch] * 2, operations.cancel, shelf.archive,
    *[partial(operations.launch, undo_seconds=9)] * 2, *[operations.undo] * 2, *PRIORITIES,
]  # fmt: skip
SECOND_THOUGHTS = {
    operations.retry_failed: RETRY,
    operations.send_again: SEND_AGAIN,
    operations.assume_delivered: ASSUME,
}
WHOM = [None, None, 1, 2, 3, Category.REJECTED, Category.PROVIDER_DOWN]
ADDRESSES = ["here@example.com", "there@example.com"]
some = st.integers(0, 9)  # one of those there are, counted around
kinds = st.sampled_from(KINDS)


class AnyCourse(RuleBasedStateMachine):
    """Draws what happens next."""

    course: Course | None = None

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
        world = World(honours_keys=honours, remembers_refusals=remembers, at_once=at_once)
        self.course = Course(world, policy=policy, people=people, size=size, window=window)

    def teardown(self):
        if self.course:
            try:
                if self.course.is_sound:
                    self.course.come_to_an_end()
            finally:
                self.course.leave()

    # --- workers ---

    def works(self, who, kinds):
        """As soon as anything is due: to its next calls, which get these answers, and on until they are settled."""
        worker = self.course.workers[who % 2]
        with self.course.step():
            self.course.world.is_closed = False
            self.course.end_waits()
        self.course.go_until(worker, lambda: worker.hands.flying)
        for kind in kinds[: len(worker.hands.flying)]:
            self.course.answer(worker, 0, kind)
        self.course.go_until(worker, lambda: worker.at in ("after_intent", "after_settle"))

    # Every rule is as likely as any other, and this is what happens most of the time.
    work = rule(who=some, kinds=st.lists(kinds, min_size=1, max_size=3))
    works, works_on, works_more = work(works), work(works), work(works)

    @rule(who=some, steps=st.integers(1, 4))
    def goes_on(self, who, steps):
        self.course.go_until(self.course.workers[who % 2], lambda: False, most=steps)

    @precondition(lambda self: any(worker.hands.flying for worker in self.course.workers))
    @rule(who=some, which=some, kind=kinds)
    def answers(self, who, which, kind):
        waiting = [worker for worker in self.course.workers if worker.hands.flying]
        self.course.answer(waiting[who % len(waiting)], which, kind)

    @rule(who=some, mishap=st.sampled_from(["killed", "killed", "stopped", "lost", "unheard"]))
    def is_interrupted(self, who, mishap):
        """By kill -9, by SIGTERM, or by a cut connection, before a commit was done or before it was heard of."""
        worker = self.course.workers[who % 2]
        if mishap == "killed":
            with self.course.step():
                self.course.kill(who % 2)
        elif mishap == "stopped":
            worker.shift.ends = 0
        else:
            worker.commit_fate = mishap

    @precondition(lambda self: self.course.overseer.held())
    @rule(which=some)
    def lapses(self, which):
        held = self.course.overseer.held()
        with self.course.step():
            self.course.lapse(held[which % len(held)])

    # --- the world ---

    @rule(what=st.sampled_from(["late", "the clock", "closed", "closed", "a day"]))
    def it_is(self, what):
        with self.course.step():
            if what == "late":
                self.course.end_waits()
            elif what == "the clock":
                clock.carry_on_preparing()
                clock.finish_the_finished()
            elif what == "closed":
                self.course.world.is_closed = True
            else:
                self.course.let_a_day_pass()

    @precondition(lambda self: self.course.world.travelling)
    @rule(which=some)
    def arrives_late(self, which):
        travelling = self.course.world.travelling
        with self.course.step():
            self.course.world.arrive(travelling.pop(which % len(travelling)))

    # --- people ---

    @rule(which=some, verb=st.sampled_from(VERBS))
    def presses(self, which, verb):
        self.course.ask(which, verb)

    @precondition(lambda self: self.course.overseer.is_troubled())
    @rule(which=some, verb=st.sampled_from(list(SECOND_THOUGHTS)), whom=st.sampled_from(WHOM))
    def thinks_again(self, which, verb, whom):
        """About all, about one message, or of those that failed about one cause."""
        how = {"numbers": [whom]} if whom and not isinstance(whom, Category) else {}
        if isinstance(whom, Category) and verb == operations.retry_failed:
            how = {"category": whom}
        self.course.ask(which, partial(verb, **how), SECOND_THOUGHTS[verb])

    @precondition(lambda self: self.course.people)
    @rule(which=some, how=st.sampled_from(["erased", "opted out", *ADDRESSES]))
    def changes(self, which, how):
        person = self.course.people[which % len(self.course.people)]
        if how in ADDRESSES:
            self.course.move(person, how)
        else:
            self.course.lose(person, is_erased=how == "erased")


def test_the_books_balance_after_every_step_of_any_course_of_events(monkeypatch):
    monkeypatch.setitem(senders.SENDERS, "scripted", None)  # each course puts its own there
    hour = 3600  # so that no wait ends by itself
    for policy, waits in verdicts.WAITS.items():
        monkeypatch.setitem(verdicts.WAITS, policy, tuple(wait * hour for wait in waits))
    stop_at_points(monkeypatch)
    run_state_machine_as_test(AnyCourse, settings=LENGTH)


# The same courses each time, unless more are asked for by a profile: see CONTRIBUTING.
LENGTH = settings(deadline=None, stateful_step_count=50, suppress_health_check=list(HealthCheck))
if settings.get_current_profile_name() == "default":
    LENGTH = settings(LENGTH, max_examples=15, derandomize=True)
