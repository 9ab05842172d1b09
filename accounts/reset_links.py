"""Links by which a new password is set: mailed to who forgot it, or made by an admin for a member."""

from datetime import timedelta
from typing import Any

from django.contrib.auth.tokens import PasswordResetTokenGenerator
from django.db import transaction
from django.utils.http import base36_to_int

from accounts import audit_log, members
from accounts.models import Membership

HOUR = timedelta(hours=1)


class Tokens(PasswordResetTokenGenerator):
    """Each works once, and is over after the next login, a changed password and "log out everywhere".

    One made by an admin also names that admin's membership, and works for an hour, while the admin may still rescue
    the user; a mailed one for as long as PASSWORD_RESET_TIMEOUT says.
    """

    def __init__(self, maker: Membership | None = None) -> None:
        super().__init__()
        self.maker = maker

    def make_token(self, user: Any) -> str:
        token = super().make_token(user)
        return f"{token}.{self.maker.pk}" if self.maker else token

    def check_token(self, user: Any, token: str | None) -> bool:
        mailed, dot, _ = (token or "").partition(".")
        if not dot:
            return super().check_token(user, mailed)
        maker = maker_of(token)
        if not user or maker is None or not members.may_rescue(maker.user, user):
            return False
        return PasswordResetTokenGenerator.check_token(Tokens(maker), user, mailed) and self._age(mailed) <= HOUR

    def _age(self, token: str) -> timedelta:
        return timedelta(seconds=self._num_seconds(self._now()) - base36_to_int(token.split("-")[0]))

    def _make_hash_value(self, user: Any, timestamp: int) -> str:
        maker = self.maker.pk if self.maker else ""
        return f"{super()._make_hash_value(user, timestamp)}:{user.sessions_ended}:{maker}"


def maker_of(token: str | None) -> Membership | None:
    """The membership of the admin who made the link, while it lasts; None for a mailed one."""
    pk = (token or "").partition(".")[2]
    if not (pk.isascii() and pk.isdecimal() and len(pk) < 19):
        return None
    rows = Membership.objects.select_related("user", "workspace")
    found = rows.filter(pk=pk, user__is_active=True).first()
    return found if found and found.may("manage") else None


@transaction.atomic
def make_reset_link(member: Membership, *, by: Membership) -> str:
    """The token of a link that lets a member set a new password; whoever asks was found to be allowed to."""
    audit_log.record(by.workspace, "make_reset_link", member.user, by=by.user)
    return Tokens(by).make_token(member.user)
