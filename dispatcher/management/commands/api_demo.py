import signal
import sys
from argparse import ArgumentParser
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from accounts.api_keys import make_key, revoke_key
from accounts.models import Role, Workspace
from dispatcher import demo
from dispatcher.api_demo import show
from dispatcher.api_demo.program import Program, Refused, Unheard
from dispatcher.api_demo.provider import stormy
from dispatcher.api_demo.retries import show_retries

KEY_LASTS = timedelta(minutes=15)


class Command(BaseCommand):
    help = (
        "Plays every request of the source documents against a running installation, over HTTP, and shows what came "
        "back; exits 1 when an answer is not as documented. Without --key it works in the demo workspace of this "
        "database, with a key that it makes and revokes."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        here = settings.PUBLIC_URL if settings.DEV else "http://localhost:8000"
        parser.add_argument("--url", default=here, help=f"where it runs; {here} when not given")
        parser.add_argument("--key", help="work in the workspace of this key, which may send")
        parser.add_argument(
            "--retries", action="store_true", help="show instead what becomes of messages while a provider fails"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        url, key = options["url"].rstrip("/"), options["key"]
        if options["retries"] and key:
            raise CommandError("--retries lets the provider of the demo workspace fail, so it takes no --key.")
        try:
            if key:
                self.play(Program(url, key, self.say))
            else:
                self.in_the_demo(url, self.show_retries if options["retries"] else self.play)
        except (Unheard, Refused) as trouble:
            raise CommandError(str(trouble)) from None

    def in_the_demo(self, url: str, act: Callable[[Program], None]) -> None:
        with key_of(demo_workspace()) as made:
            # Whoever ends the command has the key revoked, and the provider put back, all the same.
            before = signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
            try:
                act(Program(url, made, self.say))
            finally:
                signal.signal(signal.SIGTERM, before)

    def show_retries(self, program: Program) -> None:
        with stormy(demo_workspace()) as end_storm:
            show_retries(program, self.say, end_storm)

    def play(self, program: Program) -> None:
        if not show.play_all(program, self.say):
            raise SystemExit(1)

    def say(self, line: str) -> None:
        self.stdout.write(line)
        self.stdout.flush()


def demo_workspace() -> Workspace:
    workspace = Workspace.objects.filter(name=demo.WORKSPACE, members__email=demo.EMAIL).first()
    if not workspace:
        raise CommandError("There is no demo workspace in this database: make it with manage.py demo, or give --key.")
    return workspace


@contextmanager
def key_of(workspace: Workspace) -> Iterator[str]:
    """A key for the time of the block."""
    until = timezone.now() + KEY_LASTS
    key, secret = make_key(workspace, name="api_demo", role=Role.ADMIN, by=None, expires_at=until)
    try:
        yield secret
    finally:
        revoke_key(key, by=None)
