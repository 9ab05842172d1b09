"""Workers on three hosts, one PostgreSQL and one Valkey: `bin/hosts [--only PART] [--seconds N] [--people N]`."""

import argparse
import os
import secrets
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module

import django

from processes import Trouble
from tests.hosts.namespaces import Network, refuse_unless_possible
from tests.hosts.stage import Stage

PARTS = ("speed", "cut", "pooler", "size")
HOSTS = ("h1", "h2", "h3")


def main() -> int:
    options = arguments()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)
    try:
        refuse_unless_possible()
        with Network(*HOSTS) as network:
            return carry_out(Stage(network), options)
    except Trouble as trouble:
        print(trouble, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("Interrupted.", file=sys.stderr)
        return 130


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="bin/hosts", description=__doc__)
    parser.add_argument("--only", choices=PARTS, action="append", help="this part; more than once for more")
    parser.add_argument("--seconds", type=int, default=20, help="for how long processes are killed behind the pooler")
    parser.add_argument("--people", type=int, default=4000, help="recipients for each host")
    return parser.parse_args()


def carry_out(stage: Stage, options: argparse.Namespace) -> int:
    parts = options.only or PARTS
    os.environ |= {"SECRET_KEY": secrets.token_urlsafe(50), "DEV": "1", "ALLOWED_HOSTS": "localhost", **stage.ours()}
    os.environ |= {"DJANGO_SETTINGS_MODULE": "dispatcher.settings", "BATCH_SIZE": "100"}
    wrong = []
    with stage.serving(), pooled_where_wanted(stage, parts):
        django.setup()
        import_module("tests.hosts.campaigns").remember_who_calls()
        for part in parts:
            run = import_module(f"tests.hosts.{part}").run
            wrong += [f"{part}: {found}" for found in run(stage, people=options.people, seconds=options.seconds)]
    for line in wrong:
        print(line)
    print(f"{len(wrong)} findings." if wrong else f"All is well: {', '.join(parts)}.")
    return int(bool(wrong))


@contextmanager
def pooled_where_wanted(stage: Stage, parts: tuple[str, ...]) -> Iterator[None]:
    """The tables are made, through PgBouncer if it is needed later on."""
    if "pooler" not in parts:
        migrate(stage)
        yield
        return
    with stage.pooling():
        migrate(stage, pooled=True)
    # As RECONNECT does: sessions that were open before the migration lack the time-outs it gives to all later ones.
    with stage.pooling() as stage.pooler_running:
        yield


def migrate(stage: Stage, *, pooled: bool = False) -> None:
    code, said = stage.run("data", "manage.py", "migrate", "-v0", pooled=pooled)
    if code:
        raise Trouble(f"The tables could not be made: {said}")


if __name__ == "__main__":
    sys.exit(main())
