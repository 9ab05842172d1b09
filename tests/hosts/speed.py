"""How much faster two and three hosts are than one, where the provider's latency is the limit."""

from tests.hosts.campaigns import finish, launched, start_clock, start_workers, steady_speed, wrong_with
from tests.hosts.stage import Stage

BARS = {2: 1.7, 3: 2.4}  # times the speed of one host
PROFILE = "leopard"  # 50 to 200 ms
WINDOW = 50  # few calls in flight, so that the provider's latency is the limit and not the cores all hosts share


def run(stage: Stage, *, people: int, seconds: int) -> list[str]:
    """What fell short."""
    wrong, speeds = [], {}
    clock = start_clock(stage, "data")
    for count in (1, 2, 3):
        hosts = list(stage.network.hosts)[:count]
        workers = start_workers(stage, hosts, SIMULATOR_PROFILE=PROFILE, DISPATCH_WINDOW=WINDOW)
        campaign = launched(people * count)
        finish(campaign, [clock, *workers])
        stage.end(*workers)
        speeds[count] = steady_speed(campaign)
        wrong += wrong_with(campaign, people * count)
        print(f"speed: {count} host(s), {people * count:,} people: {speeds[count]:,.0f} messages/s", flush=True)
    for count, least in BARS.items():
        ratio = speeds[count] / speeds[1]
        verdict = "ok" if ratio >= least else "MISSED"
        print(f"speed: {count} hosts / 1 host = {ratio:.2f} x   (at least {least} x: {verdict})", flush=True)
        if ratio < least:
            wrong.append(f"{count} hosts are only {ratio:.2f} times as fast as one")
    stage.end(clock)
    return wrong
