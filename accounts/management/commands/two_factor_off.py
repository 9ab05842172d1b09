"""For the only owner who lost phone and recovery codes: whoever may run commands here lets them in again."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts import two_factor
from accounts.models import User, as_kept


class Command(BaseCommand):
    help = "Turn off two-factor login of a user, who then logs in with the password alone."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("email")

    def handle(self, *, email: str, **options: Any) -> None:
        user = User.objects.filter(email=as_kept(email)).first()
        if user is None:
            raise CommandError(f"Nobody logs in with {email}.")
        if not user.has_two_factor:
            raise CommandError(f"Two-factor login of {email} is off already.")
        two_factor.turn_off(user, by=None)
        self.stdout.write(f"Two-factor login of {email} is off.")
