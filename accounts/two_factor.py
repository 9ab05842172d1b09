"""The second step of a login: codes of an authenticator app, and recovery codes for the day the phone is lost."""

import secrets
from base64 import b32encode
from datetime import timedelta
from math import ceil

import segno
from django.db import transaction
from django.utils import timezone
from django.utils.crypto import salted_hmac
from django_otp.models import Device
from django_otp.plugins.otp_static.models import StaticDevice
from django_otp.plugins.otp_totp.models import TOTPDevice

from accounts import audit_log
from accounts.models import User, Workspace

PATIENCE = timedelta(minutes=15)
RECOVERY_CODES = 10
TOO_LATE = "This key is over: they live for a quarter of an hour. Give your app the new one below."
LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"  # none that looks like another


class WrongCode(Exception):
    """The code is not right, was used already, or came too soon after a wrong one; its text says which."""


@transaction.atomic
def begin(user: User) -> TOTPDevice:
    """The app to be set up: not asked for until confirmed, the same until then, for a quarter of an hour."""
    User.objects.select_for_update(no_key=True).get(pk=user.pk)
    if waiting := _unfinished(user):
        return waiting
    forget_unfinished(user)
    return TOTPDevice.objects.create(user=user, name="authenticator app", confirmed=False)


def _unfinished(user: User) -> TOTPDevice | None:
    lately = timezone.now() - PATIENCE
    return TOTPDevice.objects.filter(user=user, confirmed=False, created_at__gt=lately).first()


def forget_unfinished(user: User) -> None:
    """Whoever was in the account may have seen that key."""
    TOTPDevice.objects.filter(user=user, confirmed=False).delete()


def key_of(device: TOTPDevice) -> str:
    """The key as apps take it when typed, in groups of four."""
    key = b32encode(device.bin_key).decode()
    return " ".join(key[i : i + 4] for i in range(0, len(key), 4))


def picture_of(device: TOTPDevice) -> str:
    """The QR code as a data: image, which no other server ever sees."""
    return segno.make(device.config_url, error="m").svg_data_uri(scale=5, border=3, dark="#000", light="#fff")


def confirm(user: User, code: str) -> tuple[Device, list[str]]:
    """Turn it on, ending every session; returns the recovery codes, too, which cannot be had again."""
    device = _unfinished(user)
    if device is None:
        raise WrongCode(TOO_LATE)
    return _confirm(user, _verified(device, code))


@transaction.atomic
def _confirm(user: User, device: Device) -> tuple[Device, list[str]]:
    if not TOTPDevice.objects.filter(pk=device.pk, confirmed=False).update(confirmed=True):
        raise WrongCode(TOO_LATE)
    user.end_sessions()
    user.has_two_factor = True
    codes = _make_recovery_codes(user)
    audit_log.record(None, "turn_on_two_factor", user, by=user)
    return device, codes


def verify(user: User, code: str) -> Device:
    """The device of a confirmed user that knows this code; a recovery code is used up.

    Raises WrongCode, which the audit log tells; while there is a wait for the next try nothing is written.
    """
    typed = plain(code)
    if typed.isascii() and typed.isdecimal() and len(typed) == 6:
        device: Device | None = TOTPDevice.objects.filter(user=user, confirmed=True).first()
    else:
        device, typed = StaticDevice.objects.filter(user=user, confirmed=True).first(), digest_of(user, typed)
    if device is None:
        raise WrongCode("That code is not right. Type the six digits your app shows now.")
    return _verified(device, typed, counted_for=user)


def _verified(device: Device, code: str, counted_for: User | None = None) -> Device:
    # In a transaction of its own that commits: a wrong code must be counted and told whatever follows.
    with transaction.atomic():
        found = type(device).objects.select_for_update().filter(pk=device.pk).first()
        if found is None:
            raise WrongCode("Two-factor login was changed a moment ago. Begin again.")
        allowed, why = found.verify_is_allowed()
        verified = allowed and found.verify_token(plain(code))
        if counted_for and allowed and not verified:
            audit_log.record(None, "wrong_code", counted_for, by=None)
    if verified:
        return found
    if not allowed and why and (until := why.get("locked_until")):
        raise WrongCode(f"Too many wrong codes. Try again in {waiting(until - timezone.now())}.")
    raise WrongCode("That code is not right. Type the one your app shows now; each works once.")


def waiting(left: timedelta) -> str:
    seconds = max(1, ceil(left.total_seconds()))
    return f"{seconds} second{'s' if seconds > 1 else ''}" if seconds < 120 else f"{ceil(seconds / 60)} minutes"


@transaction.atomic
def new_recovery_codes(user: User) -> list[str]:
    """Ten new ones in place of those before."""
    codes = _make_recovery_codes(user)
    audit_log.record(None, "new_recovery_codes", user, by=user)
    return codes


def recovery_codes_left(user: User) -> int:
    return sum(device.token_set.count() for device in StaticDevice.objects.filter(user=user))


@transaction.atomic
def turn_off(user: User, *, by: User | None, workspace: Workspace | None = None) -> None:
    """Ask for a password alone from now on, and forget app and recovery codes; ends every other session.

    Where an admin does it for a member, the log of the workspace tells it. If it is off already nothing is done.
    """
    User.objects.select_for_update(no_key=True).get(pk=user.pk)
    if not TOTPDevice.objects.filter(user=user, confirmed=True).exists():
        return
    TOTPDevice.objects.filter(user=user).delete()
    StaticDevice.objects.filter(user=user).delete()
    user.end_sessions()
    user.has_two_factor = False
    audit_log.record(workspace, "turn_off_two_factor", user, by=by)


def _make_recovery_codes(user: User) -> list[str]:
    StaticDevice.objects.filter(user=user).delete()
    device = StaticDevice.objects.create(user=user, name="recovery codes")
    codes = ["".join(secrets.choice(LETTERS) for _ in range(10)) for _ in range(RECOVERY_CODES)]
    for code in codes:
        device.token_set.create(token=digest_of(user, code))
    return [f"{code[:5]}-{code[5:]}" for code in codes]


def digest_of(user: User, code: str) -> str:
    """What is kept of a recovery code: its beginning of an HMAC, as long as django-otp has room for."""
    return salted_hmac("accounts.two_factor.recovery", f"{user.pk}:{code}", algorithm="sha256").hexdigest()[:16]


def plain(code: str) -> str:
    """As typed by people: with blanks and dashes, in any case."""
    return "".join(code.split()).replace("-", "").lower()[:64]
