"""Takes back what an import did, from its last row to its first, but for what somebody has changed or used since."""

from collections.abc import Collection
from typing import Any

from django.db import connection, transaction
from django.db.models import F, ManyToManyRel
from django.db.models.functions import Now

from people.held import hold_groups, hold_workspace
from people.models import Import, ImportRow, Recipient
from people.patience import TookTooLong, patience
from people.restore import Restoring
from people.staging import locked

V = ImportRow.Verdict
RANGE = 2_000

# Nobody but this import has written to them: not a field, not a group, not a message.
UNTOUCHED = """
    SELECT r.id FROM people_importrow AS i JOIN people_recipient AS r ON r.id = i.recipient_id
    WHERE i.upload_id = %(upload)s AND i.number > %(after)s AND i.number <= %(to)s AND i.verdict = {created}
      AND r.workspace_id = %(workspace)s AND r.updated_at = %(stamp)s AND NOT r.opted_out
      AND r.refused_channels = '{{}}'
      AND NOT EXISTS (SELECT FROM people_recipient_groups m
                      WHERE m.recipient_id = r.id AND NOT m.group_id = ANY(%(groups)s))
      {unused}
"""
HELD = "ORDER BY r.id FOR UPDATE OF r"


@transaction.atomic
def undo_range(upload: Import) -> None:
    """Undo the last rows that are not undone yet. Raises Overtaken, with nothing changed."""
    after = max(0, upload.not_undone - RANGE)
    locked(upload, not_undone=upload.not_undone)
    hold_workspace(upload.workspace_id)
    hold_groups(upload.groups.values_list("pk", flat=True))
    gone, stayed = _remove(upload, after)  # first, as they may have a number that goes back to its owner
    restored, kept = _restore(upload, after, gone)
    Import.objects.filter(pk=upload.pk).update(
        not_undone=after,
        removed=F("removed") + len(gone),
        restored=F("restored") + restored,
        kept=F("kept") + kept + stayed,
        moved_at=Now(),
    )
    upload.not_undone = after


def foreseen(upload: Import) -> int | None:
    """How many of the people it created would be removed now; None where finding out takes longer than one waits."""
    values = _asked(upload, 0, upload.not_undone or upload.rows)
    try:
        with patience(), connection.cursor() as cursor:
            cursor.execute(f"SELECT count(*) FROM ({_untouched()}) AS untouched", values)  # noqa: S608
            return cursor.fetchone()[0]
    except TookTooLong:
        return None


def _untouched() -> str:
    return UNTOUCHED.format(created=V.CREATED.value, unused=_unused())


def _asked(upload: Import, after: int, to: int) -> dict[str, Any]:
    return {
        "upload": upload.pk,
        "workspace": upload.workspace_id,
        "after": after,
        "to": to,
        "stamp": upload.started_at,
        "groups": list(upload.groups.values_list("pk", flat=True)),
    }


def _remove(upload: Import, after: int) -> tuple[set[int], int]:
    """Remove whom the rows of the range created; returns who is gone, and how many stay."""
    created = upload.verdicts.filter(number__gt=after, number__lte=upload.not_undone, verdict=V.CREATED)
    values, untouched = _asked(upload, after, upload.not_undone), f"{_untouched()} {HELD}"
    with connection.cursor() as cursor:
        cursor.execute(untouched, values)
        cursor.execute(untouched, values)  # without those that a launch, for whose end we waited, has written to
        gone = [pk for (pk,) in cursor.fetchall()]
        cursor.execute("DELETE FROM people_recipient_groups WHERE recipient_id = ANY(%s)", [gone])
        cursor.execute("DELETE FROM people_recipient WHERE id = ANY(%s)", [gone])
    stay = created.filter(recipient__in=Recipient.objects.filter(workspace=upload.workspace_id).values("pk"))
    stayed = stay.filter(is_kept=False).update(is_kept=True)
    return set(gone), stayed


def _restore(upload: Import, after: int, gone: Collection[int]) -> tuple[int, int]:
    """Set back what the rows of the range changed; returns how many wholly, and how many only in part."""
    rows = upload.verdicts.filter(number__gt=after, number__lte=upload.not_undone, before__isnull=False)
    changed = list(rows.order_by("-number"))
    restoring = Restoring(upload, changed)
    in_part = [row.pk for row in changed if row.recipient_id not in gone and not restoring.set_back(row)]
    restoring.write()
    ImportRow.objects.filter(pk__in=in_part).update(is_kept=True)
    return len(changed) - len(in_part), len(in_part)


def _unused() -> str:
    """That no row of any table, of whatever app, points at the person."""
    places: list[tuple[str, str]] = []
    for relation in Recipient._meta.related_objects:
        if isinstance(relation, ManyToManyRel):
            assert relation.through  # noqa: S101 - of every relation of many to many
            places.append((relation.through._meta.db_table, str(relation.field.m2m_reverse_name())))
        elif relation.field.model is not ImportRow:
            places.append((relation.field.model._meta.db_table, str(relation.field.column)))
    return " ".join(
        f'AND NOT EXISTS (SELECT FROM "{table}" u{n} WHERE u{n}."{column}" = r.id)'  # noqa: S608
        for n, (table, column) in enumerate(places)
    )
