"""Breaks a sending house in every way of docs/faults.md, and holds its books to the promise whenever all is quiet."""

import argparse
import os
import secrets
import shutil
import signal
import sys
import tempfile
from contextlib import ExitStack
from importlib import import_module
from pathlib import Path

import django

from processes import Trouble, adopt_orphans, end_orphans
from tests.chaos.house import open_house
from tests.house import free_port

PACE = {"BATCH_SIZE": "100", "DISPATCH_WINDOW": "50", "LEASE_SECONDS": "4", "CALL_SECONDS": "2", "LOG_LEVEL": "WARNING"}


def main() -> int:
    options = arguments()
    for signum in (signal.SIGINT, signal.SIGTERM):  # a shell in the background has the first one ignored
        signal.signal(signum, signal.default_int_handler)
    adopt_orphans()
    # Below /tmp for root, whose own TMPDIR the account of PostgreSQL may not enter.
    home = Path(tempfile.mkdtemp(prefix="campaign-chaos-", dir="/tmp" if os.geteuid() == 0 else None))
    code = 1
    try:
        with ExitStack() as stack:
            stack.callback(end_orphans)
            house = open_house(stack, home, free_port(), PACE)
            os.environ |= house.environment | {
                "DATABASE_URL": house.postgres.service.url,
                "REDIS_URL": house.valkey.service.url,
                "DJANGO_SETTINGS_MODULE": "dispatcher.settings",
            }
            django.setup()
            stack.callback(house.close)
            code = import_module("tests.chaos.run").run(house, options)
    except Trouble as trouble:
        print(trouble, file=sys.stderr)
    except KeyboardInterrupt:
        print("Interrupted.", file=sys.stderr)
        code = 130
    if code == 1 or options.keep:
        print(f"What the processes said is in {home / 'logs'}", file=sys.stderr)
    else:
        shutil.rmtree(home, ignore_errors=True)
    return code


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="bin/chaos", description=__doc__, allow_abbrev=False)
    parser.add_argument("--minutes", type=float, help="go on for so long; else each fault once")
    parser.add_argument("--seed", type=int, default=secrets.randbelow(10**6), help="to repeat a run")
    parser.add_argument("--only", default="", metavar="F8,F12", help="these faults, in this order")
    parser.add_argument("--people", type=int, default=3000, help="people of each campaign")
    parser.add_argument("--keep", action="store_true", help="keep what the processes said")
    parser.add_argument("--trail", action="store_true", help="tell everything as it is done")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the table there, too")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
