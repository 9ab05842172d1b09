"""Starts processes on the database of this test, which it can kill or stop."""

from functools import cache

from tests.dispatcher.shift import child_environment
from tests.nursery import Child, Nursery


def start_shift(*, seconds: float = 10, **settings: object) -> Child:
    """Start a shift in another process, with settings of its own."""
    return start_process("-m", "tests.dispatcher.shift", seconds, **settings)


def start_process(*words: object, **settings: object) -> Child:
    """Start Python with these words on the database of this test, with settings of its own."""
    return nursery().start(*words, **settings)


@cache
def nursery() -> Nursery:
    return Nursery(child_environment())
