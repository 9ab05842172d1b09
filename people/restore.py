"""Gives back what rows of an import took from people who were here before: worked out here, written all at once."""

from collections.abc import Sequence
from typing import Any

from django.db import connection
from django.db.models.functions import Now

from people.consent import has_refused
from people.models import ConsentEvent, Import, ImportRow, Recipient
from people.recipients import ADDRESSES, LINES
from people.suppression import erased_among, let_go_of, look_at

WISHES = {"opted_out", "refused_channels"}
TAKE_OUT = """
    DELETE FROM people_recipient_groups AS m USING unnest(%s::bigint[], %s::bigint[]) AS t(person, grp)
    WHERE m.recipient_id = t.person AND m.group_id = t.grp
"""


class Restoring:
    """The people of these rows. The caller holds the workspace, so that nobody else takes an address meanwhile."""

    def __init__(self, upload: Import, rows: Sequence[ImportRow]) -> None:
        assert upload.started_at  # noqa: S101 - else it changed nobody
        self.upload, self.began = upload, upload.started_at
        ids = {row.recipient_id for row in rows if row.recipient_id}
        people = Recipient.objects.filter(pk__in=ids, workspace=upload.workspace_id).order_by("pk")
        self.people = {person.pk: person for person in people.select_for_update(no_key=True)}
        old = {row.before[name][0] for row in rows for name in ADDRESSES if row.before and name in row.before}
        self.erased = erased_among(upload.workspace, old)
        owners = Recipient.objects.filter(workspace=upload.workspace_id, phone__in=old - {""})
        self.owners = dict(owners.values_list("phone", "pk"))
        came_back = ConsentEvent.objects.filter(wish=ConsentEvent.Wish.IN, at__gt=self.began)
        self.came_back = set(came_back.filter(recipient__in=ids, group__isnull=False).values_list("recipient", "group"))
        self.changed: set[int] = set()
        self.moved: set[int] = set()
        self.taken_out: list[tuple[int, int]] = []
        self.left_behind: list[str] = []

    def set_back(self, row: ImportRow) -> bool:
        """Undo a row where its changes still stand, the last row first; returns whether all of them did."""
        person, before = self.people.get(row.recipient_id or 0), row.before or {}
        if person is None:
            return False
        is_whole = [
            not WISHES & before.keys(),  # they stay
            self._take_out(person, before.get("groups", [])),
            *[self._move_back(person, name, *before[name]) for name in ADDRESSES if name in before],
            *[self._change_back(person, name, *before[name]) for name in LINES if name in before],
            self._change_attributes_back(person, before.get("attributes", {})),
        ]
        return all(is_whole)

    def _take_out(self, person: Recipient, groups: Sequence[int]) -> bool:
        """Of a group they have left and come back to since, they are by their own wish."""
        chosen = [group for group in groups if (person.pk, group) in self.came_back]
        self.taken_out.extend((person.pk, group) for group in groups if group not in chosen)
        return not chosen

    def _move_back(self, person: Recipient, name: str, old: str, new: str) -> bool:
        if getattr(person, name) != new or not self._can_have(person, name, old):
            return False
        if new and has_refused(person, name):
            self.left_behind.append(new)
        if self.owners.get(new) == person.pk:
            del self.owners[new]
        if old:
            self.owners[old] = person.pk
        self.moved.add(person.pk)
        return self._change_back(person, name, old, new)

    def _can_have(self, person: Recipient, name: str, old: str) -> bool:
        """Not the address of somebody else, or of somebody erased, and not none at all."""
        if not old:
            return any(getattr(person, other) for other in ADDRESSES if other != name)
        return old not in self.erased and self.owners.get(old, person.pk) == person.pk

    def _change_back(self, person: Recipient, name: str, old: Any, new: Any) -> bool:
        if getattr(person, name) != new:
            return False
        setattr(person, name, old)
        self.changed.add(person.pk)
        return True

    def _change_attributes_back(self, person: Recipient, changed: dict[str, list]) -> bool:
        standing = {name: old for name, (old, new) in changed.items() if person.attributes.get(name) == new}
        if standing:
            merged = person.attributes | standing
            person.attributes = {name: value for name, value in merged.items() if value is not None}
            self.changed.add(person.pk)
        return len(standing) == len(changed)

    def write(self) -> None:
        moved = Recipient.objects.filter(pk__in=self.moved)
        moved.exclude(email="").update(phone="")  # else no number could go to whom another of them gives it back
        Recipient.objects.bulk_create(
            [self.people[pk] for pk in sorted(self.changed)],
            update_conflicts=True,
            unique_fields=["id"],
            update_fields=[*ADDRESSES, *LINES, "attributes"],
        )
        # Who has the time of the import still counts as touched by it alone.
        changed = Recipient.objects.filter(pk__in=self.changed).exclude(updated_at=self.began)
        changed.update(updated_at=Now())
        if self.taken_out:
            with connection.cursor() as cursor:
                cursor.execute(TAKE_OUT, [*map(list, zip(*self.taken_out, strict=True))])
        let_go_of(self.upload.workspace, self.left_behind, by=self.upload.brought_by)
        look_at(self.moved)
