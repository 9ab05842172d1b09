"""One run: rounds of faults on campaigns under way, each round ended by a look at all the books."""

import argparse
import json
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from random import Random

from processes import Trouble
from tests.chaos import (  # noqa: F401 - each enters its faults into the table
    faults_of_people,
    faults_of_postgres,
    faults_of_redis,
    faults_of_the_provider,
    faults_of_workers,
)
from tests.chaos.fault import FAULTS, Fault
from tests.chaos.house import ChaosHouse
from tests.chaos.scene import RECOVERY, Scene

IN_A_ROUND = 6  # faults
A_MINUTE = 26  # kills aimed at
LEAST_A_MINUTE = 20  # else a run by the clock has shown too little
LONGEST_STORM = 20  # kills between two faults
SHOWN = 60  # lines of the trail


@dataclass
class Row:
    """What is told of one fault in the end."""

    title: str
    times: int = 0
    recovered: float = 0  # seconds, at worst
    wrong: list[str] = field(default_factory=list)


def run(house: ChaosHouse, options: argparse.Namespace) -> int:
    luck = Random(options.seed)  # noqa: S311
    chosen = choose(options.only)
    if any(fault.group == "F32" for fault in chosen):
        house.find_faketime()
    print(f"seed {options.seed}, {len(chosen)} faults", flush=True)
    began = time.monotonic()
    house.open()
    say(f"the house stands after {time.monotonic() - began:.0f} s")
    scene = Scene(house, luck, options.people, options.trail)
    rows = {fault.name: Row(fault.title) for fault in chosen}
    ends = time.monotonic() + (options.minutes or 0) * 60
    found: list[str] | None = None  # not yet looked at
    try:
        for batch in rounds(chosen, luck, forever=bool(options.minutes)):
            scene.trials, found = [], None
            for fault in batch:
                befall(scene, fault, rows[fault.name])
                if options.minutes:
                    storm(scene)
            found = finish(scene)
            names = ", ".join(fault.name for fault in batch)
            say(f"{time.monotonic() - scene.began:6.0f} s, {house.kills} kills: {names}")
            if found or (options.minutes and time.monotonic() > ends):
                break
        if found == [] and options.minutes:
            found = too_few_kills(house.kills, time.monotonic() - scene.began)
    finally:
        report(scene, rows, found, options)
    return int(found != [])


def choose(only: str) -> list[Fault]:
    if not only:
        return list(FAULTS.values())
    chosen = []
    for word in only.split(","):
        named = [FAULTS[word]] if word in FAULTS else [fault for fault in FAULTS.values() if fault.group == word]
        if not named:
            raise Trouble(f"There is no fault {word}; there are {', '.join(FAULTS)}.")
        chosen += named
    return chosen


def rounds(chosen: list[Fault], luck: Random, *, forever: bool) -> Iterator[list[Fault]]:
    """All of them in an order left to chance, again and again; or once, as they were named."""
    while True:
        deck = list(chosen)
        if forever:
            luck.shuffle(deck)
        for start in range(0, len(deck), IN_A_ROUND):
            yield deck[start : start + IN_A_ROUND]
        if not forever:
            return


def befall(scene: Scene, fault: Fault, row: Row) -> None:
    scene.now = fault.name
    scene.patiently(scene.keep_busy)
    scene.tell(fault.title)
    wrong = len(scene.wrong)
    try:
        fault.befall(scene)
    except Exception as error:
        scene.must(False, f"{type(error).__name__}: {error}")
        scene.house.heal()
    scene.cut(fault.cuts)
    scene.house.bury_orphans()
    took = scene.recovered()
    scene.tell(f"moves again after {took:.1f} s")
    row.times += 1
    row.recovered = max(row.recovered, took)
    row.wrong += scene.wrong[wrong:]


def storm(scene: Scene) -> None:
    """Work-horses die between the faults, as many as it takes to keep up the rate."""
    scene.now = "kill"
    for _ in range(LONGEST_STORM):
        if scene.house.kills > (time.monotonic() - scene.began) / 60 * A_MINUTE:
            return
        scene.patiently(scene.keep_busy)
        scene.tell("kill -9 of a work-horse" if scene.house.kill_horse(3) else "no work-horse to kill")
        scene.sleep(0.1, 1)


def finish(scene: Scene) -> list[str]:
    """Everything wrong once all is quiet."""
    scene.now = "end"
    if not scene.quiet():
        scene.tell("it never became quiet")
    scene.look_at_pages()
    found = [*scene.wrong, *scene.judge()]
    for sentence in found:
        scene.tell(f"FOUND: {sentence}")
    return found


def too_few_kills(kills: int, seconds: float) -> list[str]:
    """A sentence if a run of this length killed too rarely to show anything."""
    rate = kills / seconds * 60
    return [f"{rate:.1f} kills a minute; {LEAST_A_MINUTE} are wanted"] if rate < LEAST_A_MINUTE else []


def report(scene: Scene, rows: dict[str, Row], found: list[str] | None, options: argparse.Namespace) -> None:
    for name, row in rows.items():
        if row.times:
            recovered = f"{row.recovered:5.1f} s{'!' if row.recovered > RECOVERY else ' '}"
            say(f"{name:<16} {row.times:>3} x   moves again after {recovered}  {row.title}")
        else:
            say(f"{name:<16} not reached                  {row.title}")
    say(f"\n{scene.house.kills} kills in {time.monotonic() - scene.began:.0f} s; seed {options.seed}")
    if found:
        say("\n".join(["", "What was done:", *scene.trail[-SHOWN:], "", "What is wrong:", *found]))
        say(f"\nAgain: bin/chaos --seed {options.seed}" + (f" --only {options.only}" if options.only else ""))
    else:
        say("The books were not looked at to the end." if found is None else "Everybody is accounted for.")
    if options.json:
        table = {name: vars(row) for name, row in rows.items()}
        options.json.write_text(json.dumps({"faults": table, "found": found, "kills": scene.house.kills}, indent=1))


def say(text: str) -> None:
    print(text, file=sys.stdout, flush=True)
