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
ARMED, _, NTH = settings.CRASH_AT.partition(":")
_passed = 0


def crash_point(name: str) -> None:
    """Does nothing, unless CRASH_AT is "name" or "name:n": then the process dies here, the n-th time it passes."""
    global _passed
    if name == ARMED:
        _passed += 1
        if _passed >= int(NTH or 1):
            os.kill(os.getpid(), signal.SIGKILL)
