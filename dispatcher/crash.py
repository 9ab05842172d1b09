"""Named places where a test may kill this process, to see what the ledger says afterwards."""

import os
import signal

from django.conf import settings

POINTS = (
    "after_lease",
    "before_intent",
    "after_intent",
    "before_call",
    "after_call",
    "before_settle",
    "after_settle",
    "before_finish",
)
_passed = 0


def crash_point(name: str) -> None:
    """Does nothing, unless CRASH_AT is "name" or "name:n": then the process dies here, the n-th time it passes."""
    global _passed
    if not settings.CRASH_AT:
        return
    armed, _, nth = settings.CRASH_AT.partition(":")
    if armed == name:
        _passed += 1
        if _passed >= int(nth or 1):
            os.kill(os.getpid(), signal.SIGKILL)
