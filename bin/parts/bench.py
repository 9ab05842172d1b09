"""Run the benchmark on services of its own that write as durably as a real installation does."""

import signal
import subprocess
import sys
from pathlib import Path

import services
from environment import TESTING, ready
from processes import Trouble
from test import environment

ROOT = Path(__file__).resolve().parents[2]


def main() -> int:
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        python = ready(ROOT, TESTING)
        with services.temporary(python, durable=True) as urls:
            # A provider that answers at once is worth large batches: fewer commits.
            env = {**environment(), **urls, "BATCH_SIZE": "2000"}
            subprocess.run([python, "manage.py", "migrate", "-v0"], cwd=ROOT, env=env, check=True)
            return subprocess.run([python, "-m", "tests.bench", *sys.argv[1:]], cwd=ROOT, env=env).returncode
    except Trouble as trouble:
        print(trouble, file=sys.stderr)
    except KeyboardInterrupt:
        print("Interrupted.", file=sys.stderr)
        return 130
    return 1


if __name__ == "__main__":
    sys.exit(main())
