"""Looks the rows of a list up among the people, before anybody is changed: what would become of each."""

from collections.abc import Iterator

from django.db import connection, transaction
from django.db.models.functions import Now

from people import refuse
from people.models import Import, ImportRow, Problem
from people.refuse import IN_RANGE, LISTED, range_of, refuse_erased
from people.staging import locked

V = ImportRow.Verdict
RANGE = 20_000
NOBODYS = 0  # the id of a group that is still to be made
SLICE = 250_000  # of the addresses of a list that are compared with one another while its import is held

# Rows that name an address some other row names, too. The second of an email address is the same person again.
SAME_EMAIL = f"""
    UPDATE people_stagedrow AS s SET is_alone = false,
        problem = CASE WHEN s.number > f.number AND s.problem = 0 THEN {Problem.REPEATED:d} ELSE s.problem END,
        forecast = CASE WHEN s.number > f.number THEN {V.UNCHANGED:d} ELSE s.forecast END
    FROM (SELECT email, min(number) AS number FROM people_stagedrow
          WHERE upload_id = %(upload)s AND email <> '' AND forecast <> {V.REJECTED:d}
            AND mod(abs(hashtext(email)::bigint), %(slices)s) = %(slice)s
          GROUP BY email HAVING count(*) > 1) AS f
    WHERE s.upload_id = %(upload)s AND s.email = f.email AND s.forecast <> {V.REJECTED:d}
"""
SAME_PHONE = f"""
    UPDATE people_stagedrow AS s SET is_alone = false,
        problem = CASE WHEN s.number > f.number AND s.email = '' AND s.problem = 0
                  THEN {Problem.REPEATED:d} ELSE s.problem END,
        forecast = CASE WHEN s.number > f.number AND s.email = '' THEN {V.UNCHANGED:d} ELSE s.forecast END
    FROM (SELECT phone, min(number) AS number FROM people_stagedrow
          WHERE upload_id = %(upload)s AND phone <> '' AND forecast <> {V.REJECTED:d}
            AND mod(abs(hashtext(phone)::bigint), %(slices)s) = %(slice)s
          GROUP BY phone HAVING count(*) > 1) AS f
    WHERE s.upload_id = %(upload)s AND s.phone = f.phone AND s.forecast <> {V.REJECTED:d}
"""
# Whom a row is about: the person with its email address, else the one with its phone number.
KNOWN = """
    UPDATE people_stagedrow AS s SET is_alone = false, recipient_id = r.id
    FROM people_recipient AS r
    WHERE s.upload_id = %(upload)s AND s.number > %(after)s AND s.number <= %(to)s AND r.workspace_id = %(workspace)s
      AND s.recipient_id IS NULL AND {same}
"""
BY_EMAIL = KNOWN.format(same="s.email <> '' AND r.email <> '' AND lower(r.email) = s.email")
BY_PHONE = KNOWN.format(same="s.phone <> '' AND r.phone <> '' AND r.phone = s.phone")
# A phone number of somebody who has another email address makes nobody the same person.
TO_CHANGE = f"""
    UPDATE people_stagedrow AS s SET forecast = CASE
        WHEN s.email <> '' AND r.email <> '' AND lower(r.email) <> s.email THEN {V.CREATED:d}
        WHEN (s.email <> '' AND r.email = '') OR (s.phone <> '' AND s.phone <> r.phone AND NOT EXISTS (
                 SELECT FROM people_recipient o WHERE o.workspace_id = r.workspace_id AND o.phone = s.phone
                     AND o.email <> ''))
          OR (s.first_name <> '' AND s.first_name <> r.first_name)
          OR (s.last_name <> '' AND s.last_name <> r.last_name)
          OR (s.location <> '' AND s.location <> r.location)
          OR (s.preferred_product <> '' AND s.preferred_product <> r.preferred_product)
          OR NOT r.attributes @> s.attributes
          OR (s.opted_out AND NOT r.opted_out)
          OR (NOT r.refused_channels @> s.refused_channels AND NOT r.opted_out)
          OR EXISTS (SELECT FROM unnest(%(groups)s::bigint[]) AS g(id)
                     WHERE NOT EXISTS (SELECT FROM people_recipient_groups m
                                       WHERE m.recipient_id = r.id AND m.group_id = g.id)
                       AND NOT EXISTS (SELECT FROM people_leftgroup l
                                       WHERE l.recipient_id = r.id AND l.group_id = g.id))
        THEN {V.UPDATED:d} ELSE {V.UNCHANGED:d} END
    FROM people_recipient AS r
    WHERE s.upload_id = %(upload)s AND s.number > %(after)s AND s.number <= %(to)s AND r.id = s.recipient_id
      AND s.forecast = {V.CREATED:d}
"""
TO_MARK = f"""
    UPDATE people_stagedrow AS s SET problem = {Problem.SUPPRESSED:d}
    WHERE {IN_RANGE} AND s.forecast <> {V.REJECTED:d} AND s.problem = 0
      AND {LISTED.format(which="", whose=f"{refuse.BY_EMAIL} OR {refuse.BY_PHONE}")}
"""
COUNTS = f"""
    SELECT forecast, problem, count(*),
           count(*) FILTER (WHERE forecast <> {V.REJECTED:d} AND left_out <> '' AND cells IS NOT NULL)
    FROM people_stagedrow WHERE upload_id = %s GROUP BY forecast, problem
"""


