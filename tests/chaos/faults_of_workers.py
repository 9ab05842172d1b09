"""Workers, clocks and the web server die, sleep, come too often, or have a wrong idea of the time."""

import os
import signal
import sys
import time
from functools import partial

from django.db.models import QuerySet

from campaigns.models import Campaign
from dispatcher import crash, operations
from dispatcher.models import Batch
from dispatcher.owner import owner_of
from processes import run
from tests.chaos.fault import fault
from tests.chaos.house import ChaosHouse
from tests.chaos.scene import Scene
from tests.house import WORKERS, children_of

CALLS = ("before_call", "after_call")
RARE = ("after_settle", "before_finish")  # passed when nothing is noted, and when a campaign ends


@fault("F1", "kill -9 of a worker; its work-horse lives on, alone")
def kill_a_worker(scene: Scene) -> None:
    for _ in range(2):
        name, _ = scene.house.horse(40)
        scene.house.kill(name)
        scene.sleep(0.5, 2)


@fault("K", "kill -9 of work-horses at random")
def kill_horses(scene: Scene) -> None:
    for _ in range(5):
        scene.house.kill_horse()
        scene.sleep(0.2, 1.5)


def kill_at(point: str, scene: Scene) -> None:
    """Each work-horse of one worker dies there, one after the other."""
    house, before = scene.house, scene.house.horses_lost
    armed = WORKERS if point == "before_finish" else WORKERS[:1]  # whoever closes the last batch passes it
    nth = 1 if point in RARE else scene.luck.randint(1, 60 if point in CALLS else 3)
    for name in armed:
        house.own[name] = {"CRASH_AT": f"{point}:{nth}"}
        house.renew(name)
    if point == "before_finish":
        scene.launch(20, profile="perfect")
    wanted = before + (1 if point in RARE else 3)
    scene.wait(lambda: house.horses_lost >= wanted, 40)
    scene.must(house.horses_lost > before, f"no worker ever passed {point}")
    for name in armed:
        del house.own[name]
        house.renew(name)
    house.horses_killed += house.horses_lost - before


for point in crash.POINTS:
    fault(f"F2 {point}", f"a worker dies at {point}", group="F2")(partial(kill_at, point))


@fault("F4", "SIGTERM to all workers in the middle, then new ones", cuts=2)
def roll_workers(scene: Scene) -> None:
    for name in WORKERS:
        scene.house.rest(name)
    scene.sleep(0.2, 1)
    for name in WORKERS:
        scene.house.start(name)


@fault("F6", "kill -9 of the clock, and none for eight seconds")
def no_clock(scene: Scene) -> None:
    scene.house.rest("clock", signal.SIGKILL)
    scene.house.others_killed += 1
    scene.house.kill_horse()  # whose batches nobody rings for
    scene.sleep(8)
    scene.house.start("clock")


@fault("F7", "five clocks at once")
def five_clocks(scene: Scene) -> None:
    small = [scene.launch(30) for _ in range(3)]
    with scene.house.more("clock", 4):
        scene.wait(lambda: all(trial.campaign.pk and not trial.books.pending for trial in small), 10)
        scene.sleep(1)


@fault(
    "F8", "a work-horse sleeps past its lease (SIGSTOP) and wakes (SIGCONT) as another has its batch in hand", cuts=2
)
def zombie(scene: Scene) -> None:
    trial = scene.launch(400, keys=False, profile="dispatch", priority=Campaign.Priority.URGENT)
    house, batches = scene.house, trial.campaign.batches

    def batches_of(name: str) -> QuerySet[Batch]:
        return batches.filter(owner__startswith=owner(house, name), in_flight__gt=0)

    def held() -> str:
        return next((name for name in WORKERS if batches_of(name).exists()), "")

    scene.must(scene.wait(held, 30), "nobody took the urgent campaign")
    name = held() or WORKERS[0]
    mine = dict(batches_of(name).values_list("pk", "epoch"))
    stopped = children_of(house.processes[name].pid)
    for pid in stopped:
        os.kill(pid, signal.SIGSTOP)
    try:
        taken = scene.wait(lambda: any(b.epoch > mine[b.pk] for b in batches.filter(pk__in=mine)), 40)
        scene.must(taken, "nobody took its batch over")
        scene.sleep(0, 0.2)
    finally:
        for pid in stopped:
            os.kill(pid, signal.SIGCONT)


@fault("F32", "a worker whose clock is an hour ahead, another an hour behind (libfaketime)")
def wrong_clocks(scene: Scene) -> None:
    house, scheduled = scene.house, scene.later(3600 * 0.75)
    for name, shift in zip(WORKERS, ("+1h", "-1h"), strict=True):
        house.own[name] = {"LD_PRELOAD": house.faketime, "FAKETIME": shift, "FAKETIME_DONT_FAKE_MONOTONIC": "1"}
        believes = [sys.executable, "-c", "import time; print(time.time())"]
        hours = (float(run(believes, env=house.environment | house.own[name]).stdout) - time.time()) / 3600
        scene.must(0.9 < abs(hours) < 1.1, f"libfaketime moves a clock by {hours:.1f} hours")
        house.renew(name)
    for name in WORKERS:
        scene.patiently(scene.keep_busy)
        works = scene.wait(lambda name=name: Batch.objects.filter(owner__startswith=owner(house, name)).exists(), 60)
        scene.must(works, f"{name} leases nothing with a wrong clock")
    scene.sleep(4)
    scene.must(scheduled.status == Campaign.Status.SCHEDULED, "what is due in 45 minutes was sent by a fast clock")
    for name in WORKERS:
        del house.own[name]
        house.renew(name)
    scene.press(scheduled, operations.unschedule)


def owner(house: ChaosHouse, name: str) -> str:
    """How what stands on the batches this worker holds begins; the name that RQ drew for it follows."""
    return owner_of(os.uname().nodename, house.processes[name].pid, "")
