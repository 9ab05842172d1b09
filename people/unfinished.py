"""Lists that wait for a colleague when somebody is erased: those that name the person end, with all that was kept."""

import unicodedata
from collections.abc import Iterable, Set
from typing import Any

from django.db import connection

from accounts import audit_log
from accounts.models import Actor
from people.erased import StillImported
from people.imports import end
from people.models import Import, Recipient
from people.patterns import Finder
from people.sheet import UnreadableSheet
from people.source import texts_of

Status = Import.Status
ASKING = (Status.UPLOADING, Status.MAPPING, Status.CHECKED)
SENTENCE = (
    "Somebody this list may name asked to be erased, so it was deleted; nobody was changed. Choose the file again:"
    " that person is left out."
)
# Their address may be written in a way that only reading it as a list tells.
STAGED = """
    SELECT DISTINCT upload_id FROM people_stagedrow WHERE upload_id = ANY(%(lists)s)
      AND (recipient_id = %(person)s OR email = ANY(%(addresses)s) OR phone = ANY(%(addresses)s))
"""


def naming(person: Recipient, addresses: Set[str]) -> set[int]:
    """The lists that name them by one of these; those that are not all here may. Reads each of them."""
    finder = Finder(addresses)
    waiting = list(person.workspace.imports.filter(status__in=ASKING))
    found = {upload.pk for upload in waiting if _may_name(upload, finder)}
    asked: dict[str, Any] = {"lists": [upload.pk for upload in waiting], "person": person.pk, "addresses": [*addresses]}
    with connection.cursor() as cursor:
        cursor.execute(STAGED, asked)
        return found | {pk for (pk,) in cursor.fetchall()}


def _may_name(upload: Import, finder: Finder) -> bool:
    try:
        return any(finder.finds(unicodedata.normalize("NFC", text)) for text in texts_of(upload))
    except UnreadableSheet:  # the beginning of a workbook, of which the rest is still to come
        return True


def end_all(lists: Iterable[int], *, by: Actor | None) -> None:
    """Cancel these and say why on their pages. Raises StillImported where somebody has begun to carry one out."""
    for upload in Import.objects.select_for_update(no_key=True).filter(pk__in=lists).order_by("pk"):
        if upload.is_open:
            raise StillImported(f"The list “{upload}” was started just now; wait until it is over.")
        if upload.is_asking:
            audit_log.record(upload.workspace, "cancel", upload, by=by, after={"reason": "somebody it named is erased"})
            end(upload, Status.CANCELLED, SENTENCE)