def look_up(upload: Import) -> Iterator[None]:
    """Look up the rows that are not yet, range by range. Raises Overtaken."""
    if upload.checked == 0 and upload.expected:
        _compare(upload)
    groups = [*upload.groups.values_list("pk", flat=True), *([NOBODYS] if upload.new_group else [])]
    while upload.checked < upload.expected:
        _look_up_range(upload, groups)
        yield


def _compare(upload: Import) -> None:
    """Mark the rows that name an address some other row names, too; asked again it does no more."""
    with connection.cursor() as cursor:  # in no transaction that lasts: it would keep the next list waiting
        cursor.execute("ANALYZE (SKIP_LOCKED) people_stagedrow")
    slices = -(-upload.expected // SLICE)
    for some in range(slices):
        _compare_slice(upload, {"upload": upload.pk, "slices": slices, "slice": some})


@transaction.atomic
def _compare_slice(upload: Import, values: dict[str, int]) -> None:
    locked(upload, checked=0)
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL work_mem = '64MB'")
        # While the table is being vacuumed its statistics are those of other lists, and all rows of this one are taken
        # for one: each would be compared with each, for hours.
        cursor.execute("SET LOCAL enable_nestloop = off")
        for statement in (SAME_EMAIL, SAME_PHONE):
            cursor.execute(statement, values)
    Import.objects.filter(pk=upload.pk).update(moved_at=Now())


@transaction.atomic
def _look_up_range(upload: Import, groups: list[int]) -> None:
    locked(upload, checked=upload.checked)
    to = min(upload.checked + RANGE, upload.expected)
    values = range_of(upload, upload.checked, to) | {"groups": groups}
    with connection.cursor() as cursor:
        refuse_erased(upload, upload.checked, to)
        if upload.workspace.suppressions.exists():
            cursor.execute(TO_MARK, values)
        if upload.workspace.recipients.exists():
            for statement in (BY_EMAIL, BY_PHONE, TO_CHANGE):
                cursor.execute(statement, values)
    Import.objects.filter(pk=upload.pk).update(checked=to, moved_at=Now())
    upload.checked = to


@transaction.atomic
def sum_up(upload: Import) -> dict:
    """How many rows would get each verdict, of how many something would be left out, and how many have each problem."""
    with connection.cursor() as cursor:
        cursor.execute(COUNTS, [upload.pk])
        counted = cursor.fetchall()
    forecast: dict = {verdict.label: 0 for verdict in V} | {"partly": 0, "problems": {}}
    for verdict, problem, count, partly in counted:
        forecast[V(verdict).label] += count
        forecast["partly"] += partly
        if problem:
            forecast["problems"][str(problem)] = forecast["problems"].get(str(problem), 0) + count
    return forecast
