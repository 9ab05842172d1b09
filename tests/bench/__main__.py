"""Measures side by side, in one run and on this machine: `bin/bench [--people N] [--rounds N] [--json]`."""

import argparse
import json
import os
import platform
import statistics
import sys
from collections.abc import Callable

import django

RATIOS = ("engine, 1 worker / naive", "engine, 1 worker / usual", "engine, 2 workers / engine, 1 worker")
BARS = {"engine, 1 worker / naive": 250.0}  # a ratio below its bar makes the command fail


def main() -> int:
    options = arguments()
    rates: dict[str, list[float]] = {}
    for number in range(options.rounds):
        for name, measure in yardsticks(options).items():
            rates.setdefault(name, []).append(measure())
            print(f"round {number + 1}: {name:<20} {rates[name][-1]:>12,.0f} messages/s", file=sys.stderr)
    medians = {name: statistics.median(values) for name, values in rates.items()}
    ratios = {bar: medians[bar.split(" / ")[0]] / medians[bar.split(" / ")[1]] for bar in RATIOS}
    report(options, rates, ratios)
    return int(any(ratios[bar] < least for bar, least in BARS.items()))


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="bin/bench", description=__doc__)
    parser.add_argument("--people", type=int, default=100_000, help="recipients of each campaign")
    parser.add_argument("--rounds", type=int, default=3, help="how often each is measured")
    parser.add_argument("--jobs", type=int, default=1000, help="jobs the naive design is measured over")
    parser.add_argument("--json", action="store_true", help="print the figures as JSON")
    return parser.parse_args()


def yardsticks(options: argparse.Namespace) -> dict[str, Callable[[], float]]:
    """What is measured, each on a campaign of its own and the same size, frozen beforehand."""
    sample = max(5000, options.people // 10)
    return {
        "naive": lambda: naive.rate(launched(options.people), options.jobs),
        "usual": lambda: usual.rate(launched(options.people), min(sample, options.people)),
        "engine, 1 worker": lambda: engine.rate(launched(options.people), 1),
        "engine, 2 workers": lambda: engine.rate(launched(options.people), 2),
    }


def launched(people: int) -> "Campaign":
    """A campaign to that many people, frozen and open; earlier ones are put out of the workers' way."""
    Campaign.objects.exclude(status=Campaign.Status.SENT).update(status=Campaign.Status.PAUSED)
    workspace = Workspace.objects.create(name="bench")
    with connection.cursor() as cursor:
        cursor.execute(PEOPLE, [workspace.pk, people])
        cursor.execute("ANALYZE people_recipient")
    campaign = Campaign.objects.create(
        workspace=workspace,
        name="bench",
        subject="{first_name}, hello",
        body="Dear {first_name|friend} {last_name}, {preferred_product|it} is on sale in {location|town}.",
        everyone=True,
    )
    operations.launch(campaign, by=None)
    while Campaign.objects.get(pk=campaign.pk).status == Campaign.Status.PREPARING:
        clock.carry_on_preparing()
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE dispatcher_message")
        cursor.execute("CHECKPOINT")
    return campaign


PEOPLE = """
    INSERT INTO people_recipient (workspace_id, email, phone, first_name, last_name, location, preferred_product,
                                  attributes, opted_out, updated_at)
    SELECT %s, 'person' || i || '@example.com', '', 'First' || i, 'Last', 'Nairobi', '', '{}', false, now()
    FROM generate_series(1, %s) AS i
"""


def report(options: argparse.Namespace, rates: dict[str, list[float]], ratios: dict[str, float]) -> None:
    if options.json:
        figures = {"people": options.people, "messages_per_second": rates, "ratios": ratios, "bars": BARS}
        print(json.dumps(figures, indent=2))
        return
    print(f"{options.people:,} recipients, {options.rounds} rounds, {os.cpu_count()} cores, {platform.machine()}")
    for name, values in rates.items():
        print(f"{name:<20} median {statistics.median(values):>10,.0f}/s   {min(values):,.0f} to {max(values):,.0f}")
    for name, ratio in ratios.items():
        least = BARS.get(name)
        verdict = f"   (at least {least:,.0f} x: {'ok' if ratio >= least else 'MISSED'})" if least else ""
        print(f"{name:<40} {ratio:>8,.1f} x{verdict}")


if __name__ == "__main__":
    os.environ["DJANGO_SETTINGS_MODULE"] = "dispatcher.settings"
    django.setup()
    from django.db import connection

    from accounts.models import Workspace
    from campaigns.models import Campaign
    from dispatcher import clock, operations
    from tests.bench import engine, naive, usual

    sys.exit(main())
