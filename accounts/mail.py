"""Mail to our own users."""

import logging
from smtplib import SMTPException

from django.conf import settings
from django.core.mail import send_mail

logger = logging.getLogger(__name__)


def goes_to_log() -> bool:
    """Whether mail is only written to the log, as in development."""
    return settings.EMAIL_BACKEND.endswith("console.EmailBackend")


def is_mailed(to: str, subject: str, text: str) -> bool:
    """Whether a mail server took it."""
    if not settings.CAN_MAIL:
        return False
    try:
        send_mail(subject, text, None, [to])
    except (OSError, SMTPException) as error:
        logger.warning("could not mail %r: %s", subject, error)
        return False
    return not goes_to_log()
