from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db.models import Q, QuerySet
from django.db.models.functions import Lower

from accounts.models import Workspace
from dispatcher.erase import erase
from people.addresses import InvalidAddress, normal_email, normal_phone
from people.erased import StillImported
from people.models import Recipient


class Command(BaseCommand):
    help = (
        "Erases the people with these email addresses or phone numbers, in all workspaces or in one. Their messages "
        "keep their place in the books; they cannot be brought back. Exits 1 when somebody could not be erased."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("addresses", nargs="+", metavar="ADDRESS", help="an email address, or +254712345678")
        parser.add_argument("--workspace", type=int, metavar="ID", help="only there")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["workspace"] and not Workspace.objects.filter(pk=options["workspace"]).exists():
            raise CommandError(f"There is no workspace {options['workspace']}.")
        left = [address for address in options["addresses"] if not self.erase(address, options["workspace"])]
        if left:
            raise SystemExit(1)

    def erase(self, address: str, workspace: int | None) -> bool:
        """Whether all who have this address are gone."""
        try:
            people = having(address)
        except InvalidAddress as fault:
            self.stderr.write(self.style.ERROR(str(fault)))
            return False
        people = people.filter(workspace=workspace) if workspace else people
        count, is_done = 0, True
        for person in people.select_related("workspace"):
            try:
                erasure = erase(person, by=None)
            except StillImported as refusal:
                self.stderr.write(self.style.ERROR(f"{person.workspace}: {refusal}"))
                is_done = False
            else:
                count += 1
                self.stdout.write(f"{person.workspace}: {erasure} is erased, with {erasure.messages:,} messages.")
        if is_done and not count:
            self.stdout.write("Nobody has this address.")  # which is not repeated: logs are kept
        return is_done


def having(address: str) -> QuerySet[Recipient]:
    """Raises InvalidAddress."""
    if "@" in address:
        people = Recipient.objects.alias(lower=Lower("email"))
        return people.filter(Q(lower=normal_email(address).lower())).order_by("pk")
    return Recipient.objects.filter(phone=normal_phone(address)).order_by("pk")
