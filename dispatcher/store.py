"""Store: the messages of a campaign that is over go into a file, so that the tables stay bounded; its totals stay.

Killed at any moment it loses and doubles nothing: until the file was read back and is noted as kept, the rows are the
truth and the file is nothing; from then on the file is, and what is left of the rows is removed by the next who comes.
"""

from collections.abc import Iterable
from datetime import timedelta

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.db.models.functions import Now

from accounts import audit_log
from accounts.models import Actor
from campaigns.models import Campaign
from dispatcher import file_place, message_files, operations, shelf
from dispatcher.audit import findings
from dispatcher.books import Books, books_of
from dispatcher.crash import crash_point
from dispatcher.message_files import PARTS, Damaged, Held
from dispatcher.models import Attempt, Batch, Message, MessageFile
from simulator.forget import forget
from wires import live

OVER = [Campaign.Status.SENT, Campaign.Status.FAILED, Campaign.Status.CANCELLED]
BATCHES = 10  # of messages removed in one transaction


class LeftAlone(Exception):
    """The campaign stays as it is; the text says why."""


class Undecided(LeftAlone):
    """It waits for a person."""


def candidates(older_than: timedelta) -> QuerySet[Campaign]:
    """What is over, and was not brought back, for longer than this and has its messages in the tables; oldest first."""
    long_ago = Now() - older_than
    over = Campaign.objects.filter(finished_at__lt=long_ago, status__in=OVER, stored_at=None)
    stayed = Q(restored_at=None) | Q(restored_at__lt=long_ago)
    launched = Exists(Batch.objects.filter(campaign=OuterRef("pk")))
    return over.filter(stayed, launched).select_related("workspace").order_by("finished_at", "pk")


def refuse(campaign: Campaign, books: Books) -> None:
    """Raises Undecided for what waits for a person, and LeftAlone for what the auditor is not content with."""
    if books.unknown and not campaign.archived_at:
        raise Undecided(f"{books.unknown:,} unknown: decide about them on its page, or archive it there")
    wrong = [finding.sentence for finding in findings(campaign)]
    if wrong:
        more = f", and {len(wrong) - 1:,} more findings" if len(wrong) > 1 else ""
        raise LeftAlone(f"the auditor is not content: {wrong[0]}{more}")


def store(campaign: Campaign, *, by: Actor | None) -> MessageFile:
    """Move its messages into a file; the caller holds the place.

    Raises LeftAlone, NotOver, Damaged or OSError, which change nothing.
    """
    before, books = fingerprint(campaign.pk), books_of(campaign)
    refuse(campaign, books)
    file = file_place.note(campaign)
    try:
        held = write(file, campaign, books)
        keep(file, campaign, held, before, by=by)
    except Exception:
        file_place.give_up(file)
        raise
    crash_point("file_kept")
    remove_rows(file)
    file.refresh_from_db()
    return file


def write(file: MessageFile, campaign: Campaign, books: Books) -> Held:
    """Write the file, read it back, and hold what it holds against the rows that were copied and the books."""
    path = file_place.unfinished(file)
    rows = message_files.write(path, campaign, books)
    crash_point("file_written")
    held = message_files.read_back(path)
    if held.rows != rows or not held.agrees_with(books):
        raise Damaged(f"the file does not hold what was written into it: {held.rows} of {rows}")
    file_place.put_in_place(file, held.checksum)
    return held


@transaction.atomic
def keep(file: MessageFile, campaign: Campaign, held: Held, before: list, *, by: Actor | None) -> None:
    """From here on the file is the truth; refused when anything of the campaign changed while it was copied."""
    campaign = shelf.over(campaign, "moved to a file")
    if campaign.stored_at or fingerprint(campaign.pk) != before:
        raise LeftAlone("something of it changed meanwhile")
    Campaign.objects.filter(pk=campaign.pk, stored_at=None).update(stored_at=Now())
    if not file_place.keep(file, bytes=held.bytes, checksum=held.checksum, **held.rows):
        raise LeftAlone("its file was removed from another machine before it was kept")
    operations.note(campaign, by=by, reason=f"{held.rows['messages']:,} messages moved to a file")
    facts = {"file": file.name, "checksum": held.checksum, "messages": held.rows["messages"]}
    audit_log.record(campaign.workspace, "store", campaign, by=by, after=facts)
    live.changed(campaign.pk, campaign.workspace_id)


