"""Making and revoking the keys of programs, for every page that does so."""

from datetime import datetime

from django.db import transaction
from django.utils import timezone

from accounts import audit_log
from accounts.models import Actor, ApiKey, Role, User, Workspace


@transaction.atomic
def make_key(
    workspace: Workspace, *, name: str, role: Role, by: Actor | None, expires_at: datetime | None = None
) -> tuple[ApiKey, str]:
    """A new key and its secret, which cannot be had again."""
    key, secret = ApiKey.make(workspace, name, role)
    key.expires_at, key.made_by = expires_at, by if isinstance(by, User) else None
    key.save(update_fields=["expires_at", "made_by"])
    after = {"name": name, "role": role.label, "expires_at": expires_at}
    audit_log.record(workspace, "make", key, by=by, after=after)
    return key, secret


@transaction.atomic
def revoke_key(key: ApiKey, *, by: Actor | None) -> bool:
    """Refuse whoever asks with this key from now on; False if that was done before."""
    now = timezone.now()
    if not ApiKey.objects.filter(pk=key.pk, revoked_at=None).update(revoked_at=now):
        return False
    key.revoked_at = now
    audit_log.record(key.workspace, "revoke", key, by=by, after={"revoked_at": now})
    return True
