"""What must be right before the house opens its doors; each finding says what to set."""

import re

from django.conf import settings
from django.core.checks import CheckMessage, Error, register

from dispatcher.senders import SENDERS
from dispatcher.senders.mail import author
from dispatcher.senders.parcel import Unreachable
from dispatcher.senders.smtp_options import SECURITY as SECURITIES
from people.channels import Channel
from simulator.provider import FAULTS, PROFILES


@register
def settings_make_sense(**_: object) -> list[CheckMessage]:
    """Every setting of ours that a typing mistake could spoil."""
    return [Error(sentence, id=f"dispatcher.E{number:03}") for number, (wrong, sentence) in _rules() if wrong]


IS_PUBLIC = re.compile(r"https://[A-Za-z0-9.-]+(:\d+)?")  # RFC 8058 asks for https
LIMITS = (
    "API_REQUESTS_PER_MINUTE",
    "API_REQUESTS_AT_ONCE",
    "API_WRONG_KEYS_PER_MINUTE",
    "API_SENDS_PER_MINUTE",
    "MAX_OPEN_MESSAGES",
)
SECURITY = {word for word, _ in SECURITIES}


def is_no_author(mailbox: str) -> bool:
    """Whether mail cannot be sent in this name."""
    try:
        author(mailbox)
    except Unreachable:
        return True
    return False


def _rules():
    unknown = sorted(set(settings.SENDERS.values()) - set(SENDERS))
    channels = sorted(set(settings.SENDERS) - {channel.word for channel in Channel})
    faults = sorted(set(settings.SIMULATOR_FAULTS) - set(FAULTS))
    shares = sum(settings.SIMULATOR_FAULTS.values())
    return enumerate(
        [
            (not settings.SECRET_KEY, "Set SECRET_KEY to 50 random characters; bin/dev does so by itself."),
            (unknown, f"SENDERS names {unknown}; known senders are {sorted(SENDERS)}."),
            (channels, f"SENDERS names the channels {channels}; there are email, sms and whatsapp."),
            (
                settings.SIMULATOR_PROFILE not in PROFILES,
                f"SIMULATOR_PROFILE is {settings.SIMULATOR_PROFILE!r}; choose one of {sorted(PROFILES)}.",
            ),
            (faults, f"SIMULATOR_FAULTS names {faults}; there are {sorted(FAULTS)}."),
            (not 0 <= shares <= 1, "The shares in SIMULATOR_FAULTS must add up to something from 0 to 1."),
            (settings.BATCH_SIZE < 1, "BATCH_SIZE must be 1 or more."),
            (settings.DISPATCH_WINDOW < 1, "DISPATCH_WINDOW must be 1 or more."),
            (settings.LEASE_SECONDS < 3, "LEASE_SECONDS must be 3 or more: a lease is renewed in between."),
            (
                not 0 < settings.CALL_SECONDS < 40,
                "CALL_SECONDS must be above 0 and below 40: a shift waits for its last call before RQ ends it.",
            ),
            (
                not 0 < settings.GENERATE_SECONDS <= 60,
                "GENERATE_SECONDS must be above 0 and at most 60: RQ ends a chore that takes three minutes.",
            ),
            (settings.STOP_SECONDS < 1, "STOP_SECONDS must be 1 or more: what was answered is still settled in it."),
            (
                settings.SMTP_SECURITY not in SECURITY,
                f"SMTP_SECURITY is {settings.SMTP_SECURITY!r}; choose one of {sorted(SECURITY)}.",
            ),
            (not 0 < settings.SMTP_PORT < 65_536, "SMTP_PORT must be a port from 1 to 65535; 587 is usual."),
            (
                "smtp" in settings.SENDERS.values() and not settings.SMTP_HOST,
                "SENDERS names smtp, but SMTP_HOST is empty: set it to the mail server, such as smtp.example.com.",
            ),
            (
                "smtp" in {settings.SENDERS.get(c.word) for c in Channel if c != Channel.EMAIL},
                "SENDERS names smtp for something else than email; SMTP carries email only.",
            ),
            (
                bool(settings.SMTP_USER) != bool(settings.SMTP_PASSWORD),
                "Set both SMTP_USER and SMTP_PASSWORD, or neither of them.",
            ),
            (
                settings.EMAIL_BACKEND.endswith("smtp.EmailBackend") and not settings.EMAIL_HOST,
                "EMAIL_URL names no mail server: write it as smtp://user:password@mail.example.com:587/?tls=True.",
            ),
            (
                is_no_author(settings.FROM_EMAIL),
                f"FROM_EMAIL is {settings.FROM_EMAIL!r}; write it as news@example.com or Acme <news@example.com>, with "
                "plain letters before the @.",
            ),
            (
                not settings.DEV and not IS_PUBLIC.fullmatch(settings.PUBLIC_URL),
                f"PUBLIC_URL is {settings.PUBLIC_URL!r}; set it to where people reach this installation, such as "
                "https://campaigns.example.com: the links to unsubscribe in every message lead there.",
            ),
            *((getattr(settings, name) < 0, f"{name} must be 0, for no limit, or more.") for name in LIMITS),
        ],
        1,
    )
