"""Whether the files that messages were moved to are where they should be, and new ones can be written."""

from collections.abc import Iterator
from datetime import timedelta

from django.conf import settings
from django.utils import timezone

from dispatcher import file_place, store
from dispatcher.doctor.finding import Finding, Note, Problem
from dispatcher.models import Erasure, MessageFile

LONG_AGO = timedelta(hours=1)
AGAIN = "python manage.py archive --older-than DAYS"


def are_in_place() -> Iterator[Finding]:
    kept = list(MessageFile.objects.filter(kept_at__isnull=False, dropped_at=None).order_by("pk"))
    if not kept and (not settings.KEEP_MESSAGES_DAYS or settings.ARCHIVE_DIR == file_place.OWN):
        return
    if wrong := file_place.wrong_with_the_place():
        yield Problem(wrong, "Mount or make it, let the user of these processes write there, or correct ARCHIVE_DIR.")
        return
    if missing := [file for file in kept if not file_place.path_of(file).exists()]:
        others = f" and {len(missing) - 1:,} more" if len(missing) > 1 else ""
        yield Problem(
            f"Messages were moved to {missing[0]}{others}, which is not in {settings.ARCHIVE_DIR}.",
            "Bring it back from a backup; python manage.py audit names each.",
        )
    if store.half_moved().filter(kept_at__lt=timezone.now() - LONG_AGO).exists():
        yield Note("Messages were being moved to a file when it was stopped; the rest are in the tables too.", AGAIN)


def are_without_the_erased() -> Iterator[Finding]:
    late = Erasure.objects.filter(done_at=None, at__lt=timezone.now() - LONG_AGO)
    if first := late.order_by("pk").first():
        others = f" and {late.count() - 1:,} more" if late.count() > 1 else ""
        why = first.trouble or "nobody tried"
        yield Problem(
            f"Files of messages still tell of {first}{others}, erased over an hour ago: {why}.",
            "See that a chores worker and the clock run, and bring the file back from a backup.",
        )
