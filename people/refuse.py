"""Rows of a list about people who asked to be erased are rejected, and nothing of them is kept."""

import re
from collections import defaultdict
from collections.abc import Iterator

from django.db import connection

from people.addresses import InvalidAddress, quick_email, quick_phone
from people.models import Import, ImportRow, Problem, StagedRow, Suppression
from people.suppression import DIGEST, digest_key, erased_among

V = ImportRow.Verdict
ERASED = "This person asked to be erased, and nothing may be kept of them."
NUMBER_OF_ERASED = "phone left out: it is of somebody who asked to be erased"
IN_RANGE = "s.upload_id = %(upload)s AND s.number > %(after)s AND s.number <= %(to)s"
LISTED = """
    EXISTS (SELECT FROM people_suppression l WHERE l.workspace_id = %(workspace)s {which} AND ({whose}))
"""
BY_EMAIL = f"s.email <> '' AND l.digest = {DIGEST.format(address='s.email')}"
BY_PHONE = f"s.phone <> '' AND l.digest = {DIGEST.format(address='s.phone')}"
# Of a row that was rejected before its addresses were read, what it is called by may be one.
BY_NAME = f"s.forecast = {V.REJECTED:d} AND s.address <> '' AND l.digest = {DIGEST.format(address='s.address')}"
IS_ERASED = f"AND l.reason = {Suppression.Reason.ERASED:d}"
# A row is about whoever has its email address; that they share a telephone with somebody erased is not their doing.
LEAVE_NUMBER_OUT = f"""
    UPDATE people_stagedrow AS s SET phone = '', cells = NULL, found = '',
        left_out = '{NUMBER_OF_ERASED}', problem = CASE s.problem WHEN 0 THEN {Problem.ERASED:d} ELSE s.problem END
    WHERE {IN_RANGE} AND s.forecast <> {V.REJECTED:d} AND s.email <> ''
      AND {LISTED.format(which=IS_ERASED, whose=BY_PHONE)} AND NOT {LISTED.format(which=IS_ERASED, whose=BY_EMAIL)}
"""  # noqa: S608 - numbers and sentences of ours
REFUSE = f"""
    UPDATE people_stagedrow AS s SET forecast = {V.REJECTED:d}, problem = {Problem.ERASED:d}, is_alone = false,
        fault = '{ERASED}', address = '', email = '', phone = '', first_name = '', last_name = '', location = '',
        preferred_product = '', attributes = '{{}}', left_out = '', found = '', cells = NULL, recipient_id = NULL
    WHERE {IN_RANGE} AND
"""  # noqa: S608 - numbers and sentences of ours
TO_REFUSE = f"{REFUSE} {LISTED.format(which=IS_ERASED, whose=f'{BY_EMAIL} OR {BY_PHONE} OR {BY_NAME}')}"
THESE = f"{REFUSE} s.number = ANY(%(numbers)s)"
# What may be an address within a line that could not be read.
EMAIL = re.compile(r"[^\s\"'<>(),;:|\[\]{}]+@[^\s\"'<>(),;:|\[\]{}@]+[^\s\"'<>(),;:|\[\]{}@.]")
PHONE = re.compile(r"\+?[\d(][\d ().\-/\u00a0\u2010-\u2015\u202f]{5,38}\d")


def range_of(upload: Import, after: int, to: int) -> dict:
    return {
        "upload": upload.pk,
        "workspace": upload.workspace_id,
        "after": after,
        "to": to,
        "digest_key": digest_key(),
    }


def refuse_erased(upload: Import, after: int, to: int) -> None:
    """Reject the rows of the range whose people asked to be erased; other people's keep all but the number."""
    if not upload.workspace.suppressions.filter(reason=Suppression.Reason.ERASED).exists():
        return
    values = range_of(upload, after, to)
    with connection.cursor() as cursor:
        cursor.execute(LEAVE_NUMBER_OUT, values)
        cursor.execute(TO_REFUSE, values)
        if numbers := _naming_erased(upload, after, to):
            cursor.execute(THESE, values | {"numbers": numbers})


def _naming_erased(upload: Import, after: int, to: int) -> list[int]:
    """Rows that are rejected anyway, and name one of them anywhere in what would be given back."""
    rejected = StagedRow.objects.filter(
        upload=upload.pk, number__gt=after, number__lte=to, forecast=V.REJECTED, cells__isnull=False
    )
    rows_of: dict[str, list[int]] = defaultdict(list)
    for number, cells in rejected.values_list("number", "cells").iterator():
        for address in set(_addresses_in("\n".join(cells or ()), upload.workspace.region)):
            rows_of[address].append(number)
    erased = erased_among(upload.workspace, rows_of) if rows_of else set()
    return [number for address in erased for number in rows_of[address]]


def _addresses_in(text: str, region: str) -> Iterator[str]:
    for email in EMAIL.findall(text):
        try:
            yield quick_email(email)
        except InvalidAddress:
            continue
    for phone in PHONE.findall(text):
        try:
            yield quick_phone(phone, region or None)
        except InvalidAddress:
            continue
