"""In and out, and what a user may do to the own account."""

from datetime import timedelta
from typing import Any, cast

from django.contrib import auth
from django.db import transaction
from django.http import HttpRequest
from django.utils import timezone
from django.utils.crypto import constant_time_compare
from django_otp.models import Device

from accounts import audit_log, lockout, two_factor
from accounts.models import AuditEntry, Membership, User

BACKEND = "accounts.backends.Passwords"
HALFWAY = "halfway"  # where the session keeps who has passed the first step
PATIENCE = timedelta(minutes=10)
BETWEEN_MAILS = timedelta(minutes=2)


def log_in(request: HttpRequest, user: User, device: Device | None = None) -> None:
    """Begin a session; with the device that proved the second step, if the user has one."""
    if device:
        user.otp_device = device  # type: ignore[attr-defined]  # django-otp writes it into the session
    with transaction.atomic():
        auth.login(request, user, backend=BACKEND)
        request.session.pop(HALFWAY, None)
        audit_log.record(None, "log_in", user, by=user)


@transaction.atomic
def log_out(request: HttpRequest) -> None:
    user = request.user
    auth.logout(request)
    if isinstance(user, User):
        audit_log.record(None, "log_out", user, by=user)


def await_code(request: HttpRequest, user: User, onwards: str) -> None:
    """The password was right: remember who, for ten minutes; nobody is logged in by this."""
    request.session.cycle_key()
    request.session[HALFWAY] = {
        "user": user.pk,
        "proof": user.get_session_auth_hash(),
        "until": (timezone.now() + PATIENCE).timestamp(),
        "onwards": onwards,
    }


def halfway(request: HttpRequest) -> tuple[User, str] | None:
    """Who has passed the first step in this session, and the page asked for; None when too much time went by."""
    kept: dict[str, Any] = request.session.get(HALFWAY) or {}
    if kept.get("until", 0) < timezone.now().timestamp():
        return None
    user = User.objects.filter(pk=kept["user"], is_active=True).first()
    if user is None or not constant_time_compare(kept["proof"], user.get_session_auth_hash()):
        return None
    return user, kept["onwards"]


def pass_second_step(request: HttpRequest, user: User, code: str) -> None:
    """Raises WrongCode."""
    log_in(request, user, two_factor.verify(user, code))


def knows_password(request: HttpRequest, password: str) -> bool:
    """Whether who is logged in knows the own password; tries count as those of a login do."""
    user = cast(User, request.user)
    return lockout.user_with(request, user.email, password) == user


@transaction.atomic
def change_name(user: User, name: str) -> None:
    before = {"name": user.name}
    user.name = name
    user.save(update_fields=["name"])
    audit_log.record(None, "change_name", user, by=user, before=before, after={"name": name})


@transaction.atomic
def change_password(user: User, password: str) -> None:
    """Every session that was begun with the old one is over, and so is a second factor somebody began to set up."""
    _set_password(user, password)
    audit_log.record(None, "change_password", user, by=user)


@transaction.atomic
def reset_password(user: User, password: str, *, link_by: Membership | None = None) -> None:
    """By way of a mailed link, which proves who it is, or of one made by an admin, which proves nothing."""
    _set_password(user, password)
    if link_by:
        after = {"link_made_by": str(link_by.user)}
        audit_log.record(link_by.workspace, "reset_password", user, by=None, after=after)
    else:
        audit_log.record(None, "reset_password", user, by=user)


def _set_password(user: User, password: str) -> None:
    user.set_password(password)
    user.save(update_fields=["password"])
    two_factor.forget_unfinished(user)


@transaction.atomic
def log_out_everywhere(user: User) -> None:
    user.end_sessions()
    two_factor.forget_unfinished(user)
    audit_log.record(None, "log_out_everywhere", user, by=user)


@transaction.atomic
def ask_for_new_password(user: User) -> bool:
    """Note that a link was asked for; False when one was mailed a moment ago, so that nobody's mailbox is flooded."""
    User.objects.select_for_update(no_key=True).get(pk=user.pk)
    lately = AuditEntry.objects.filter(
        kind="user", about_id=user.pk, verb="ask_for_new_password", at__gt=timezone.now() - BETWEEN_MAILS
    )
    if lately.exists():
        return False
    audit_log.record(None, "ask_for_new_password", user, by=None)
    return True
