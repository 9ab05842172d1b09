"""Where lists name somebody by an address: found in the texts of rows without taking a longer address for it."""

import re
from collections.abc import Set
from dataclasses import dataclass
from typing import Any

import phonenumbers
from django.db import connection
from django.db.models import Max

from people.addresses import readable
from people.erased import refuse_while_importing
from people.forecast import REFUSE
from people.models import ImportRow, Recipient

BETWEEN = "[ ().\\-/\u00a0\u2010-\u2015\u202f]*"  # the digits of a number, as people write it
# Theirs are the verdicts on rows that were about them, and on those that gave an address of theirs: of a row that was
# rejected the cells tell, as they came. Of others' verdicts it is what those say of their addresses.
ASKED = f"""
    SELECT v.id, v.recipient_id IS NOT DISTINCT FROM %(person)s OR lower(v.address) = ANY(%(addresses)s)
                 OR v.verdict = {ImportRow.Verdict.REJECTED:d}
                    AND v.address || ' ' || coalesce(v.cells::text, '') ~* %(named)s AS is_theirs,
           v.reason || ' ' || coalesce(v.before::text, '') ~* %(named)s AS names_them
    FROM people_importrow v JOIN people_import i ON i.id = v.upload_id WHERE i.workspace_id = %(workspace)s
"""  # noqa: S608 - numbers of ours
FIND = f"WITH asked AS ({ASKED}) SELECT id FROM asked WHERE is_theirs OR names_them"  # noqa: S608
# What an import took from somebody it can then no longer give back.
FORGET = f"""
    WITH asked AS ({ASKED} AND (v.id = ANY(%(rows)s) OR v.id > %(up_to)s OR v.recipient_id = %(person)s))
    UPDATE people_importrow AS v
    SET reason = '', before = NULL, address = CASE WHEN is_theirs THEN '' ELSE address END,
        cells = CASE WHEN NOT is_theirs THEN cells END,
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
# Of lists that wait for a colleague.
FORGET_WAITING = f"""
    {REFUSE} FROM people_import i
    WHERE i.id = s.upload_id AND i.workspace_id = %(workspace)s AND i.finished_at IS NULL
      AND (s.recipient_id = %(person)s OR s.email = ANY(%(addresses)s) OR s.phone = ANY(%(addresses)s)
           OR s.problem <> 0 AND concat_ws(' ', s.address, s.cells, s.fault, s.found, s.left_out) ~* %(named)s)
"""
# A row that is shown beside the columns to be chosen keeps its width.
FORGET_FIRST = """
    UPDATE people_import AS i SET first = (
        SELECT jsonb_agg(CASE WHEN row::text !~* %(named)s THEN row ELSE
                   jsonb_set(row, '{1}', to_jsonb(array_fill(''::text, ARRAY[jsonb_array_length(row -> 1)]))) END
               ORDER BY place)
        FROM jsonb_array_elements(i.first) WITH ORDINALITY AS f(row, place))
    WHERE i.workspace_id = %(workspace)s AND i.finished_at IS NULL AND i.first::text ~* %(named)s
"""


@dataclass(frozen=True)
class Traces:
    """The rows of lists that name somebody by one of these addresses, among all up to this one."""

    addresses: Set[str]
    rows: list[int]
    up_to: int


def find(person: Recipient, addresses: Set[str]) -> Traces:
    """Reads every verdict of the workspace, so nothing may be held meanwhile. Raises StillImported."""
    up_to = ImportRow.objects.aggregate(last=Max("pk"))["last"] or 0  # first: what a list begun later adds is above it
    refuse_while_importing(person.workspace)
    with connection.cursor() as cursor:
        cursor.execute(FIND, _asked(person, addresses))
        return Traces(addresses, [pk for (pk,) in cursor.fetchall()], up_to)


def forget(person: Recipient, traces: Traces) -> None:
    """Rows keep their place and their verdict; those that have none yet will be rejected.

    The caller holds the workspace, so that no row is added.
    """
    asked = _asked(person, traces.addresses)
    with connection.cursor() as cursor:
        cursor.execute(FORGET, asked | {"rows": traces.rows, "up_to": traces.up_to})
        cursor.execute(FORGET_WAITING, asked)
        cursor.execute(FORGET_FIRST, asked)
        cursor.execute(FORGET_NAMED, asked)


def _asked(person: Recipient, addresses: Set[str]) -> dict[str, Any]:
    named = "|".join(pattern_of(address) for address in sorted(addresses))
    return {"workspace": person.workspace_id, "person": person.pk, "addresses": list(addresses), "named": named}


def pattern_of(address: str) -> str:
    """A regular expression of PostgreSQL for this normal address as people write it, and for no longer one."""
    return _email(address) if "@" in address else _phone(address)


def _email(address: str) -> str:
    written = "|".join(re.escape(each) for each in sorted({address, readable(address)}))
    return rf"(?<![\w.+-])(?:{written})(?![\w-])(?!\.\w)"


def _phone(address: str) -> str:
    """In full, or as in its own country: with a zero in front, or with none where a spreadsheet dropped it."""
    try:
        number = phonenumbers.parse(address)
    except phonenumbers.NumberParseException:  # of a country there is none of any more
        return rf"(?<!\d){re.escape(address)}(?!\d)"
    country, rest = str(number.country_code), phonenumbers.national_significant_number(number)
    return rf"(?<![\d+])(?:(?:\+|00)?{_spaced(country)}|0{BETWEEN})?{BETWEEN.join(rest)}(?!\d)"


def _spaced(digits: str) -> str:
    return f"{BETWEEN}{BETWEEN.join(digits)}{BETWEEN}"
