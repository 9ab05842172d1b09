"""That every benchmark measures, and that a missed bar is told and fails the command."""

import json
import math
import subprocess
import sys

import pytest
from django.conf import settings

from tests.bench import run
from tests.bench.notebook import Bar
from tests.dispatcher.shift import child_environment

TINY = ("--people", "200", "--rounds", "1", "--jobs", "5", "--viewers", "3", "--json")


@pytest.mark.django_db(transaction=True)
def test_every_benchmark_measures_and_a_missed_bar_exits_with_1():
    done = subprocess.run(
        [sys.executable, "-m", "tests.bench", *TINY],
        env=child_environment(),
        cwd=settings.BASE_DIR,
        capture_output=True,
        text=True,
        timeout=600,
    )

    assert done.stdout, done.stderr
    told = json.loads(done.stdout)["benchmarks"]
    bars = [bar for benchmark in told.values() for bar in benchmark["bars"]]
    assert list(told) == list(run.BENCHMARKS)
    for benchmark in told.values():
        assert benchmark["series"]
        for series in benchmark["series"].values():
            assert all(math.isfinite(value) and value >= 0 for value in series["values"])
    assert done.returncode == int(not all(bar["is_met"] for bar in bars))
    assert not all(bar["is_met"] for bar in bars)  # nothing is 250 times as fast with 200 people


def measuring(value, **bar):
    def measure(notebook, options):
        for _ in range(options.rounds):
            notebook.write("apples", value, "kg")
            notebook.write("pears", 2, "kg")
        ratio = notebook.divide("apples", "pears")
        notebook.at_least(bar["least"], ratio) if "least" in bar else notebook.at_most(bar["most"], ratio)

    return measure


@pytest.mark.parametrize("form", ["--json", "--markdown", ""])
def test_a_bar_that_is_met_exits_with_0_and_a_missed_one_with_1(monkeypatch, capsys, form):
    monkeypatch.setattr(run, "BENCHMARKS", {"easy": measuring(6, least=3), "hard": measuring(6, most=2.9)})
    monkeypatch.setattr(run, "at_rest", lambda: None)  # apples need no database
    words = [form] if form else []

    assert run.main(["--only", "easy", *words]) == 0
    assert "MISSED" not in capsys.readouterr().out
    assert run.main(words) == 1
    assert ("MISSED" if form != "--json" else '"is_met": false') in capsys.readouterr().out


def test_what_was_not_measured_meets_no_bar():
    assert not Bar("apples", math.nan, "kg", least=1).is_met
    assert not Bar("apples", math.nan, "kg", most=1).is_met


def test_the_documents_explain_every_benchmark():
    told = (settings.BASE_DIR / "docs" / "performance.md").read_text()
    assert [name for name in run.BENCHMARKS if f"| `{name}` |" not in told] == []


def test_a_benchmark_that_does_not_exist_is_refused_by_name(capsys):
    with pytest.raises(SystemExit):
        run.main(["--only", "speed,sped"])
    assert "there is no sped" in capsys.readouterr().err
