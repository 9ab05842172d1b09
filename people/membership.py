"""Putting people into groups and taking them out: any number of them in one statement."""

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any, cast

from django.db import DEFAULT_DB_ALIAS, connection, transaction
from django.db.models import QuerySet

from accounts import audit_log
from accounts.models import Actor, Workspace
from people.held import hold_groups
from people.models import Group, Recipient

MOST_UNDONE = 500  # people whose change can be taken back: their ids go to the page and come back
MANY = 1_000

# Whoever left the group by own wish is not put into it again, and so stays where a move would have taken them from.
CHANGE = """
    WITH chosen (id) AS MATERIALIZED ({people}),
    allowed AS (
        SELECT id FROM chosen WHERE NOT EXISTS (
            SELECT FROM people_leftgroup l WHERE l.recipient_id = chosen.id AND l.group_id = %s::bigint)),
    put AS (
        INSERT INTO people_recipient_groups (recipient_id, group_id)
        SELECT id, %s::bigint FROM allowed WHERE %s::bigint IS NOT NULL ORDER BY id
        ON CONFLICT DO NOTHING RETURNING recipient_id),
    taken AS (
        DELETE FROM people_recipient_groups m USING allowed
        WHERE m.recipient_id = allowed.id AND m.group_id = %s::bigint RETURNING m.recipient_id)
    SELECT (SELECT count(*) FROM chosen), (SELECT count(*) FROM chosen) - (SELECT count(*) FROM allowed),
           (SELECT count(*) FROM put), (SELECT count(*) FROM taken),
           (SELECT (array_agg(recipient_id))[1:%s] FROM put), (SELECT (array_agg(recipient_id))[1:%s] FROM taken)
"""


@dataclass(frozen=True)
class Regrouped:
    """What became of the people somebody chose."""

    into: Group | None = None
    out_of: Group | None = None
    chosen: int = 0
    refused: int = 0  # they had left the group by their own wish
    joined: int = 0
    left: int = 0
    joined_ids: list[int] = field(default_factory=list)
    left_ids: list[int] = field(default_factory=list)

    @property
    def is_something(self) -> bool:
        return bool(self.joined or self.left)

    @property
    def can_be_undone(self) -> bool:
        return self.is_something and self.joined <= MOST_UNDONE and self.left <= MOST_UNDONE

    @property
    def words(self) -> str:
        """What happened, in sentences."""
        if self.into is None:
            return f"{_people(self.left)} taken out of “{self.out_of}”."
        moved = f" moved from “{self.out_of}” to “{self.into}”." if self.out_of else f" put into “{self.into}”."
        told = [_people(self.left if self.out_of else self.joined) + moved]
        if there := self.chosen - self.refused - self.joined:
            told.append(f"{there:,} {'was' if there == 1 else 'were'} in it already.")
        if self.refused:
            them = "1 person has" if self.refused == 1 else f"{self.refused:,} people have"
            told.append(f"{them} left “{self.into}” by their own wish and cannot be put into it again.")
        return " ".join(told)


def _people(count: int) -> str:
    return "1 person was" if count == 1 else f"{count:,} people were" if count else "Nobody was"


def put_in(people: QuerySet[Recipient], group: Group, *, by: Actor | None) -> Regrouped:
    """Put these people into the group, too, but for those who left it by their own wish."""
    return _change(people, "put_in", into=group, by=by)


def take_out(people: QuerySet[Recipient], group: Group, *, by: Actor | None) -> Regrouped:
    """Take these people out of the group; they may be put into it again."""
    return _change(people, "take_out", out_of=group, by=by)


def move(people: QuerySet[Recipient], source: Group, target: Group, *, by: Actor | None) -> Regrouped:
    """Put these people into the target instead of the source; who left the target by own wish stays."""
    return _change(people, "move", into=target, out_of=source, by=by)


@transaction.atomic
def undo(
    workspace: Workspace,
    *,
    by: Actor | None,
    into: Group | None,
    out_of: Group | None,
    joined: Collection[int],
    left: Collection[int],
) -> None:
    """Take a change back, as far as nobody left by own wish meanwhile."""
    hold_groups([group.pk for group in (into, out_of) if group])
    if into and joined:
        _change(workspace.recipients.filter(pk__in=joined), "take_out", out_of=into, by=by)
    if out_of and left:
        _change(workspace.recipients.filter(pk__in=left), "put_in", into=out_of, by=by)


@transaction.atomic
def _change(
    people: QuerySet[Recipient], verb: str, *, by: Actor | None, into: Group | None = None, out_of: Group | None = None
) -> Regrouped:
    # Whoever leaves one just now is waited for, or waits, finds that they are in it, and is taken out.
    hold_groups([group.pk for group in (into, out_of) if group])
    # Also of nobody at all, whom Django would not ask the database about.
    asked = people.order_by().values_list("pk").query.get_compiler(DEFAULT_DB_ALIAS, elide_empty=False)
    sql, params = asked.as_sql()
    target, source = into.pk if into else None, out_of.pk if out_of else None
    many = people.order_by()[: MANY + 1].count() > MANY
    with connection.cursor() as cursor:
        if many:
            # Of a group that was filled a moment ago the statistics know nothing yet: a loop within a loop over what is
            # taken for one row takes hours.
            cursor.execute("SET LOCAL enable_nestloop = off")
        cursor.execute(CHANGE.format(people=sql), [*params, target, target, target, source, MOST_UNDONE, MOST_UNDONE])
        chosen, refused, joined, left, joined_ids, left_ids = cursor.fetchone()
        if many:
            cursor.execute("SET LOCAL enable_nestloop = DEFAULT")
    change = Regrouped(into, out_of, chosen, refused, joined, left, joined_ids or [], left_ids or [])
    if change.is_something:
        _record(change, verb, by=by)
    return change


def _record(change: Regrouped, verb: str, *, by: Actor | None) -> None:
    told: dict[str, Any] = {"people": change.joined if change.into else change.left}
    told |= {"out of": change.out_of} if change.into else {}
    told |= {"left out by own wish": change.refused} if change.refused else {}
    about = cast(Group, change.into or change.out_of)
    audit_log.record(about.workspace, verb, about, by=by, after=told)
