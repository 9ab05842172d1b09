"""A run tells what it did not show."""

from argparse import Namespace
from random import Random
from types import SimpleNamespace

from tests.chaos.run import Row, report, too_few_kills
from tests.chaos.scene import Scene


def test_a_run_that_kills_less_than_twenty_times_a_minute_is_wrong():
    assert too_few_kills(39, 120) == ["19.5 kills a minute; 20 are wanted"]
    assert too_few_kills(40, 120) == []


def test_a_fault_that_was_never_run_is_told(capsys):
    scene = Scene(SimpleNamespace(kills=3), Random(1), 10)  # noqa: S311
    rows = {"F1": Row("a worker dies", times=1), "F9": Row("poison on the queue")}

    report(scene, rows, [], Namespace(seed=1, only="", json=None))

    told = {line.split()[0]: line for line in capsys.readouterr().out.splitlines() if line}
    assert "not reached" in told["F9"]
    assert "not reached" not in told["F1"]
