"""Restore: the messages of a campaign come back from their file into the tables, as they were."""

from zipfile import ZipFile

from django.db import connection, transaction
from django.db.models.functions import Now

from accounts import audit_log
from accounts.models import Actor
from campaigns.models import Campaign
from dispatcher import file_place, operations
from dispatcher.audit import findings
from dispatcher.crash import crash_point
from dispatcher.erase import forget_messages
from dispatcher.message_files import BLOCK, PARTS, Damaged, Part, lines_of
from dispatcher.models import MessageFile
from dispatcher.store import LeftAlone, carry_on
from wires import live

# Of people who were erased meanwhile the message stays, without them.
WITHOUT_THE_ERASED = """
    SELECT id FROM dispatcher_message m
    WHERE campaign_id = %s AND recipient_id IS NOT NULL
      AND NOT EXISTS (SELECT FROM people_recipient r WHERE r.id = m.recipient_id)
"""


def restore(campaign: Campaign, *, by: Actor | None) -> MessageFile:
    """Bring its messages back, all or none, and remove the file; the caller holds the place.

    Raises LeftAlone, Damaged or OSError, which change nothing.
    """
    file = file_place.kept(campaign)
    if file is None:
        raise LeftAlone("its messages are not in a file")
    if wrong := file_place.wrong_with(file):
        raise LeftAlone(wrong)
    if file.moved_at is None:
        carry_on(file)
    load(file, campaign, by=by)
    return file


@transaction.atomic
def load(file: MessageFile, campaign: Campaign, *, by: Actor | None) -> None:
    campaign = operations.locked(campaign)
    if not file_place.drop([file]):
        raise LeftAlone("somebody on another machine replaced or removed its file meanwhile")
    with ZipFile(file_place.path_of(file)) as content:
        for part in PARTS:
            if (rows := copy_in(content, part)) != getattr(file, part.name):
                raise Damaged(f"{file} holds {rows:,} {part.name} in place of {getattr(file, part.name):,}")
    forget_erased(campaign)
    Campaign.objects.filter(pk=campaign.pk).update(stored_at=None, restored_at=Now())
    campaign.stored_at = None
    if wrong := next(findings(campaign), None):
        raise LeftAlone(f"the auditor would not be content: {wrong.sentence}")
    operations.note(campaign, by=by, reason=f"{file.messages:,} messages brought back from a file")
    audit_log.record(campaign.workspace, "restore", campaign, by=by, after={"messages": file.messages})
    live.changed(campaign.pk, campaign.workspace_id)
    crash_point("rows_loaded")


def copy_in(content: ZipFile, part: Part) -> int:
    """Load one part through a table of its own; returns how many rows came."""
    with lines_of(content, part) as (columns, lines), connection.cursor() as cursor:
        names = ", ".join(columns)
        cursor.execute(f"CREATE TEMPORARY TABLE incoming (LIKE {part.table} INCLUDING DEFAULTS) ON COMMIT DROP")
        with cursor.copy(f"COPY incoming ({names}) FROM STDIN") as copy:
            while block := lines.read(BLOCK):
                copy.write(block)
        cursor.execute(f"INSERT INTO {part.table} ({names}) SELECT {names} FROM incoming")
        rows = cursor.rowcount
        cursor.execute("DROP TABLE incoming")
    return rows


def forget_erased(campaign: Campaign) -> None:
    with connection.cursor() as cursor:
        cursor.execute(WITHOUT_THE_ERASED, [campaign.pk])
        forget_messages([pk for (pk,) in cursor.fetchall()])
