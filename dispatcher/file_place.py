"""Where the files of messages lie: one directory for each month, each file under a name that is never used again."""

import fcntl
import hashlib
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from pathlib import Path

from django.conf import settings
from django.db import transaction
from django.db.models.functions import Now

from campaigns.models import Campaign
from dispatcher.crash import crash_point
from dispatcher.models import MessageFile

LONG_AGO = timedelta(hours=1)  # another machine may be at what was begun since
OWN = settings.BASE_DIR / ".local" / "archive"  # made by itself; one that was named must be there, or it is not mounted


class NoPlace(Exception):
    """The directory cannot be used; the text says why."""


def wrong_with_the_place() -> str:
    """Why nothing can be written to the directory, in a sentence; empty if it can."""
    place = settings.ARCHIVE_DIR
    if not place.is_dir():
        return f"ARCHIVE_DIR names {place}, which is no directory."
    if not os.access(place, os.R_OK | os.W_OK | os.X_OK):
        return f"ARCHIVE_DIR names {place}, in which this user may not write."
    return ""


@contextmanager
def held() -> Iterator[None]:
    """The directory as a lock, on this machine; between machines the rows decide. Raises NoPlace."""
    if settings.ARCHIVE_DIR == OWN:
        OWN.mkdir(mode=0o700, parents=True, exist_ok=True)
    if wrong := wrong_with_the_place():
        raise NoPlace(wrong)
    handle = os.open(settings.ARCHIVE_DIR, os.O_RDONLY)
    try:
        _lock(handle)
        yield
    finally:
        os.close(handle)


def _lock(handle: int) -> None:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise NoPlace(f"Somebody else works in {settings.ARCHIVE_DIR} just now; try again when that is done.") from None


def note(campaign: Campaign) -> MessageFile:
    """Write down that there will be a file, before there is one: none can be forgotten on the disk."""
    name = f"{campaign.finished_at:%Y-%m}/campaign-{campaign.pk}-{secrets.token_hex(4)}.zip"
    file = MessageFile.objects.create(campaign=campaign, name=name)
    crash_point("file_noted")
    return file


def path_of(file: MessageFile) -> Path:
    return settings.ARCHIVE_DIR / file.name


def unfinished(file: MessageFile) -> Path:
    """Where it is written, until it is whole."""
    path = path_of(file).with_suffix(".part")
    path.parent.mkdir(mode=0o700, exist_ok=True)
    return path


def put_in_place(file: MessageFile, checksum: str) -> None:
    """Give the finished file its name, and beside it the checksum for `sha256sum --check`."""
    path = path_of(file)
    beside = path.with_suffix(".sha256")
    with open(beside, "w", opener=lambda name, flags: os.open(name, flags, 0o600)) as line:
        line.write(f"{checksum}  {path.name}\n")
        line.flush()
        os.fsync(line.fileno())
    unfinished(file).rename(path)
    for directory in (path.parent, settings.ARCHIVE_DIR):  # a name is on the disk when its directory is
        handle = os.open(directory, os.O_RDONLY)
        os.fsync(handle)
        os.close(handle)
    crash_point("file_in_place")


def wrong_with(file: MessageFile) -> str:
    """What is wrong with a file that was kept, in a sentence; empty if it is as it was written."""
    try:
        with path_of(file).open("rb") as content:
            is_same = hashlib.file_digest(content, "sha256").hexdigest() == file.checksum
    except FileNotFoundError:
        return f"the file of its messages, {file}, is not in {settings.ARCHIVE_DIR}"
    except OSError as error:
        return f"the file of its messages, {file}, cannot be read: {error.strerror}"
    return "" if is_same else f"the file of its messages, {file}, was altered: it has another checksum"


def kept(campaign: Campaign) -> MessageFile | None:
    """The file its messages are in."""
    return campaign.files.filter(kept_at__isnull=False, dropped_at=None).first()


def drop(files: list[MessageFile]) -> int:
    """Remove files once the transaction is committed; returns how many of them nobody had given up before.

    What is not done then is done by the next `clear_up`.
    """
    dropped = MessageFile.objects.filter(pk__in=[file.pk for file in files], dropped_at=None).update(dropped_at=Now())
    transaction.on_commit(lambda: _drop_now(files))
    return dropped


def _drop_now(files: list[MessageFile]) -> None:
    crash_point("file_dropped")
    for file in files:
        with suppress(OSError):
            if remove(file):  # else it lies on another machine, or the directory is not mounted here
                MessageFile.objects.filter(pk=file.pk).delete()


def remove(file: MessageFile) -> bool:
    """Take a file and all beside it off the disk; whether there was anything. Raises OSError."""
    path = path_of(file)
    found = [each for each in map(path.with_suffix, (".zip", ".part", ".sha256")) if each.exists()]
    for each in found:
        each.unlink(missing_ok=True)
    with suppress(OSError):
        path.parent.rmdir()  # of a month of which nothing is left
    return bool(found)


def keep(file: MessageFile, **facts: object) -> bool:
    """Note that the file is whole and the truth; False if somebody on another machine gave it up meanwhile."""
    return MessageFile.objects.filter(pk=file.pk, kept_at=None, dropped_at=None).update(kept_at=Now(), **facts) == 1


def give_up(file: MessageFile) -> None:
    """Remove a file that did not come to be kept, unless a commit whose answer was lost has kept it."""
    MessageFile.objects.filter(pk=file.pk, kept_at=None).update(dropped_at=Now())
    if not MessageFile.objects.filter(pk=file.pk, kept_at__isnull=False).exists():
        remove(file)  # also if another machine has cleared up its row: the file was finished after that
        MessageFile.objects.filter(pk=file.pk).delete()


def clear_up() -> int:
    """Remove what was begun long ago and never kept, and what is to be removed; returns how many there were.

    The row is marked first, in one statement that `keep` waits for: a file that may still be kept is never touched.
    """
    MessageFile.objects.filter(kept_at=None, dropped_at=None, noted_at__lt=Now() - LONG_AGO).update(dropped_at=Now())
    removed = 0
    for file in MessageFile.objects.filter(dropped_at__isnull=False):
        if remove(file) or file.kept_at is None:  # else it lies on another machine, or is not mounted here
            MessageFile.objects.filter(pk=file.pk).delete()
            removed += 1
    return removed
