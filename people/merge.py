"""Books a range of an import: people, memberships, wishes, verdicts and counts, all in one transaction."""

from collections.abc import Sequence

from django.db import IntegrityError, connection, transaction
from django.db.models import Count, F
from django.db.models.functions import Now

from people.held import hold_groups, hold_workspace
from people.models import PARTLY, ConsentEvent, Import, ImportRow, StagedRow
from people.plain import shown
from people.refuse import IN_RANGE, range_of, refuse_erased
from people.register import Booking, Register
from people.staging import locked
from people.suppression import let_go_of, look_at

V = ImportRow.Verdict
RANGE = 5_000  # whoever adds a person by hand waits until one is done
CHUNK = 2_000
RACES = 5  # how often a range may lose against somebody adding the same person by hand

REJECT = f"""
    INSERT INTO people_importrow (upload_id, number, line, verdict, address, reason, cells)
    SELECT s.upload_id, s.number, s.line, {V.REJECTED:d}, s.address, left(s.fault, 200), s.cells
    FROM people_stagedrow AS s WHERE {IN_RANGE} AND s.forecast = {V.REJECTED:d}
"""
# Nobody here and no other row has their addresses. Who came in since the list was checked is left to the register.
CREATE = f"""
    WITH new AS MATERIALIZED (
        SELECT nextval('people_recipient_id_seq') AS person, s.* FROM people_stagedrow AS s
        WHERE {IN_RANGE} AND s.is_alone AND s.forecast = {V.CREATED:d} ORDER BY s.number
    ), made AS (
        INSERT INTO people_recipient (id, workspace_id, email, phone, first_name, last_name, location,
                                      preferred_product, attributes, opted_out, refused_channels, updated_at)
        SELECT person, %(workspace)s, email, phone, first_name, last_name, location,
               preferred_product, attributes, opted_out, refused_channels, %(stamp)s FROM new
        ON CONFLICT DO NOTHING RETURNING id AS person, opted_out, refused_channels
    ), joined AS (
        INSERT INTO people_recipient_groups (recipient_id, group_id)
        SELECT person, g.id FROM made, unnest(%(groups)s::bigint[]) AS g(id)
    ), wished AS (
        INSERT INTO people_consentevent
            (workspace_id, recipient_id, wish, channel, how, by_id, key_id, evidence, reason)
        SELECT %(workspace)s, person, {ConsentEvent.Wish.OUT:d}, wished.channel, {ConsentEvent.How.IMPORT:d},
               %(by)s, %(key)s, jsonb_build_object('import', new.upload_id, 'line', new.line), ''
        FROM new JOIN made USING (person),
             unnest(CASE WHEN made.opted_out THEN ARRAY[NULL]::smallint[] ELSE made.refused_channels END)
                 AS wished(channel)
        WHERE made.opted_out OR made.refused_channels <> '{{}}'
    )
    INSERT INTO people_importrow (upload_id, number, line, verdict, address, reason, recipient_id, cells)
    SELECT new.upload_id, new.number, new.line, {V.CREATED:d}, new.address, left(new.left_out, 200), person,
           CASE WHEN new.left_out <> '' THEN new.cells END
    FROM new JOIN made USING (person)
"""


def merge_range(upload: Import) -> None:
    """Book the next rows. Raises Overtaken, with nothing changed."""
    for _ in range(RACES):
        try:
            return _merge_range(upload)
        except IntegrityError:  # somebody added or changed one of these people meanwhile: look again
            continue
    return _merge_range(upload)


@transaction.atomic
def _merge_range(upload: Import) -> None:
    after, to = upload.rows, min(upload.rows + RANGE, upload.expected)
    _lock(upload)
    groups = list(upload.groups.values_list("pk", flat=True))  # one may have been deleted since
    hold_groups(groups)
    refuse_erased(upload, after, to)
    values = range_of(upload, after, to) | {"groups": groups, "stamp": upload.started_at}
    values |= {"by": upload.by_id, "key": upload.key_id}
    with connection.cursor() as cursor:
        cursor.execute(REJECT, values)
        cursor.execute(CREATE, values)
    _book_the_rest(upload, after, to, groups)
    booked = ImportRow.objects.filter(upload=upload.pk, number__gt=after, number__lte=to)
    if upload.workspace.suppressions.exists():
        look_at(booked.filter(verdict__in=(V.CREATED, V.UPDATED)).values_list("recipient", flat=True))
    partly = booked.filter(PARTLY).count()
    counts = dict(booked.order_by().values_list("verdict").annotate(n=Count("*")))
    Import.objects.filter(pk=upload.pk).update(
        rows=F("rows") + sum(counts.values()),
        partly=F("partly") + partly,
        moved_at=Now(),
        **{V(verdict).label: F(V(verdict).label) + count for verdict, count in counts.items()},
    )
    upload.rows = to


def _lock(upload: Import) -> None:
    """One worker an import, one import at a time a workspace: two that meet would lock people crosswise."""
    locked(upload, rows=upload.rows)
    hold_workspace(upload.workspace_id)


def _book_the_rest(upload: Import, after: int, to: int, groups: Sequence[int]) -> None:
    """Rows about people who are here already, or who stand in the list more than once, in their order."""
    in_range = {"upload": upload.pk, "number__gt": after, "number__lte": to}
    booked = set(ImportRow.objects.filter(**in_range).values_list("number", flat=True))
    # Not asked in one query: of tables this young the planner knows nothing, and would compare each with each.
    numbers = [number for number in range(after + 1, to + 1) if number not in booked]
    left = list(StagedRow.objects.filter(upload=upload.pk, number__in=numbers).order_by("number")) if numbers else []
    while left:
        register = Register(upload, left[:CHUNK], groups)
        done = register.book_all()
        register.write()
        let_go_of(upload.workspace, register.left_behind, by=upload.brought_by)
        _write(upload, done)
        left = left[len(done) :]


def _write(upload: Import, done: Sequence[Booking]) -> None:
    ImportRow.objects.bulk_create(
        ImportRow(
            upload_id=upload.pk,
            number=one.row.number,
            line=one.row.line,
            verdict=one.verdict,
            address=one.row.email or one.row.phone,
            reason=shown(one.reason, at_most=200),
            recipient_id=one.person.pk,
            before=one.before or None,
            cells=one.row.cells if one.row.left_out else None,
        )
        for one in done
    )
