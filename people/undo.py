"""Takes back what an import did, from its last row to its first, but for what somebody has changed or used since."""

from collections.abc import Iterator
from typing import Any

from django.db import IntegrityError, connection, transaction
from django.db.models import F, ManyToManyRel
from django.db.models.functions import Now

from people.held import hold_workspace
from people.models import Import, ImportRow, Recipient
from people.recipients import ADDRESSES, LINES
from people.staging import locked
from people.suppression import erased_among, look_at

V = ImportRow.Verdict
RANGE = 2_000
MEMBERSHIP = Recipient.groups.through
WISHES = {"opted_out", "refused_channels"}
CHANGED_SINCE = "not undone: changed, used or opted out since"
IN_PART = "not wholly undone: some of it was changed since, or is a wish"

# Nobody but this import has written to them: not a field, not a group, not a message.
UNTOUCHED = """
    SELECT r.id FROM people_importrow AS i JOIN people_recipient AS r ON r.id = i.recipient_id
    WHERE i.upload_id = %(upload)s AND i.number > %(after)s AND i.number <= %(to)s AND i.verdict = {created}
      AND r.workspace_id = %(workspace)s AND r.updated_at = %(stamp)s AND NOT r.opted_out
      AND r.refused_channels = '{{}}'
      AND NOT EXISTS (SELECT FROM people_recipient_groups m
                      WHERE m.recipient_id = r.id AND NOT m.group_id = ANY(%(groups)s))
      {unused}
    ORDER BY r.id FOR UPDATE OF r
"""


def undo_range(upload: Import) -> None:
    """Undo the last rows that are not undone yet. Raises Overtaken, with nothing changed."""
    with transaction.atomic():
        locked(upload, not_undone=upload.not_undone)
        hold_workspace(upload.workspace_id)
        after = max(0, upload.not_undone - RANGE)
        restored, kept = _restore(upload, after)
        removed, stayed = _remove(upload, after)
        Import.objects.filter(pk=upload.pk).update(
            not_undone=after,
            removed=F("removed") + removed,
            restored=F("restored") + restored,
            kept=F("kept") + kept + stayed,
            moved_at=Now(),
        )
    upload.not_undone = after


def _restore(upload: Import, after: int) -> tuple[int, int]:
    """Set back what the rows of the range changed; returns how many wholly, and how many only in part."""
    rows = upload.verdicts.filter(number__gt=after, number__lte=upload.not_undone, before__isnull=False)
    changed = list(rows.order_by("-number"))
    people = Recipient.objects.filter(pk__in={row.recipient_id for row in changed}, workspace=upload.workspace_id)
    by_id = {person.pk: person for person in people.order_by("pk").select_for_update(no_key=True)}
    addresses = {row.before[name][0] for row in changed for name in ADDRESSES if row.before and name in row.before}
    erased = erased_among(upload.workspace, addresses)
    in_part = []
    for row in changed:
        person = by_id.get(row.recipient_id or 0)
        if person is None or not _set_back(upload, person, dict(row.before or {}), erased):
            in_part.append(row.pk)
    look_at(by_id)
    ImportRow.objects.filter(pk__in=in_part).update(is_kept=True, reason=IN_PART)
    return len(changed) - len(in_part), len(in_part)


def _set_back(upload: Import, person: Recipient, before: dict[str, Any], erased: set[str]) -> bool:
    """Undo one row's changes where they still stand; returns whether all of them did."""
    is_whole = not WISHES & before.keys()  # a wish stays
    groups = before.pop("groups", [])
    MEMBERSHIP.objects.filter(recipient=person, group__in=groups).delete()
    fields = []
    for name, old in _still_standing(person, before, erased):
        setattr(person, name, old)
        fields.append(name)
    attributes = before.get("attributes", {})
    standing = {name: old for name, (old, new) in attributes.items() if person.attributes.get(name) == new}
    if standing:
        kept = {name: value for name, value in (person.attributes | standing).items() if value is not None}
        person.attributes = kept
        fields.append("attributes")
    is_whole &= len(standing) == len(attributes)
    is_whole &= all(name in fields for name in before if name not in ("attributes", *WISHES))
    return _written(upload, person, fields) and is_whole


def _still_standing(person: Recipient, before: dict[str, Any], erased: set[str]) -> Iterator[tuple[str, Any]]:
    """What was there before, but for the address of somebody who asked to be erased since."""
    for name in (*ADDRESSES, *LINES):
        if name in before and getattr(person, name) == before[name][1] and before[name][0] not in erased:
            yield name, before[name][0]


def _written(upload: Import, person: Recipient, fields: list[str]) -> bool:
    if not fields:
        return True
    values = {name: getattr(person, name) for name in fields}
    if person.updated_at != upload.started_at:  # else it still counts as touched by this import alone
        values["updated_at"] = Now()
    try:
        with transaction.atomic():
            Recipient.objects.filter(pk=person.pk).update(**values)
    except IntegrityError:  # the address was given to somebody else meanwhile, or it is the only one left
        person.refresh_from_db()
        return False
    return True


def _remove(upload: Import, after: int) -> tuple[int, int]:
    """Remove whom the rows of the range created; returns how many, and how many stay."""
    created = upload.verdicts.filter(number__gt=after, number__lte=upload.not_undone, verdict=V.CREATED)
    values = {
        "upload": upload.pk,
        "workspace": upload.workspace_id,
        "after": after,
        "to": upload.not_undone,
        "stamp": upload.started_at,
        "groups": list(upload.groups.values_list("pk", flat=True)),
    }
    untouched = UNTOUCHED.format(created=V.CREATED.value, unused=_unused())
    with connection.cursor() as cursor:
        cursor.execute(untouched, values)
        cursor.execute(untouched, values)  # without those that a launch, for whose end we waited, has written to
        gone = [pk for (pk,) in cursor.fetchall()]
        cursor.execute("DELETE FROM people_recipient_groups WHERE recipient_id = ANY(%s)", [gone])
        cursor.execute("DELETE FROM people_recipient WHERE id = ANY(%s)", [gone])
    stay = created.filter(recipient__in=Recipient.objects.filter(workspace=upload.workspace_id).values("pk"))
    stayed = stay.filter(is_kept=False).update(is_kept=True, reason=CHANGED_SINCE)
    return len(gone), stayed


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
