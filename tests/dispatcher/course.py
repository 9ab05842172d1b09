"""What can happen in the state machine, one function each; after each the overseer looks at everything."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta

from django.db import connection
from django.db.models import F
from django.db.models.functions import Now
from django.test import override_settings

from campaigns.models import Campaign, IllegalMove
from dispatcher import clock, operations, senders
from dispatcher.models import Batch, Message
from dispatcher.readiness import LaunchRefused
from people.models import Recipient
from people.recipients import DuplicateRecipient, change_recipient
from tests.dispatcher.overseer import Move, Overseer
from tests.dispatcher.stepping import Worker
from tests.dispatcher.world import UNSURE, World
from tests.make import make_campaign, make_workspace

ROUNDS = 60  # in which honest workers bring anything to its end
A_DAY = timedelta(hours=25)  # and a bit
NOBODY_WAITS = """
    UPDATE dispatcher_pace SET closed_until = now(), slowed_at = now() - interval '1 hour', refilled_at = now()
"""


class Course:
    """One workspace with a campaign that is being sent and one that may be launched, and two workers."""

    def __init__(self, world: World, *, policy: int, people: int, size: int, window: int) -> None:
        with connection.cursor() as cursor:  # with the same numbers each time, so that a course can be repeated
            cursor.execute("TRUNCATE accounts_workspace RESTART IDENTITY CASCADE")
        self.world = world
        senders.SENDERS["scripted"] = world  # type: ignore[assignment]
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
        self.workers = [self.hire(), self.hire()]
        self.overseer = Overseer(self.campaigns, world, window)
        self.is_sound = True

    def hire(self) -> Worker:
        self.hired += 1
        return Worker(f"worker {self.hired}", self.world)

    @contextmanager
    def step(self, *moves: Move) -> Iterator[None]:
        """What happens in it leaves everything as it must be, and moves messages only as machines and these may."""
        self.is_sound = False
        yield
        self.overseer.look(self.workers, moves)
        self.is_sound = True

    # --- workers ---

    def go_on(self, worker: Worker) -> None:
        before = self.gone_before.get(worker.name, frozenset())
        self.gone_before[worker.name] = self.gone
        with self.step():
            worker.go_on()
            fresh, worker.hands.fresh = worker.hands.fresh, []
            # Their intent was committed in the step before this one.
            to = {self.overseer.person[call.standing.id] for call in fresh}
            assert not before & to, "somebody is written to who did not want that"

    def go_until(self, worker: Worker, is_there: Callable[[], object], most: int = 5) -> None:
        """At most a turn and a bit; who has nothing to do is left alone."""
        for _ in range(most):
            self.go_on(worker)
            if is_there() or worker.at == "between shifts":
                break

    def answer(self, worker: Worker, which: int, kind: str) -> None:
        call = worker.hands.flying[which % len(worker.hands.flying)]
        with self.step():
            worker.hands.answer(call, kind)
            self.overseer.heard[call.standing.id] += 1
            if kind in UNSURE:
                self.overseer.doubted.add(call.standing.id)

    def kill(self, who: int) -> None:
        self.workers[who].kill()
        self.workers[who] = self.hire()

    def lapse(self, *batches) -> None:
        """Leases end; whoever holds them does not know yet."""
        self.overseer.doubt(batches)
        Batch.objects.filter(pk__in=[batch.id for batch in batches]).update(due_at=Now())

    # --- time ---

    def end_waits(self) -> None:
        Batch.objects.filter(due_at__gt=Now(), owner="").update(due_at=Now())
        Campaign.objects.filter(held_until__gt=Now()).update(held_until=Now())
        with connection.cursor() as cursor:
            cursor.execute(NOBODY_WAITS)
        for worker in self.workers:
            worker.shift.waiting.clear()

    def let_a_day_pass(self) -> None:
        """Nobody works meanwhile, the provider forgets its keys, and patience ends."""
        for who in range(2):
            self.kill(who)
        self.lapse(*self.overseer.held())
        self.world.forget()
        messages = Message.objects.filter(campaign__in=self.campaigns)
        messages.update(in_doubt_since=F("in_doubt_since") - A_DAY, gives_up_at=F("gives_up_at") - A_DAY)
        Batch.objects.filter(campaign__in=self.campaigns).update(first_intent_at=F("first_intent_at") - A_DAY)
        self.end_waits()

    # --- people ---

    def ask(self, which: int, verb: Callable, *moves: Move) -> None:
        with self.step(*moves), suppress(IllegalMove, LaunchRefused):
            verb(self.campaigns[which % 2], by=None)

    def move(self, person: Recipient, address: str) -> None:
        with self.step(), suppress(DuplicateRecipient):
            change_recipient(person, by=None, email=address)

    def lose(self, person: Recipient, *, is_erased: bool) -> None:
        """By being erased, or by opting out."""
        number = person.pk
        with self.step():
            if is_erased:
                person.delete()
            else:
                change_recipient(person, by=None, opted_out=True)
        self.gone |= {number}
        self.people = [other for other in self.people if other is not person]

    # --- the end ---

    def leave(self) -> None:
        for worker in self.workers:
            worker.kill()
        self.override.disable()

    def come_to_an_end(self) -> None:
        """Nobody is lost any more, and the provider answers: nothing stays open."""
        self.world.is_closed = False
        for which in range(2):
            self.ask(which, resume_if_paused)
        for _ in range(ROUNDS):
            if not self.open():
                break
            for worker in self.workers:
                self._work_honestly(worker)
            with self.step():
                in_hand = {batch for worker in self.workers for batch in worker.shift.leases}
                self.lapse(*(batch for batch in self.overseer.held() if batch.id not in in_hand))
                self.end_waits()
                clock.carry_on_preparing()
                clock.finish_the_finished()
        assert not self.open(), f"{self.open()} never came to an end"

    def open(self) -> list[Campaign]:
        ids = [campaign.pk for campaign in self.campaigns]
        return list(Campaign.objects.filter(pk__in=ids, launched_at__isnull=False, finished_at=None))

    def _work_honestly(self, worker: Worker) -> None:
        for _ in range(20):
            for _ in range(len(worker.hands.flying)):
                self.answer(worker, 0, "accept")
            self.go_on(worker)
            if worker.at == "between shifts":
                break


def resume_if_paused(campaign: Campaign, *, by: None) -> None:
    campaign.refresh_from_db()
    if campaign.status == Campaign.Status.PAUSED:
        operations.resume(campaign, by=by)
