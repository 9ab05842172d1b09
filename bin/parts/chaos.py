"""Break a whole house, with services of its own, in every way we know; the rest is in tests/chaos."""

import os
import sys
from pathlib import Path

from environment import TESTING, ready
from processes import Trouble
from test import environment

ROOT = Path(__file__).resolve().parents[2]


def main() -> int:
    try:
        python = ready(ROOT, TESTING)
    except Trouble as trouble:
        print(trouble, file=sys.stderr)
        return 1
    os.chdir(ROOT)
    # In place of this process, so that Ctrl-C and every other signal reach the one that has the children.
    paths = os.pathsep.join(str(ROOT / part) for part in ("", "bin/parts"))
    argv = [str(python), "-m", "tests.chaos", *sys.argv[1:]]
    os.execve(python, argv, environment() | {"PYTHONPATH": paths})  # noqa: S606


if __name__ == "__main__":
    sys.exit(main())
