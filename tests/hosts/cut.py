"""A host is cut off past its lease while its provider still hears it; others take over, then it comes back."""

import time
from dataclasses import dataclass
from datetime import timedelta

from tests.hosts.campaigns import (
    WINDOW,
    calls_from,
    finish,
    lapses,
    launched,
    sent_by_now,
    start_clock,
    start_workers,
    time_there,
    wrong_with,
)
from tests.hosts.stage import Stage, wait_until

LEASE = 4
PROFILE = "dispatch"  # answers after 0 to 500 ms
TRAVEL = 0.5  # seconds at most: at any moment many calls are on their way


@dataclass(frozen=True)
class Cut:
    """When the plug is pulled, as a share of all, and for how many seconds at least; `times` as many people."""

    times: int
    after: float
    seconds: float
    about: str


CUTS = (
    # Late, when nothing fresh is left for the others and they take over at once: its connections outlive the cut, what
    # it said meanwhile arrives when the plug is back, and only the fence keeps that out.
    Cut(times=2, after=0.85, seconds=LEASE, about="until others took over"),
    # Early, and past every time-out: the host has lost its database and its Redis, and finds work when it is back.
    Cut(times=5, after=0.1, seconds=LEASE * 4, about="past every time-out"),
)


def run(stage: Stage, *, people: int, seconds: int) -> list[str]:
    """What went wrong."""
    return [
        wrong
        for keys in (True, False)
        for cut in CUTS
        for wrong in one(stage, cut, keys=keys, people=cut.times * people)
    ]


def one(stage: Stage, cut: Cut, *, keys: bool, people: int) -> list[str]:
    hosts = list(stage.network.hosts)
    victim = hosts[0]
    clock = start_clock(stage, "data")
    workers = start_workers(
        stage,
        hosts,
        SIMULATOR_PROFILE=PROFILE,
        CALLS_TRAVEL=TRAVEL,
        SIMULATOR_HONOURS_KEYS=keys,
        LEASE_SECONDS=LEASE,
        CALL_SECONDS=2,
    )
    campaign = launched(people)
    wait_until(lambda: sent_by_now(campaign) > people * cut.after, seconds=120)

    before = lapses(campaign)
    stage.network.cut(victim)
    cut_at = time_there()
    time.sleep(cut.seconds)
    wait_until(lambda: lapses(campaign) > before, seconds=60)
    healed_at = time_there()
    stage.network.heal(victim)
    books = finish(campaign, [clock, *workers])
    stage.end(clock, *workers)

    address = stage.network.address_of(victim, "outside")
    over_at = cut_at + timedelta(seconds=LEASE)
    heard, late = calls_from(address, cut_at, over_at), calls_from(address, over_at, healed_at)
    later = calls_from(address, healed_at, time_there())
    taken_over, fenced = lapses(campaign), workers[0].log.read_text().count("was taken over, letting go")
    print(
        f"cut: {victim} for {(healed_at - cut_at).total_seconds():.1f} s ({cut.about}), keys "
        f"{'honoured' if keys else 'not honoured'}: {heard} calls of it heard under its lease and {late} after; "
        f"{taken_over} batches taken over, {fenced} let go by it; {later} calls after its return; "
        f"sent {books.sent}, failed {books.failed}, unknown {books.unknown} of {books.total}",
        flush=True,
    )
    wrong = wrong_with(campaign, people)
    wrong += [f"{victim} called {late} times after its lease was over"] if late else []
    wrong += [f"nothing was heard from {victim} after the cut: it was cut off too late"] if not heard else []
    wrong += [f"{victim} never took part again"] if cut.after < 0.5 and not later else []
    wrong += [f"{books.unknown} unknown, with keys honoured"] if keys and books.unknown else []
    wrong += [f"{books.unknown} unknown, more than one window"] if books.unknown > WINDOW else []
    return wrong
