"""The audit log: one row for each change a person, a program or the clock decided, appended in its transaction.

The database refuses to change or remove a row, and links each to the one before it when its transaction commits.
What follows from a decision is not written again: the engine's moves stand in the history of the campaign, what
became of each person in the ledger, and what became of each row of an import in its verdicts.
"""

from collections.abc import Collection, Iterable, Iterator
from datetime import date, datetime
from os.path import commonprefix
from typing import Any

from django.db import connection, transaction
from django.db.models import Model

from accounts.models import Actor, AuditEntry, AuditLink, User, Workspace
from accounts.origin import origin

LONGEST = 300  # characters of one value kept; a text is known by its beginning
LEAD = 40  # characters kept before the first difference, where the beginnings are the same
FOUND = 5  # faults of the chain that a check writes down


def record(
    workspace: Workspace | None,
    verb: str,
    about: Model,
    *,
    by: Actor | None,
    before: dict[str, Any] | None = None,
    after: dict[str, Any] | None = None,
    hidden: Collection[str] = (),
) -> None:
    """Append a row: who did what to which row, and what the fields that changed were and are.

    `verb` is the word of the operation ("pause"). `before` and `after` map field names to values; only what
    differs is kept, and where both are given and nothing differs, nothing was changed and nothing is written.
    Of the fields in `hidden` the log tells only that they changed: it outlives the erasure of a person, as it does
    a password. For the same reason a row whose name tells of a person has another `audit_name`.

    Call it last: at the commit, what was written before it waits for locks before the chain is held, not after.
    """
    changes = differences(before or {}, after or {}, hidden)
    if before and after and not changes:
        return
    here = origin()
    AuditEntry.objects.create(
        workspace_id=workspace.pk if workspace else None,
        verb=verb,
        kind=about._meta.label_lower.rpartition(".")[2],  # not of type(): the workspace of a request is lazy
        about_id=about.pk,
        about=name_of(about)[:200],
        actor_kind=kind_of(by),
        actor_id=by.pk if by else None,
        actor=str(by)[:200] if by else "",
        address=here.address,
        request_id=here.request_id,
        changes=changes,
    )


def name_of(row: Model) -> str:
    return getattr(row, "audit_name", "") or str(row)


def kind_of(actor: Actor | None) -> int:
    if actor is None:
        return AuditEntry.Kind.MACHINE
    return AuditEntry.Kind.PERSON if isinstance(actor, User) else AuditEntry.Kind.KEY


def fields_of(row: Model, names: Iterable[str]) -> dict[str, Any]:
    """These fields of a row as they are now: taken before and after a change, for `record`."""
    return {name: getattr(row, name) for name in names}


def differences(before: dict[str, Any], after: dict[str, Any], hidden: Collection[str] = ()) -> dict[str, list]:
    """By field, what it was and what it is: [old, new], for those that differ; "hidden" for what is not told."""
    names = [*before, *(name for name in after if name not in before)]
    both = {name: (before.get(name), after.get(name)) for name in names}
    kept = {name: veiled_pair if name in hidden else told for name in names}
    return {name: kept[name](old, new) for name, (old, new) in both.items() if differ(old, new)}


def differ(old: Any, new: Any) -> bool:
    """An empty text, an empty list and nothing at all are the same."""
    return old != new and not (is_empty(old) and is_empty(new))


def is_empty(value: Any) -> bool:
    return value is None or value in ("", [], {}, ())


def veiled_pair(*values: Any) -> list:
    return [None if is_empty(value) else "hidden" for value in values]


def told(old: Any, new: Any) -> list:
    """Both as JSON can keep them; where they begin alike for longer than is kept, from a little before they differ."""
    kept = [plain(old), plain(new)]
    are_alike = kept[0] == kept[1] or str(old)[:LONGEST] == str(new)[:LONGEST]
    return [parted(old, new), parted(new, old)] if are_alike else kept


def parted(value: Any, other: Any) -> str:
    text = in_full(value)
    start = max(0, len(commonprefix([text, in_full(other)])) - LEAD)
    return f"…{plain(text[start:])}"


def in_full(value: Any) -> str:
    return f"{value} ({value.pk})" if isinstance(value, Model) else str(value)


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
    SELECT format('audit log of workspace %%s: entry %%s %%s', l.workspace, coalesce(l.entry_id, 0), CASE
             WHEN e.id IS NULL THEN 'was removed'
             WHEN l.digest <> accounts_audit_digest(l.previous, e) THEN 'was changed'
             ELSE 'does not follow from the one before it' END)
    FROM accounts_auditlink l
    LEFT JOIN accounts_auditlink before ON before.workspace = l.workspace AND before.number = l.number - 1
    LEFT JOIN accounts_auditentry e ON e.id = l.entry_id
    WHERE l.entry_id > %(after)s AND (%(chain)s::bigint IS NULL OR l.workspace = %(chain)s)
      AND (e.id IS NULL OR l.digest <> accounts_audit_digest(l.previous, e) OR l.previous <> coalesce(before.digest, '')
           OR before.number IS NULL AND l.number <> 1)
    UNION ALL
    SELECT format('audit log of workspace %%s: entry %%s is not linked to the others',
                  coalesce(e.workspace_id, 0), e.id)
    FROM accounts_auditentry e LEFT JOIN accounts_auditlink l ON l.entry_id = e.id
    WHERE l.entry_id IS NULL AND e.id > %(after)s
      AND (%(chain)s::bigint IS NULL OR coalesce(e.workspace_id, 0) = %(chain)s)
"""


def broken_links(*, last: int | None = None, chain: int | None = None) -> Iterator[str]:
    """A sentence for each row of the log, or of its `last` ones, that somebody changed, removed or slipped in.

    Of all chains, or of one: a workspace's has its id, that of what concerns users in all of them is 0.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT coalesce(max(entry_id), 0) FROM accounts_auditlink")
        newest = cursor.fetchone()[0]
        cursor.execute(BROKEN, {"after": newest - last if last else -1, "chain": chain})
        yield from (sentence for (sentence,) in cursor.fetchall())


def heads() -> Iterator[AuditLink]:
    """The newest link of each chain: whoever notes its digest can show later whether anything before it was changed."""
    yield from AuditLink.objects.order_by("workspace", "-number").distinct("workspace")


@transaction.atomic
def check(workspace: Workspace, *, by: Actor | None) -> None:
    """Go over the chain of the workspace and write into it what was found, so that the answer is not lost."""
    head = AuditLink.objects.filter(workspace=workspace.pk).order_by("-number").first()
    if head is None:
        return
    broken = list(broken_links(chain=workspace.pk))
    after = {"entries": head.number, "digest": head.digest, "broken": len(broken), "found": broken[:FOUND]}
    record(workspace, "check", head, by=by, after=after)
