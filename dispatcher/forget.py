"""Forget: people who are to be erased leave the files of messages too; what became of their messages stays."""

from collections.abc import Collection
from zipfile import ZipFile

from django.db import transaction
from django.db.models import QuerySet
from django.db.models.functions import Now

from accounts import audit_log
from accounts.models import Actor
from campaigns.models import Campaign
from dispatcher import file_place, message_files, operations
from dispatcher.crash import crash_point
from dispatcher.message_files import PARTS, Damaged, Held, lines_of
from dispatcher.models import MessageFile
from dispatcher.store import LeftAlone, carry_on
from people import erased

NULL = b"\\N"
# What tells of the person, and what stands there afterwards; the keys stay, so that the ledgers can be compared.
# In this order: attempts are known by their messages, calls by the keys of both.
BLANK = {
    "messages": {
        "recipient_id": NULL,
        "address": NULL,
        "fields": b"{}",
        "last_error": b"",
        "provider_id": b"",
        "digest": NULL,
    },
    "attempts": {"error": b""},
    "calls": {"address": b"", "subject": b"", "text": b"", "html_digest": b""},
}


class Eraser:
    """Blanks the rows of these people, part by part in the order of BLANK: the messages lead to all else.

    Raises Damaged if a file holds other parts, or in another order.
    """

    def __init__(self, people: Collection[int]) -> None:
        if [part.name for part in PARTS] != list(BLANK):
            raise Damaged(f"who a message was for would stay in {PARTS[-1].member}: the parts have another order")
        self.people = {str(pk).encode() for pk in people}
        self.messages: set[bytes] = set()
        self.keys: set[bytes] = set()
        self.addresses: set[str] = set()

    def __call__(self, part: str, places: dict[str, int], fields: list[bytes]) -> None:
        if not self.is_theirs(part, places, fields):
            return
        if part != "calls":
            self.keys.add(fields[places["key"]])
        if part == "messages":
            self.messages.add(fields[places["id"]])
            self.addresses.update({fields[places["address"]].decode()} - {NULL.decode(), ""})
        for column, blank in BLANK[part].items():
            if column in places:  # older files know less
                fields[places[column]] = blank

    def is_theirs(self, part: str, places: dict[str, int], fields: list[bytes]) -> bool:
        if part == "messages":
            return fields[places["recipient_id"]] in self.people
        if part == "attempts":
            return fields[places["message_id"]] in self.messages
        return fields[places["key"]] in self.keys


def files() -> QuerySet[MessageFile]:
    """All that are kept."""
    return MessageFile.objects.filter(kept_at__isnull=False, dropped_at=None).select_related("campaign").order_by("pk")


def forget(file: MessageFile, people: Collection[int], *, by: Actor | None) -> int:
    """Write a file anew without what tells of these people, by their ids; returns how many messages they had in it.

    The caller holds the place. Raises LeftAlone, Damaged or OSError, which change nothing.
    """
    if wrong := file_place.wrong_with(file):
        raise LeftAlone(wrong)
    if file.campaign is None or not names_any(file, people):
        return 0
    if file.moved_at is None:
        carry_on(file)
    eraser, new = Eraser(people), file_place.note(file.campaign)
    try:
        held = write_without(file, new, eraser)
        erased.keep_away(file.campaign.workspace, eraser.addresses)  # first: afterwards nothing tells them
        replace(file, new, file.campaign, held, len(eraser.messages), by=by)
    except Exception:
        file_place.give_up(new)
        raise
    return len(eraser.messages)


def names_any(file: MessageFile, people: Collection[int]) -> bool:
    wanted = {str(pk).encode() for pk in people}
    with ZipFile(file_place.path_of(file)) as content, lines_of(content, PARTS[0]) as (columns, lines):
        place = columns.index("recipient_id")
        return any(line.split(b"\t", place + 1)[place] in wanted for line in lines)


def write_without(file: MessageFile, new: MessageFile, eraser: Eraser) -> Held:
    path = file_place.unfinished(new)
    message_files.rewrite(file_place.path_of(file), path, eraser)
    crash_point("file_written")
    held = message_files.read_back(path)
    if held.rows != {part.name: getattr(file, part.name) for part in PARTS}:
        raise Damaged(f"the new file does not hold what the old one held: {held.rows}")
    file_place.put_in_place(new, held.checksum)
    return held


@transaction.atomic
def replace(
    old: MessageFile, new: MessageFile, campaign: Campaign, held: Held, count: int, *, by: Actor | None
) -> None:
    """The new file takes the place of the old one, which is removed."""
    campaign = operations.locked(campaign)
    dropped = file_place.drop([old])  # first: a campaign has one file
    if not dropped or not file_place.keep(new, moved_at=Now(), bytes=held.bytes, checksum=held.checksum, **held.rows):
        raise LeftAlone("somebody on another machine replaced or removed its file meanwhile")
    facts = {"messages": count, "file": new.name, "checksum": held.checksum}
    audit_log.record(campaign.workspace, "forget", campaign, by=by, after=facts)
