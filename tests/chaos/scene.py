"""What a fault has at hand: the house, chance, the campaigns under way, and a place to write down what happened."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from random import Random
from typing import TypeVar

from django.conf import settings
from django.db import InterfaceError, OperationalError, connection
from django.db.models import Sum
from django.test import Client
from django.utils import timezone
from django.utils.crypto import get_random_string

from accounts.models import ApiKey, Role
from campaigns.models import Campaign, IllegalMove
from dispatcher import operations
from dispatcher.models import Batch, ChosenSender, Pace, Settlement
from simulator.models import Outage
from tests.chaos.house import ChaosHouse
from tests.chaos.trials import Trial, calls, intents, judge, launch, write
from tests.make import make_member

Status = Campaign.Status
Answer = TypeVar("Answer")
PATIENCE = 120  # seconds; a busy machine is slow, not wrong
RECOVERY = settings.LEASE_SECONDS + 1 + 1  # lease, clock and poll
SLACK = 30  # until a process that died has started again on a busy machine
ENOUGH = 600  # people still to be written to when a fault begins


@dataclass
class Scene:
    house: ChaosHouse
    luck: Random
    people: int
    aloud: bool = False
    began: float = field(default_factory=time.monotonic)
    trials: list[Trial] = field(default_factory=list)
    trail: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    now: str = ""  # the fault under way

    # --- writing down ---

    def tell(self, what: str) -> None:
        self.trail.append(f"{time.monotonic() - self.began:7.1f} s  {self.now:<4} {what}")
        if self.aloud:
            print(self.trail[-1], flush=True)

    def must(self, holds: object, sentence: str) -> None:
        if not holds:
            self.wrong.append(f"{self.now}: {sentence}")
            self.tell(f"WRONG: {sentence}")

    # --- waiting ---

    def patiently(self, read: Callable[[], Answer], seconds: float = PATIENCE) -> Answer:
        """What the database says, also if it is just away."""
        ends = time.monotonic() + seconds
        while True:
            try:
                return read()
            except (OperationalError, InterfaceError):
                connection.close()
                if time.monotonic() > ends:
                    raise
                time.sleep(0.2)

    def wait(self, condition: Callable[[], object], seconds: float = PATIENCE) -> bool:
        """Whether it came true in time."""
        ends = time.monotonic() + seconds
        while not self.patiently(condition):
            if time.monotonic() > ends:
                return False
            time.sleep(0.05)
        return True

    def sleep(self, least: float, most: float | None = None) -> None:
        time.sleep(self.luck.uniform(least, most or least))

    # --- campaigns ---

    def launch(self, people: int, **how) -> Trial:
        seed = self.luck.getrandbits(30)
        trial = self.patiently(lambda: launch(people, **{"seed": seed, **how}))
        self.trials.append(trial)
        return trial

    def later(self, seconds: float) -> Trial:
        """A small campaign that is scheduled."""
        trial = self.patiently(lambda: write(30))
        self.trials.append(trial)
        self.press(trial, operations.schedule, at=timezone.now() + timedelta(seconds=seconds))
        return trial

    def under_way(self) -> list[Trial]:
        return [trial for trial in self.trials if trial.status in (Status.SENDING, Status.PAUSED)]

    def keep_busy(self) -> Trial:
        """A campaign that will be sent for a while; one with keys and one without, at least."""
        sending = [trial for trial in self.trials if trial.status == Status.SENDING]
        for keys in (True, False):
            if sum(trial.books.pending for trial in sending if trial.keys == keys) < ENOUGH:
                sending.append(self.launch(self.people, keys=keys, profile=self.luck.choice(("leopard", "dispatch"))))
        return self.luck.choice([trial for trial in sending if trial.books.pending > ENOUGH / 2] or sending)

    def go_on(self) -> None:
        """Resume what paused by itself or was left paused by a fault."""
        for trial in self.trials:
            if trial.status == Status.PAUSED and trial.books.pending:
                self.press(trial, operations.resume)

    def press(self, trial: Trial, verb: Callable, **how) -> bool:
        """False if somebody else, or the end, was faster."""
        try:
            self.patiently(lambda: trial.press(verb, **how))
        except IllegalMove:
            return False
        return True

    def must_stand_still(self, trial: Trial, seconds: float) -> None:
        """No intent after a pause or cancel; of the calls, only those that were intended already."""
        # In this order: what is settled between the two questions was called before the second.
        most, noted, called = self.patiently(lambda: (in_hand(trial), intents(trial), calls(trial)))
        self.sleep(seconds)
        since, after = self.patiently(lambda: (intents(trial), calls(trial)))
        self.must(noted == since, f"campaign {trial.campaign.pk}: somebody was noted although it stands still")
        told = f"campaign {trial.campaign.pk}: {after - called} calls while it stood still, {most} were in flight"
        self.must(after - called <= most, told)

    # --- people ---

    def as_program(self, trial: Trial) -> dict[str, str]:
        _, secret = ApiKey.make(trial.campaign.workspace, "chaos", Role.MARKETER)
        return {"Authorization": f"Bearer {secret}", "Content-Type": "application/json"}

    def as_member(self, trial: Trial) -> dict[str, str]:
        client, token = Client(), get_random_string(32)
        client.force_login(make_member(trial.campaign.workspace))
        return {
            "Cookie": f"sessionid={client.cookies['sessionid'].value}; csrftoken={token}",
            "X-CSRFToken": token,
            "Content-Type": "application/x-www-form-urlencoded",
        }

    # --- before and after ---

    def cut(self, times: int) -> None:
        """So often each campaign under way may have lost the answers of a window, with no lease lost."""
        for trial in self.patiently(self.under_way):
            trial.cuts += times

    def newest(self) -> int:
        """A takeover alone settles nothing."""
        return Settlement.objects.filter(settled__gt=0).order_by("-pk").values_list("pk", flat=True).first() or 0

    def held(self) -> dict[int, list[int]]:
        """The batches in anybody's hands, dead or alive, and how far each is."""
        mine = Batch.objects.filter(campaign__in=[trial.campaign for trial in self.trials]).exclude(owner="")
        return {pk: how_far for pk, *how_far in mine.values_list("pk", "epoch", "pass_no", "pending")}

    def unmoved(self, held: dict[int, list[int]]) -> list[int]:
        """Those of which nothing was settled, unless their owner gave them back or they wait for their time."""
        opened = Batch.objects.filter(pk__in=held, campaign__status=Status.SENDING, due_at__isnull=False)
        return [
            batch.pk
            for batch in opened
            if [batch.pass_no, batch.pending] == held[batch.pk][1:]
            and (batch.owner or (batch.epoch > held[batch.pk][0] and batch.due_at < timezone.now()))
        ]

    def recovered(self) -> float:
        """Seconds until something is settled again, also of each batch that is held now.

        Wrong if the first takes longer than lease, clock, poll and the start of a process on a busy machine, or the
        second takes minutes.
        """
        began = time.monotonic()
        newest, held = self.patiently(lambda: (self.newest(), self.held()))
        self.patiently(self.keep_busy)
        moves = self.wait(lambda: self.newest() > newest or self.go_on(), RECOVERY + SLACK)
        # Longer: over each lost worker a batch has fewer in hand, and those of one campaign wait for one another.
        all_move = self.wait(lambda: not self.unmoved(held) or self.go_on())
        took = time.monotonic() - began
        self.must(moves, f"nothing was settled for {took:.0f} s")
        self.must(all_move, f"nothing was settled of some batches for {took:.0f} s: {self.unmoved(held)}")
        return took

    def quiet(self) -> bool:
        """Nothing breaks any more: wait until all are accounted for."""
        self.house.heal()

        def is_over() -> bool:
            self.calm()
            self.go_on()
            return not any(trial.status == Status.PREPARING or trial.books.pending for trial in self.trials)

        over = self.wait(is_over) and self.wait(lambda: not self.under_way(), 30)
        return over and self.wait(
            lambda: all(trial.status != Status.CANCELLED or over_and_out(trial) for trial in self.trials)
        )

    def calm(self) -> None:
        """The provider is at its best, so that the end comes soon."""
        mine = [trial.campaign.workspace_id for trial in self.trials]
        Outage.objects.all().delete()
        Pace.objects.filter(workspace__in=mine).update(rate=None, closed_until=None)
        for choice in ChosenSender.objects.filter(workspace__in=mine).exclude(options__profile="perfect"):
            kept = {"honours_keys": choice.options["honours_keys"], "seed": choice.options["seed"]}
            ChosenSender.objects.filter(pk=choice.pk).update(options={**kept, "profile": "perfect"})

    def look_at_pages(self) -> None:
        for trial in self.trials[-2:]:
            status, text, _ = self.house.ask(f"/campaigns/{trial.campaign.pk}/", headers=self.as_member(trial))
            words = f"{trial.books.sent:,}"
            self.must(status == 200 and words in text, f"the page answers {status}, and not that {words} were sent")

    def judge(self) -> list[str]:
        return self.patiently(lambda: list(judge(self.trials)))


def in_hand(trial: Trial) -> int:
    """Calls that were intended and whose answers are not settled."""
    return trial.campaign.batches.aggregate(all=Sum("in_flight"))["all"] or 0


def over_and_out(trial: Trial) -> bool:
    trial.campaign.refresh_from_db()
    return trial.campaign.finished_at is not None
