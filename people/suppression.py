"""Addresses nobody may be written to: kept as digests, so that the list can outlive the address."""

import hashlib
from collections.abc import Collection, Iterable
from typing import Any

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import connection, transaction

from accounts import audit_log
from accounts.models import Actor, User, Workspace
from people.held import hold_workspace
from people.models import Suppression, SuppressionKey

Reason = Suppression.Reason

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
BY_ITS_OWNER = (Reason.STOPPED, Reason.OPTED_OUT)  # and so taken back by whoever has the number
# What others say holds beside what its owner said, who may take only that back. Being erased is beyond them all.
ADD = """
    INSERT INTO people_suppression AS known (workspace_id, digest, address, is_phone, reason, note, by_id)
    SELECT %(workspace)s, digest, address, is_phone, %(reason)s, note, %(by)s
    FROM unnest(%(digests)s::bytea[], %(addresses)s::text[], %(phones)s::boolean[], %(notes)s::text[])
        AS v(digest, address, is_phone, note)
    ORDER BY digest
    ON CONFLICT (workspace_id, digest) DO UPDATE
    SET is_phone = coalesce(excluded.is_phone, known.is_phone),
        reason = excluded.reason, note = excluded.note, by_id = excluded.by_id,
        address = CASE excluded.reason WHEN %(erased)s THEN ''
                  ELSE coalesce(nullif(excluded.address, ''), known.address) END
    WHERE excluded.reason < known.reason
      AND (excluded.reason = %(erased)s OR known.reason = ANY(%(by_its_owner)s))
    RETURNING digest, xmax = 0
"""


class WrongKey(ImproperlyConfigured):
    """The list was made with another key: whoever is on it would not be known."""

    def __init__(self) -> None:
        super().__init__(
            "SUPPRESSION_KEY is not the one the suppression list was made with, so nobody on it is known. Set it to "
            "that key; where none was set, it is the SECRET_KEY of then."
        )


def digest_key() -> bytes:
    return hashlib.blake2b(settings.SUPPRESSION_KEY.encode(), person=b"suppression", digest_size=32).digest()


def digest_of(address: str) -> bytes:
    """32 bytes that tell this normal address from every other one, and nothing else."""
    key = digest_key()
    return hashlib.sha256(key + hashlib.sha256(key + address.lower().encode()).digest()).digest()


def sealed(provider_id: str) -> str:
    """What is kept of a provider's number of a reply once its sender is erased: enough to know it again."""
    return f"sealed {digest_of(provider_id).hex()}" if provider_id else ""


def is_the_key() -> bool:
    """Whether the list, if there is one, was made with the key that is set."""
    kept = SuppressionKey.objects.first()
    return kept is None or bytes(kept.digest) == digest_of(KNOWN)


def refuse_wrong_key() -> None:
    """Raises WrongKey: nothing is put on the list, or looked up in it, with another key."""
    if not is_the_key():
        raise WrongKey


def note_key() -> None:
    """Remember with which key the list is made; to be called before something is put on it. Raises WrongKey."""
    SuppressionKey.objects.get_or_create(pk=1, defaults={"digest": digest_of(KNOWN)})
    refuse_wrong_key()


def erased_among(workspace: Workspace, addresses: Iterable[str]) -> set[str]:
    """Those of these normal addresses whose owners asked to be erased: nothing may be kept of them again.

    Raises WrongKey.
    """
    refuse_wrong_key()
    by_digest = {digest_of(address): address for address in addresses if address}
    erased = workspace.suppressions.filter(digest__in=[*by_digest], reason=Reason.ERASED)
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
    hold_workspace(workspace.pk)
    kept = "" if reason == Reason.ERASED else address
    listed = [(digest_of(address), kept, note)]
    done = put_on(workspace, listed, reason=reason, by=by, are_phones="@" not in address)
    if not done:
        return False
    ((digest, is_new),) = done.items()
    if is_new:
        look_at_address(workspace, address)
    row = workspace.suppressions.get(digest=digest)
    audit_log.record(workspace, "suppress", row, by=by, after={"reason": row.get_reason_display()})
    return is_new


def put_on(
    workspace: Workspace,
    listed: Collection[tuple[bytes, str, str]],
    *,
    reason: Suppression.Reason,
    by: Actor | None,
    are_phones: bool | None = None,
) -> dict[bytes, bool]:
    """Put these on the list, each a digest, the address if it is told, and a note.

    `are_phones` says of those whose address is not told whether they are phone numbers, if that is known.
    Returns those of which the list tells something else now, and whether they are new on it. The caller holds the
    workspace, and looks at whose addresses are new.
    """
    note_key()
    digests, addresses, notes = zip(*listed, strict=True) if listed else ((), (), ())
    values = {
        "workspace": workspace.pk,
        "reason": reason,
        "by": by.pk if isinstance(by, User) else None,
        "digests": [*digests],
        "addresses": [*addresses],
        "phones": ["@" not in address if address else are_phones for address in addresses],
        "notes": [note[:300] for note in notes],
        "erased": Reason.ERASED,
        "by_its_owner": [*BY_ITS_OWNER],
    }
    with connection.cursor() as cursor:
        cursor.execute(ADD, values)
        return {bytes(digest): is_new for digest, is_new in cursor.fetchall()}


def let_go_of(workspace: Workspace, addresses: Collection[str], *, by: Actor | None) -> None:
    """What people who refuse messages had until now: else the next list would bring it back as new.

    The caller holds the workspace.
    """
    if addresses:
        listed = [(digest_of(address), address, "") for address in {*addresses}]
        put_on(workspace, listed, reason=Reason.OPTED_OUT, by=by)


@transaction.atomic
def release(workspace: Workspace, address: str, *, by: Actor | None) -> bool:
    """Take this normal address off the list; returns False if it was not on it."""
    hold_workspace(workspace.pk)
    refuse_wrong_key()
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


def _look(whom: str, **values: Any) -> None:
    refuse_wrong_key()
    with connection.cursor() as cursor:
        cursor.execute(LOOK.replace("{whom}", whom), {"digest_key": digest_key(), **values})
