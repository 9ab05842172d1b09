"""Who guesses passwords is locked out for a while: one user name from one address, or the address as a whole.

An attacker elsewhere never locks anybody out: what is counted is always bound to the address it came from.
"""

from datetime import datetime, timedelta
from ipaddress import IPv6Address, ip_address, ip_network
from math import ceil
from typing import Any

from axes.handlers.database import AxesDatabaseHandler
from axes.handlers.proxy import AxesProxyHandler
from django.conf import settings
from django.contrib import auth
from django.db import connection, transaction
from django.db.models import Max, Sum
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone

from accounts import audit_log
from accounts.models import User, as_kept

Credentials = dict[str, Any]


@transaction.atomic
def user_with(request: HttpRequest, email: str, password: str) -> User | None:
    """Whose email address and password these are, None for nobody and for who is locked out.

    Tries of one pair wait for each other: checked, hashed and counted at once, many would pass the limit together.
    """
    with connection.cursor() as cursor:
        pair = f"log in:{as_kept(email)}:{address_of(request)}"
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [pair])
    return auth.authenticate(request, username=email, password=password)


def username_of(request: HttpRequest, credentials: Credentials | None = None) -> str:
    """The email address that was tried, in the one form it is counted in."""
    return as_kept(str((credentials or request.POST).get("username") or ""))[:255]


def address_of(request: HttpRequest) -> str | None:
    """The address it came from; of IPv6 the network, because one customer owns 2^64 addresses of it."""
    try:
        address = ip_address(request.META.get("REMOTE_ADDR") or "")
    except ValueError:
        return None
    if isinstance(address, IPv6Address):
        return str(address.ipv4_mapped or ip_network((address, 64), strict=False).network_address)
    return str(address)


class Lockout(AxesDatabaseHandler):
    """Counts failures by pair of user name and address, and by address with a higher limit."""

    def get_failures(self, request: HttpRequest, credentials: Credentials | None = None) -> int:
        """Against the limit of a pair; those of the whole address are scaled down to it."""
        pair, address = (
            attempts.aggregate(n=Sum("failures_since_start"))["n"] or 0
            for attempts in self.get_user_attempts(request, credentials)
        )
        return max(pair, address * settings.AXES_FAILURE_LIMIT // settings.AXES_FAILURES_PER_ADDRESS)

    def reset_user_attempts(self, request: HttpRequest, credentials: Credentials | None = None) -> int:
        """Forget those of this pair: who can log in as one user must not start anew on all others."""
        pair, _ = self.filter_user_attempts(request, credentials)
        return pair.delete()[0]

    @transaction.atomic
    def user_login_failed(
        self, sender: Any, credentials: Credentials, request: HttpRequest | None = None, **rest: Any
    ) -> None:
        """Count it and write it down; while somebody is locked out nothing is counted or written."""
        was_locked_out = getattr(request, "axes_locked_out", False)
        super().user_login_failed(sender, credentials, request, **rest)
        if request and not was_locked_out:
            # The rest of a form may hold a new password, and the page asked for the token of an invitation.
            pair, _ = self.filter_user_attempts(request, credentials)
            pair.update(get_data="", post_data="")
            email = username_of(request, credentials)
            about = User.objects.filter(email=email).first() or User(email=email)
            is_inside = getattr(request, "user", None) and request.user.is_authenticated
            audit_log.record(None, "wrong_password" if is_inside else "log_in_failed", about, by=None)
            if request.axes_locked_out:  # type: ignore[attr-defined]
                audit_log.record(None, "lock_out", about, by=None)


def locked_until(request: HttpRequest, credentials: Credentials | None = None) -> datetime:
    """When another try is allowed at the latest."""
    handler = AxesProxyHandler.get_implementation()
    pair, address = handler.get_user_attempts(request, credentials)
    counted = pair.aggregate(n=Sum("failures_since_start"), at=Max("attempt_time"))
    if (counted["n"] or 0) < settings.AXES_FAILURE_LIMIT:
        counted = address.aggregate(at=Max("attempt_time"))
    return (counted["at"] or timezone.now()) + settings.AXES_COOLOFF_TIME


def locked_out(
    request: HttpRequest, response: HttpResponse | None = None, credentials: Credentials | None = None
) -> HttpResponse:
    """The page that says when to try again, the same for known and unknown addresses."""
    left = max(locked_until(request, credentials) - timezone.now(), timedelta(seconds=1))
    answer = render(request, "registration/locked_out.html", {"minutes": ceil(left.total_seconds() / 60)}, status=429)
    answer["Retry-After"] = str(ceil(left.total_seconds()))
    return answer
