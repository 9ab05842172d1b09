"""Where lists name somebody by an address: found in the texts of rows without taking a longer address for it."""

from collections.abc import Set
from dataclasses import dataclass
from typing import Any

from django.db import connection
from django.db.models import Max

from accounts.models import Actor
from people import unfinished
from people.erased import refuse_while_importing
from people.models import ImportRow, Recipient
from people.patterns import pattern_of_all

# Theirs are the verdicts on rows that were about them, and on those that gave an address of theirs: of a row that was
# rejected the cells tell, as they came. Of others' verdicts it is what those say of their addresses.
ASKED = f"""
    SELECT v.id, v.recipient_id IS NOT DISTINCT FROM %(person)s OR lower(v.address) = ANY(%(addresses)s)
                 OR v.verdict = {ImportRow.Verdict.REJECTED:d}
                    AND v.address || ' ' || coalesce(v.cells::text, '') ~* %(named)s AS is_theirs,
           concat_ws(' ', v.reason, v.before, v.cells) ~* %(named)s AS names_them
    FROM people_importrow v JOIN people_import i ON i.id = v.upload_id WHERE i.workspace_id = %(workspace)s
"""  # noqa: S608 - numbers of ours
FIND = f"WITH asked AS ({ASKED}) SELECT id FROM asked WHERE is_theirs OR names_them"  # noqa: S608
# What an import took from somebody it can then no longer give back.
FORGET = f"""
    WITH asked AS ({ASKED} AND (v.id = ANY(%(rows)s) OR v.id > %(up_to)s OR v.recipient_id = %(person)s))
    UPDATE people_importrow AS v
    SET reason = '', before = NULL, address = CASE WHEN is_theirs THEN '' ELSE address END,
        cells = NULL,
        recipient_id = CASE WHEN NOT is_theirs THEN recipient_id END
    FROM asked WHERE v.id = asked.id AND (is_theirs OR names_them)
"""  # noqa: S608
# Of a list that names them by the name of its file, or in a first line that was taken for the titles.
FILE = r"regexp_replace(name, '\.(csv|tsv|txt|xlsx)$', ' \1', 'i')"  # else it would seem a longer address
FORGET_NAMED = f"""
    UPDATE people_import AS i
    SET name = CASE WHEN {FILE} ~* %(named)s THEN regexp_replace({FILE}, %(named)s, '…', 'gi') ELSE name END,
        note = regexp_replace(note, %(named)s, '…', 'gi'), error = regexp_replace(error, %(named)s, '…', 'gi'),
        titles = (SELECT coalesce(jsonb_agg(CASE WHEN title ~* %(named)s THEN '' ELSE title END ORDER BY n), '[]')
                  FROM jsonb_array_elements_text(i.titles) WITH ORDINALITY AS t(title, n))
    WHERE i.workspace_id = %(workspace)s AND concat_ws(' ', {FILE}, note, error, titles) ~* %(named)s
"""  # noqa: S608 - texts of ours


@dataclass(frozen=True)
class Traces:
    """The rows of lists that name somebody by one of these addresses, among all up to this one.

    And the lists of which no row was carried out yet.
    """

    addresses: Set[str]
    rows: list[int]
    up_to: int
    lists: Set[int]


def find(person: Recipient, addresses: Set[str]) -> Traces:
    """Reads every verdict and unfinished list, so nothing may be held meanwhile. Raises StillImported."""
    up_to = ImportRow.objects.aggregate(last=Max("pk"))["last"] or 0  # first: what a list begun later adds is above it
    refuse_while_importing(person.workspace)
    with connection.cursor() as cursor:
        cursor.execute(FIND, _asked(person, addresses))
        rows = [pk for (pk,) in cursor.fetchall()]
    return Traces(addresses, rows, up_to, unfinished.naming(person, addresses))


def forget(person: Recipient, traces: Traces, *, by: Actor | None) -> None:
    """Rows keep their place and their verdict; lists without any end. Raises StillImported.

    The caller holds the workspace, so that no row is added.
    """
    unfinished.end_all(traces.lists, by=by)
    asked = _asked(person, traces.addresses)
    with connection.cursor() as cursor:
        cursor.execute(FORGET, asked | {"rows": traces.rows, "up_to": traces.up_to})
        cursor.execute(FORGET_NAMED, asked)


def _asked(person: Recipient, addresses: Set[str]) -> dict[str, Any]:
    named = pattern_of_all(addresses)
    return {"workspace": person.workspace_id, "person": person.pk, "addresses": list(addresses), "named": named}
