"""Who belongs to a workspace: invite, join, another role, leave. One verb, one transaction.

Whoever asks must be an admin at that very moment; only an owner makes, changes or removes an owner, and one always
stays.
"""

import secrets
from datetime import timedelta

from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, transaction
from django.db.models import Exists, OuterRef
from django.utils import timezone

from accounts import audit_log
from accounts.models import Invitation, Membership, Role, User, Workspace, as_kept, digest_of

VALID_FOR = timedelta(days=7)


class NotPossible(Exception):
    """What was asked for cannot be done, whoever asks; its text says why."""


class InvitationOver(NotPossible):
    """The link was used, taken back, replaced by a newer one, or is too old."""


@transaction.atomic
def invite(workspace: Workspace, email: str, role: Role, *, by: User) -> tuple[Invitation, str]:
    """An invitation and its token, which cannot be had again. Raises NotPossible, PermissionDenied."""
    _asks(workspace, by, role)
    email = as_kept(email)
    if workspace.memberships.filter(user__email=email).exists():
        raise NotPossible(f"{email} is a member already.")
    if workspace.invitations.filter(email=email, accepted_at=None, revoked_at=None).exists():
        raise NotPossible(f"{email} is invited already. Make a new link for that invitation below.")
    token = secrets.token_urlsafe(32)
    invitation = workspace.invitations.create(
        email=email, role=role, digest=digest_of(token), invited_by=by, expires_at=timezone.now() + VALID_FOR
    )
    audit_log.record(workspace, "invite", invitation, by=by, after={"role": role.label})
    return invitation, token


@transaction.atomic
def resend(invitation: Invitation, *, by: User) -> str:
    """A new token that is valid for seven days; the one before it is not any more. Who asks is the inviter now."""
    _asks(invitation.workspace, by, Role(invitation.role))
    invitation = _locked(invitation)
    token = secrets.token_urlsafe(32)
    invitation.digest, invitation.expires_at = digest_of(token), timezone.now() + VALID_FOR
    invitation.invited_by = by
    invitation.save(update_fields=["digest", "expires_at", "invited_by"])
    audit_log.record(invitation.workspace, "resend", invitation, by=by)
    return token


@transaction.atomic
def revoke(invitation: Invitation, *, by: User) -> None:
    _asks(invitation.workspace, by, Role(invitation.role))
    _revoke(_locked(invitation), by)


def _revoke(invitation: Invitation, by: User) -> None:
    invitation.revoked_at = timezone.now()
    invitation.save(update_fields=["revoked_at"])
    audit_log.record(invitation.workspace, "revoke", invitation, by=by)


def invitation_of(token: str) -> Invitation:
    """The open invitation with this token. Raises InvitationOver."""
    found = Invitation.objects.filter(digest=digest_of(token)).select_related("workspace", "invited_by").first()
    if found is None or not found.is_open:
        raise InvitationOver("It was used already, taken back, or replaced by a newer link.")
    _still_good(found)
    return found


def _still_good(invitation: Invitation) -> None:
    """Neither too old, nor made by somebody who could not make it any more. Raises InvitationOver."""
    if invitation.is_expired:
        raise InvitationOver("It was valid for seven days, which are over.")
    inviter = invitation.workspace.memberships.filter(user=invitation.invited_by, user__is_active=True).first()
    if inviter is None or not inviter.may("manage") or inviter.role < invitation.role:
        raise InvitationOver("Who made it may not invite anybody to this any more.")


@transaction.atomic
def accept(invitation: Invitation, user: User) -> Membership:
    """Join, once. Raises InvitationOver, and NotPossible when it is meant for somebody else."""
    if user.email != as_kept(invitation.email):
        raise NotPossible(f"This invitation is for {invitation.email}; you are logged in as {user.email}.")
    _alone(invitation.workspace)
    invitation = _locked(invitation)
    _still_good(invitation)
    invitation.accepted_at = timezone.now()
    invitation.save(update_fields=["accepted_at"])
    membership, made = Membership.objects.get_or_create(
        workspace=invitation.workspace, user=user, defaults={"role": invitation.role}
    )
    role = Role(membership.role).label
    audit_log.record(invitation.workspace, "accept", invitation, by=user, after={"role": role} if made else None)
    return membership


@transaction.atomic
def accept_as_new(invitation: Invitation, *, name: str, password: str) -> Membership:
    """Join as somebody who was no user until now. Raises InvitationOver, and NotPossible for a known address."""
    _alone(invitation.workspace)
    invitation = _locked(invitation)  # of two who press at once the second finds it used
    known = NotPossible(f"There is an account for {invitation.email} already. Log in to accept.")
    if User.objects.filter(email=as_kept(invitation.email)).exists():
        raise known
    try:
        with transaction.atomic():
            user = User.objects.create_user(invitation.email, password, name=name)
    except IntegrityError:  # made a moment ago, by way of another workspace's invitation
        raise known from None
    return accept(invitation, user)


