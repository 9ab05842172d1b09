"""Addresses nobody may be written to: kept as digests, so that the list can outlive the address."""

import hashlib
from collections.abc import Collection, Iterable
from typing import Any

from django.conf import settings
from django.db import connection, transaction

from accounts import audit_log
from accounts.models import Actor, User, Workspace
from people.models import Suppression, SuppressionKey

# The same as digest_of. The key is not in the database, so a copy of it alone cannot be searched for a number.
DIGEST = "sha256(%(digest_key)s::bytea || sha256(%(digest_key)s::bytea || convert_to(lower({address}), 'UTF8')))"
# Whether the list of a workspace names this address.
LISTED = "EXISTS (SELECT FROM people_suppression s WHERE s.workspace_id = {workspace} AND s.digest = DIGEST)".replace(
    "DIGEST", DIGEST
)
LOOK = """
    UPDATE people_recipient AS r SET email_suppressed = seen.email, phone_suppressed = seen.phone
    FROM (SELECT p.id, p.email <> '' AND {email} AS email, p.phone <> '' AND {phone} AS phone
          FROM people_recipient p WHERE {whom}) AS seen
    WHERE r.id = seen.id AND (r.email_suppressed, r.phone_suppressed) <> (seen.email, seen.phone)
""".replace("{email}", LISTED.format(workspace="p.workspace_id", address="p.email")).replace(
    "{phone}", LISTED.format(workspace="p.workspace_id", address="p.phone")
)


KNOWN = "the key of this list"  # no address, so its digest is nobody's


def digest_key() -> bytes:
    return hashlib.blake2b(settings.SUPPRESSION_KEY.encode(), person=b"suppression", digest_size=32).digest()


def digest_of(address: str) -> bytes:
    """32 bytes that tell this normal address from every other one, and nothing else."""
    key = digest_key()
    return hashlib.sha256(key + hashlib.sha256(key + address.lower().encode()).digest()).digest()


def is_the_key() -> bool:
    """Whether the list, if there is one, was made with the key that is set."""
    kept = SuppressionKey.objects.first()
    return kept is None or bytes(kept.digest) == digest_of(KNOWN)


def note_key() -> None:
    """Remember with which key the list is made; to be called before something is put on it."""
    SuppressionKey.objects.get_or_create(pk=1, defaults={"digest": digest_of(KNOWN)})


def is_suppressed(workspace: Workspace, address: str) -> bool:
    return workspace.suppressions.filter(digest=digest_of(address)).exists()


def erased_among(workspace: Workspace, addresses: Iterable[str]) -> set[str]:
    """Those of these normal addresses whose owners asked to be erased: nothing may be kept of them again."""
    by_digest = {digest_of(address): address for address in addresses if address}
    erased = workspace.suppressions.filter(digest__in=[*by_digest], reason=Suppression.Reason.ERASED)
    return {by_digest[bytes(digest)] for digest in erased.values_list("digest", flat=True)}


@transaction.atomic
def suppress(
    workspace: Workspace,
    address: str,
    *,
    reason: Suppression.Reason,
    by: Actor | None,
    note: str = "",
) -> bool:
    """Write to this normal address no more; returns False if it was suppressed already.

    Of an erased address the digest alone is kept, also where it stood in full before.
    """
    note_key()
    kept = "" if reason == Suppression.Reason.ERASED else address
    row, is_new = Suppression.objects.get_or_create(
        workspace=workspace,
        digest=digest_of(address),
        defaults={
            "address": kept,
            "reason": reason,
            "note": note[:300],
            "by": by if isinstance(by, User) else None,
        },
    )
    if not is_new and reason == Suppression.Reason.ERASED:
        Suppression.objects.filter(pk=row.pk).update(address="", reason=reason, note="")
    if is_new:
        look_at_address(workspace, address)
        audit_log.record(workspace, "suppress", row, by=by, after={"reason": row.get_reason_display()})
    return is_new


@transaction.atomic
def release(workspace: Workspace, address: str, *, by: Actor | None) -> bool:
    """Take this normal address off the list; returns False if it was not on it."""
    row = workspace.suppressions.filter(digest=digest_of(address)).first()
    if row is None:
        return False
    audit_log.record(workspace, "release", row, by=by, before={"reason": row.get_reason_display()})
    row.delete()
    look_at_address(workspace, address)
    return True


def look_at(people: Collection[int]) -> None:
    """Note of these people, whose addresses are new or changed, whether the list names one."""
    _look("p.id = ANY(%(people)s)", people=list(people))


def look_at_address(workspace: Workspace, address: str) -> None:
    """Note of whoever has this address whether the list names it."""
    whom = "lower(p.email) = lower(%(address)s)" if "@" in address else "p.phone = %(address)s"
    _look(f"p.workspace_id = %(workspace)s AND {whom}", workspace=workspace.pk, address=address)


def look_at_addresses(workspace: Workspace, addresses: Collection[str]) -> None:
    """The same for whoever has one of these."""
    emails, phones = ([each for each in addresses if ("@" in each) is wanted] for wanted in (True, False))
    for whom, some in (("lower(p.email) = ANY(%(some)s)", emails), ("p.phone = ANY(%(some)s)", phones)):
        if some:
            _look(f"p.workspace_id = %(workspace)s AND {whom}", workspace=workspace.pk, some=some)


def look_at_everybody(workspace: Workspace) -> None:
    """The same for all people of the workspace: after a list came in, some of it digests alone."""
    _look("p.workspace_id = %(workspace)s", workspace=workspace.pk)


def _look(whom: str, **values: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute(LOOK.replace("{whom}", whom), {"digest_key": digest_key(), **values})
