from argparse import ArgumentParser
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import connection

from campaigns.models import Campaign, IllegalMove
from dispatcher import file_place, store
from dispatcher.books import books_of
from dispatcher.forget import files, forget
from dispatcher.message_files import PARTS, Damaged
from dispatcher.restore import restore
from dispatcher.store import LeftAlone, Undecided
from people.models import Recipient


class Command(BaseCommand):
    help = (
        "Moves the messages of campaigns that are over into files below ARCHIVE_DIR and keeps their totals; "
        "brings them back; or takes erased people out of the files. Exits 1 when something was left alone that "
        "should not be."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        which = parser.add_mutually_exclusive_group()
        which.add_argument("--older-than", type=int, metavar="DAYS", help="over for more than so many days")
        which.add_argument(
            "--restore", type=int, nargs="+", metavar="CAMPAIGN", help="bring back the messages of these"
        )
        which.add_argument(
            "--forget",
            type=int,
            nargs="+",
            metavar="PERSON",
            help="take these people, who were erased, out of all files",
        )
        parser.add_argument("--dry-run", action="store_true", help="say what would be moved, and move nothing")

    def handle(self, *args: Any, **options: Any) -> None:
        self.failed = False
        try:
            with file_place.held():
                if removed := file_place.clear_up():
                    self.stdout.write(f"Files removed that were begun and not kept, or given up: {removed}.")
                if options["restore"]:
                    self.restore(options["restore"])
                elif options["forget"]:
                    self.forget(options["forget"])
                else:
                    self.store(days_of(options["older_than"]), dry_run=options["dry_run"])
        except file_place.NoPlace as error:
            raise CommandError(str(error)) from None
        if self.failed:
            raise SystemExit(1)

    def store(self, days: int, *, dry_run: bool) -> None:
        found = list(store.candidates(timedelta(days=days)))
        if dry_run:
            self.say_what_would_move(found)
            return
        before = sizes_of_tables()
        moved = self.carry_on()
        for campaign in found:
            with self.told(campaign):
                file = store.store(campaign, by=None)
                self.say(campaign, f"{file.messages:,} messages moved to {file}, {in_units(file.bytes)}")
                moved += 1
        if not moved:
            self.stdout.write(f"Nothing to move: no campaign that is over for more than {days} days and in order.")
            return
        store.vacuum()
        after = sizes_of_tables()
        for table in before:
            self.stdout.write(f"{table}: {in_units(before[table])} before, {in_units(after[table])} now")

    def carry_on(self) -> int:
        """What somebody began who was killed."""
        moved = 0
        for file in store.half_moved().select_related("campaign"):
            with self.told(file.campaign):
                store.carry_on(file)
                self.say(file.campaign, f"the rest of its messages moved to {file}")
                moved += 1
        return moved

    def say_what_would_move(self, found: list[Campaign]) -> None:
        would = []
        for campaign in found:
            with self.told(campaign):
                store.refuse(campaign, books_of(campaign))
                self.say(campaign, f"{books_of(campaign).total:,} messages would be moved")
                would.append(campaign)
        for part, (rows, size) in store.size_of(would).items():
            self.stdout.write(f"{part}: {rows:,} rows, {in_units(size)} without indexes")

    def restore(self, campaigns: Iterable[int]) -> None:
        for pk in campaigns:
            campaign = Campaign.objects.filter(pk=pk).first()
            if campaign is None:
                raise CommandError(f"There is no campaign {pk}.")
            with self.told(campaign):
                file = restore(campaign, by=None)
                self.say(campaign, f"{file.messages:,} messages are back in the tables")

    def forget(self, people: list[int]) -> None:
        if living := list(Recipient.objects.filter(pk__in=people).values_list("pk", flat=True)):
            who = ", ".join(map(str, living))
            raise CommandError(
                f"Not erased: {who}. Erase them on their page or with `manage.py erase`; that is enough."
            )
        blanked = 0
        for file in files():
            with self.told(file.campaign):
                blanked += forget(file, people, by=None)
        which = "1 message in the files tells" if blanked == 1 else f"{blanked:,} messages in the files tell"
        self.stdout.write(f"{which} nothing any more of whom it was for.")

    @contextmanager
    def told(self, campaign: Campaign | None) -> Iterator[None]:
        """What is refused for one campaign is said, and stops none of the others."""
        try:
            yield
        except Undecided as fact:
            self.say(campaign, f"left alone: {fact}")
        except (LeftAlone, IllegalMove, Damaged, OSError) as refusal:
            self.failed = True
            self.stderr.write(self.style.ERROR(f"{named(campaign)}: left alone: {refusal}"))
        except Campaign.DoesNotExist:
            self.say(campaign, "left alone: somebody deleted it meanwhile")

    def say(self, campaign: Campaign | None, sentence: str) -> None:
        self.stdout.write(f"{named(campaign)}: {sentence}.")


def named(campaign: Campaign | None) -> str:
    return f"{campaign} ({campaign.pk})" if campaign else "A deleted campaign"


def days_of(asked: int | None) -> int:
    """How old, as asked for or as set."""
    days = settings.KEEP_MESSAGES_DAYS or None if asked is None else asked
    if days is None:
        raise CommandError("Say how old: --older-than DAYS, or set KEEP_MESSAGES_DAYS.")
    if days < 0:
        raise CommandError("--older-than wants a number of days, 0 or more.")
    return days


def sizes_of_tables() -> dict[str, int]:
    """With indexes, in bytes."""
    sizes = {}
    with connection.cursor() as cursor:
        for part in PARTS:
            cursor.execute("SELECT pg_total_relation_size(%s::regclass)", [part.table])
            sizes[part.table] = cursor.fetchone()[0]
    return sizes


def in_units(size: int) -> str:
    return f"{size / 10**6:,.1f} MB" if size >= 10**5 else f"{size / 10**3:,.1f} kB"