@transaction.atomic
def change_role(membership: Membership, role: Role, *, by: User) -> None:
    """Invitations of theirs that they could not make any more are taken back.

    Raises NotPossible for the last owner, PermissionDenied for a role above one's own.
    """
    asker = _asks(membership.workspace, by, role)
    membership = _present(membership)
    _may_touch(asker, membership)
    before = Role(membership.role)
    if before == Role.OWNER and role != Role.OWNER:
        _other_owners(membership)
    membership.role = role
    membership.save(update_fields=["role"])
    values = {"before": {"role": before.label}, "after": {"role": role.label}}
    audit_log.record(membership.workspace, "change_role", membership.user, by=by, **values)
    _revoke_theirs(membership.workspace, membership.user, above=role if role.may("manage") else None, by=by)


@transaction.atomic
def remove(membership: Membership, *, by: User) -> None:
    """End a membership and take back their invitations; pages refuse at once, live pages within a minute.

    Raises NotPossible for the last owner.
    """
    asker = _asks(membership.workspace, by)
    membership = _present(membership)
    _may_touch(asker, membership)
    if membership.role == Role.OWNER:
        _other_owners(membership)
    workspace, user, role = membership.workspace, membership.user, Role(membership.role)
    membership.delete()
    audit_log.record(workspace, "remove", user, by=by, before={"role": role.label})
    _revoke_theirs(workspace, user, above=None, by=by)


def _revoke_theirs(workspace: Workspace, user: User, *, above: Role | None, by: User) -> None:
    """Their open invitations to roles above this one, or all."""
    theirs = workspace.invitations.filter(invited_by=user, accepted_at=None, revoked_at=None)
    if above:
        theirs = theirs.filter(role__gt=above)
    for invitation in theirs.select_for_update(of=("self",)).select_related("workspace").order_by("pk"):
        _revoke(invitation, by)


def may_rescue(by: User, user: User) -> bool:
    """Whether `by` may let `user` in again: make a link for a new password, or turn off a lost second factor.

    An account opens every workspace its user belongs to: so only who manages each of them, and stands as high in
    each as the user. One that has no other member does not count: nobody could ever help there. Nobody rescues
    himself, and only a superuser rescues those who may enter the admin.
    """
    if by.pk == user.pk or ((user.is_staff or user.is_superuser) and not by.is_superuser):
        return False
    mine = dict(by.memberships.values_list("workspace", "role"))
    shared = Membership.objects.filter(workspace=OuterRef("workspace")).exclude(user=user)
    theirs = user.memberships.filter(Exists(shared)).values_list("workspace", "role")
    return all(Role(mine[w]).may("manage") and mine[w] >= role if w in mine else False for w, role in theirs)


def _asks(workspace: Workspace, by: User, role: Role = Role.VIEWER) -> Membership:
    """The membership of who asks, once no other change of members of the workspace is under way."""
    _alone(workspace)
    asker = workspace.memberships.filter(user=by).first()
    if asker is None or not asker.may("manage"):
        raise PermissionDenied("Only admins and owners may change who belongs to a workspace.")
    if role > asker.role:
        raise PermissionDenied("Only an owner can make somebody an owner.")
    return asker


def _alone(workspace: Workspace) -> None:
    """Until the transaction ends nobody else changes who belongs to it. Always taken before any other row."""
    Workspace.objects.select_for_update(no_key=True).get(pk=workspace.pk)


def _may_touch(asker: Membership, membership: Membership) -> None:
    if membership.role > asker.role:
        raise PermissionDenied("Only an owner can change or remove an owner.")


def _other_owners(membership: Membership) -> None:
    owners = membership.workspace.memberships.filter(role=Role.OWNER)
    if not owners.exclude(pk=membership.pk).exists():
        raise NotPossible(f"{membership.user} is the last owner. Make somebody else an owner first.")


def _present(membership: Membership) -> Membership:
    """As it is now. Raises NotPossible when it is gone."""
    now = Membership.objects.select_for_update(of=("self",)).select_related("workspace", "user")
    found = now.filter(pk=membership.pk).first()
    if found is None:
        raise NotPossible(f"{membership.user} is not a member any more.")
    return found


def _locked(invitation: Invitation) -> Invitation:
    found = Invitation.objects.select_for_update(of=("self",)).select_related("workspace").get(pk=invitation.pk)
    if not found.is_open or found.digest != invitation.digest:
        raise InvitationOver("It was used already, taken back, or replaced by a newer link.")
    return found
