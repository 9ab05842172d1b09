"""A defence is taken away, or not, and the auditor is asked."""

import time
from collections.abc import Callable
from contextlib import suppress

import pytest
from django.db import IntegrityError

from tests.chaos.trials import Trial, judge, launch
from tests.dispatcher.sending import work_off

both = pytest.mark.parametrize("defended", [True, False], ids=["with it", "without"])


def start(people: int = 40, *, keys: bool = False) -> Trial:
    return launch(people, keys=keys, profile="perfect")


def verdict(trial: Trial, defended: bool, *words: str) -> None:
    """Nothing is wrong with the defence; without it, what the words say is."""
    with suppress(*() if defended else (IntegrityError,)):  # the database may refuse what comes of it
        work_off(trial.campaign, shifts=6)
    found = list(judge([trial]))
    if defended:
        assert found == []
    else:
        assert all(any(word in sentence for sentence in found) for word in words), found


def wait_for(condition: Callable[[], object], seconds: float = 20) -> None:
    ends = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < ends, "it never happened"
        time.sleep(0.01)
