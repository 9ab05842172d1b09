"""How a session finds its user."""

from django.contrib.auth.backends import ModelBackend
from django.db.models import Exists, OuterRef
from django_otp.plugins.otp_totp.models import TOTPDevice

from accounts.models import User

DEVICES = TOTPDevice.objects.filter(user=OuterRef("pk"), confirmed=True)


class Passwords(ModelBackend):
    """Email address and password; the user comes with `has_two_factor`, so that no request asks twice."""

    def get_user(self, user_id: int) -> User | None:
        found = User.objects.annotate(with_device=Exists(DEVICES)).filter(pk=user_id).first()
        if found is None or not self.user_can_authenticate(found):
            return None
        found.has_two_factor = found.with_device
        return found