def fingerprint(campaign: int) -> list:
    """Differs when any row of the campaign was added, changed or removed meanwhile."""
    with connection.cursor() as cursor:
        rows = []
        for part in PARTS:
            cursor.execute(f"SELECT count(*), bit_xor(hashtextextended(t::text, 0)) FROM {part.rows_of(campaign)}")
            rows.append(cursor.fetchone())
    return rows


def remove_rows(file: MessageFile) -> None:
    """Take out of the tables what the file holds, chunk by chunk, so that no lock is held for long."""
    messages = Message.objects.filter(campaign=file.campaign_id).order_by("number").values_list("number", flat=True)
    first, last = messages.first() or 1, messages.last() or 0
    chunk = BATCHES * settings.BATCH_SIZE
    for start in range(first, last + 1, chunk):
        remove_chunk(file, start, start + chunk - 1)
        crash_point("rows_half_removed")
    crash_point("rows_removed")
    MessageFile.objects.filter(pk=file.pk).update(moved_at=Now())


@transaction.atomic
def remove_chunk(file: MessageFile, first: int, last: int) -> None:
    """The messages with these numbers, their attempts, and the calls the simulated provider remembers of them.

    Raises LeftAlone if another machine was faster: what it brought back meanwhile is in no file any more.
    """
    if not half_moved().select_for_update().filter(pk=file.pk).exists():
        raise LeftAlone("somebody on another machine has moved the rest, brought it back or deleted it")
    campaign = file.campaign_id
    messages = Message.objects.filter(campaign=campaign, number__range=(first, last))
    forget(Attempt.objects.filter(message__in=messages).values("key"))
    forget(messages.values("key"))
    with connection.cursor() as cursor:
        which = "campaign_id = %s AND number BETWEEN %s AND %s"
        ids = f"SELECT id FROM dispatcher_message WHERE {which}"
        cursor.execute(f"DELETE FROM dispatcher_attempt WHERE message_id IN ({ids})", [campaign, first, last])
        cursor.execute(f"DELETE FROM dispatcher_message WHERE {which}", [campaign, first, last])


def half_moved() -> QuerySet[MessageFile]:
    """The files whose rows were not all removed yet: whoever was at it was killed."""
    return MessageFile.objects.filter(kept_at__isnull=False, dropped_at=None, moved_at=None).order_by("pk")


def carry_on(file: MessageFile) -> None:
    """Remove the rest of the rows of a file that was kept. Raises LeftAlone if it is not what it was."""
    if wrong := file_place.wrong_with(file):
        raise LeftAlone(f"{wrong}; what is left of its messages stays in the tables")
    remove_rows(file)


def size_of(campaigns: Iterable[Campaign]) -> dict[str, tuple[int, int]]:
    """Of each part how many rows of these campaigns there are, and the bytes of them without indexes."""
    sizes = {part.name: (0, 0) for part in PARTS}
    with connection.cursor() as cursor:
        for campaign in campaigns:
            for part in PARTS:
                cursor.execute(
                    f"SELECT count(*), coalesce(sum(pg_column_size(t.*)), 0) FROM {part.rows_of(campaign.pk)}"
                )
                n, size = cursor.fetchone()
                sizes[part.name] = (sizes[part.name][0] + n, sizes[part.name][1] + size)
    return sizes


def vacuum() -> None:
    """So that the room is used again at once: autovacuum waits until a fifth of a table is gone. Locks nobody out."""
    with connection.cursor() as cursor:
        for part in PARTS:
            cursor.execute(f"VACUUM (ANALYZE) {part.table}")
