"""Run the test on several hosts with everything the requirement files name; what it is, stands in tests/hosts."""

import os
import sys
from pathlib import Path

from environment import TESTING, ready
from processes import Trouble

ROOT = Path(__file__).resolve().parents[2]


def main() -> int:
    try:
        python = ready(ROOT, TESTING)
    except Trouble as trouble:
        print(trouble, file=sys.stderr)
        return 1
    os.chdir(ROOT)
    # In our place, so that a signal reaches the one that has hosts to take away.
    os.execv(python, [str(python), "-m", "tests.hosts", *sys.argv[1:]])  # noqa: S606 - no shell is wanted


if __name__ == "__main__":
    sys.exit(main())
