"""The audit log: one row for each change somebody or something made, appended in the transaction of the change.

The database refuses to change or remove a row, and links each to the one before it when its transaction commits.
"""

from collections.abc import Iterable, Iterator
from datetime import date, datetime
from typing import Any

from django.db import connection
from django.db.models import Model

from accounts.models import Actor, AuditEntry, User, Workspace
from accounts.origin import origin

LONGEST = 300  # characters of one value kept; a text is known by its beginning


def record(
    workspace: Workspace | None,
    verb: str,
    about: Model,
    *,
    by: Actor | None,
    before: dict[str, Any] | None = None,
    after: dict[str, Any] | None = None,
) -> None:
    """Append a row: who did what to which row, and what the fields that changed were and are.

    `verb` is the word of the operation ("pause"). `before` and `after` map field names to values; only what
    differs is kept. Values that tell of a person are given as `hidden`, because the log outlives an erasure.
    """
    here = origin()
    AuditEntry.objects.create(
        workspace_id=workspace.pk if workspace else None,
        verb=verb,
        kind=type(about).__name__.lower(),
        about_id=about.pk,
        about=str(about)[:200],
        actor_kind=kind_of(by),
        actor_id=by.pk if by else None,
        actor=str(by)[:200] if by else "",
        address=here.address,
        request_id=here.request_id,
        changes=differences(before or {}, after or {}),
    )


def kind_of(actor: Actor | None) -> int:
    if actor is None:
        return AuditEntry.Kind.MACHINE
    return AuditEntry.Kind.PERSON if isinstance(actor, User) else AuditEntry.Kind.KEY


def fields_of(row: Model, names: Iterable[str]) -> dict[str, Any]:
    """These fields of a row as they are now: taken before and after a change, for `record`."""
    return {name: getattr(row, name) for name in names}


def differences(before: dict[str, Any], after: dict[str, Any]) -> dict[str, list]:
    """By field, what it was and what it is: [old, new], for those that differ."""
    names = [*before, *(name for name in after if name not in before)]
    both = {name: (before.get(name), after.get(name)) for name in names}
    return {name: [plain(old), plain(new)] for name, (old, new) in both.items() if old != new}


def plain(value: Any) -> Any:
    """The value as JSON can keep it."""
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, Model):
        return str(value)[:LONGEST]
    if isinstance(value, dict):
        return {str(k)[:LONGEST]: plain(v) for k, v in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(each) for each in value]
    text = str(value).replace("\x00", "")
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}… ({len(text):,} characters)"


# Of the chain of each workspace: what does not follow from the row before, or from the entry it stands for.
BROKEN = """
    SELECT format('audit log of workspace %s: entry %s %s', l.workspace, coalesce(l.entry_id, 0), CASE
             WHEN e.id IS NULL THEN 'was removed'
             WHEN l.digest <> accounts_audit_digest(l.previous, e) THEN 'was changed'
             ELSE 'does not follow from the one before it' END)
    FROM (SELECT *, lag(digest, 1, '') OVER chain AS digest_before, lag(number, 1, 0) OVER chain AS number_before
          FROM accounts_auditlink WINDOW chain AS (PARTITION BY workspace ORDER BY number)) l
    LEFT JOIN accounts_auditentry e ON e.id = l.entry_id
    WHERE e.id IS NULL OR l.digest <> accounts_audit_digest(l.previous, e)
       OR l.previous <> l.digest_before OR l.number <> l.number_before + 1
    UNION ALL
    SELECT format('audit log of workspace %s: entry %s is not linked to the others', coalesce(e.workspace_id, 0), e.id)
    FROM accounts_auditentry e LEFT JOIN accounts_auditlink l ON l.entry_id = e.id WHERE l.entry_id IS NULL
"""


def broken_links() -> Iterator[str]:
    """A sentence for each row of the log that somebody changed, removed or slipped in."""
    with connection.cursor() as cursor:
        cursor.execute(BROKEN)
        yield from (sentence for (sentence,) in cursor.fetchall())
