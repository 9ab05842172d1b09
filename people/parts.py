"""A list as it was brought, kept in parts in the database: all that web servers and workers share."""

import hashlib
import io
from collections.abc import Iterator

from django.db import transaction
from django.db.models.functions import Now

from accounts.models import Actor
from people.models import Import, ImportPart
from people.sheet import UnreadableSheet

PART = 2 * 1024 * 1024
HEAD = 64 * 1024
MOST_BYTES = 200 * 1024 * 1024


class OutOfOrder(Exception):
    """A part that is neither the next one nor the one just kept, or of a list that somebody else brings."""

    def __init__(self) -> None:
        super().__init__("This is not the next part of a list you are sending.")


@transaction.atomic
def keep_part(upload: Import, number: int, data: bytes, *, by: Actor | None) -> None:
    """Append the part of this number, from 0; the last one may be sent again. Raises OutOfOrder, UnreadableSheet."""
    upload = Import.objects.select_for_update(no_key=True).select_related(None).get(pk=upload.pk)
    if upload.status != Import.Status.UPLOADING or upload.brought_by != by:
        raise OutOfOrder
    if number == upload.parts - 1 and _is_kept(upload, number, data):  # its answer was lost on the way
        return
    if number != upload.parts:
        raise OutOfOrder
    if not data:
        raise UnreadableSheet("This part of the list is empty.")
    if len(data) > PART or upload.size + len(data) > MOST_BYTES:
        raise UnreadableSheet(f"The list is larger than {MOST_BYTES // 1024**2} MB; split it and import the parts.")
    ImportPart.objects.create(upload=upload, number=number, data=data)
    size = upload.size + len(data)
    Import.objects.filter(pk=upload.pk).update(parts=number + 1, size=size, moved_at=Now())


def _is_kept(upload: Import, number: int, data: bytes) -> bool:
    return ImportPart.objects.filter(upload=upload.pk, number=number, data=data).exists()


def digest_of(upload: Import) -> str:
    """What tells this list from any other."""
    digest = hashlib.sha256()
    for data in _parts_of(upload):
        digest.update(data)
    return digest.hexdigest()


def head_of(upload: Import) -> bytes:
    """The beginning of the list."""
    return next(_parts_of(upload), b"")[:HEAD]


def open_parts(upload: Import) -> io.BufferedReader:
    """The whole list as one file, of which one part at a time is held in memory."""
    return io.BufferedReader(_Parts(upload), buffer_size=256 * 1024)


def _parts_of(upload: Import) -> Iterator[bytes]:
    for number in range(upload.parts):
        part = ImportPart.objects.filter(upload=upload.pk, number=number).values_list("data", flat=True).first()
        if part is None:
            raise UnreadableSheet("The list is no longer here; choose the file again.")
        yield bytes(part)


class _Parts(io.RawIOBase):
    def __init__(self, upload: Import) -> None:
        self.parts = _parts_of(upload)
        self.left = memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer) -> int:
        if not self.left:
            self.left = memoryview(next(self.parts, b""))
        target = memoryview(buffer)
        some = min(len(target), len(self.left))
        target[:some] = self.left[:some]
        self.left = self.left[some:]
        return some
