"""Whether the settings fit each other; each finding names the variable to change."""

import socket
from collections.abc import Iterator
from urllib.parse import urlsplit

from django.conf import settings
from django.core.checks import ERROR, run_checks
from django.core.checks.security.base import check_secret_key
from django.core.exceptions import ImproperlyConfigured

from dispatcher.doctor.finding import Finding, Note, Problem

NEW_KEY = 'SECRET_KEY=$(python3 -c "import secrets; print(secrets.token_urlsafe(50))")'
KNOWN_KEYS = ("change", "example", "insecure", "secret", "password", "dispatcher")  # words nobody draws at random
# Deployment checks of Django whose subject is told below in our own words: key, debugging, and what SECURE_HTTPS sets.
SAID = {f"security.W0{number}" for number in ("04", "05", "08", "09", "12", "16", "18", "21")}
HERE = {"localhost", "127.0.0.1", "[::1]"}


def settings_make_sense() -> Iterator[Finding]:
    """What the system checks find, ours and Django's."""
    try:
        found = run_checks()
    except ImproperlyConfigured as error:
        yield Problem(str(error), NEW_KEY if "SECRET_KEY" in str(error) else "")
        return
    for message in found:
        kind = Problem if message.level >= ERROR else Note
        yield kind(message.msg, message.hint or "")


def is_safe() -> Iterator[Finding]:
    if settings.DEV:
        return
    yield from deployment_checks()
    if settings.DEBUG:
        yield Problem("DEBUG is on: whoever causes an error is shown settings and data.", "Unset DEBUG and restart.")
    try:
        key = settings.SECRET_KEY.lower()
    except ImproperlyConfigured:
        return  # said by the system checks
    if check_secret_key(None) or any(word in key for word in KNOWN_KEYS):
        yield Problem(
            "SECRET_KEY is short or easily guessed: whoever guesses it can log in as anybody.",
            f"Set a new one: {NEW_KEY}",
        )


def deployment_checks() -> Iterator[Note]:
    """What `manage.py check --deploy` finds besides."""
    try:
        found = {str(message.id): message for message in run_checks(include_deployment_checks=True)}
        usual = {str(message.id) for message in run_checks()}
    except ImproperlyConfigured:
        return  # said by the system checks
    for name in sorted(found.keys() - usual - SAID):
        yield Note(" ".join(found[name].msg.split()), found[name].hint or "")


def can_be_reached() -> Iterator[Finding]:
    """Host names, origins and HTTPS say the same."""
    if settings.DEV:
        return
    hosts = settings.ALLOWED_HOSTS
    if "*" in hosts:
        yield Problem(
            "ALLOWED_HOSTS is *: links in mail can be made to lead anywhere.",
            "Set ALLOWED_HOSTS to the names under which people open the pages.",
        )
    elif not set(hosts) - HERE:
        yield Note(
            "Only this machine can open the pages.",
            "Set ALLOWED_HOSTS to the names under which people open them, such as campaigns.example.com",
        )
    name = urlsplit(settings.PUBLIC_URL).hostname or ""
    if name and not is_allowed(name, hosts):
        yield Problem(
            f"Links to unsubscribe lead to {name}, which ALLOWED_HOSTS does not have: nobody can follow them.",
            f"Add {name} to ALLOWED_HOSTS, or correct PUBLIC_URL.",
        )
    for origin in settings.CSRF_TRUSTED_ORIGINS:
        yield from of_origin(origin, hosts)
    if not settings.SECURE_HTTPS:
        yield Note("SECURE_HTTPS is off: passwords and cookies cross the network readable.", "Unset SECURE_HTTPS.")
    elif not settings.TRUSTED_PROXY:
        yield Problem(
            "Every page redirects to https without end: the proxy that ends TLS is not believed.",
            "Set TRUSTED_PROXY=true behind a proxy that sets X-Forwarded-Proto, or SECURE_HTTPS=false for a trial.",
        )


def of_origin(origin: str, hosts: list[str]) -> Iterator[Finding]:
    url = urlsplit(origin)
    if url.scheme == "http" and settings.SECURE_HTTPS:
        yield Problem(
            f"CSRF_TRUSTED_ORIGINS names {origin}, but pages are served by https.",
            f"Write https://{url.netloc}, or set SECURE_HTTPS=false.",
        )
    name = url.hostname or ""
    if name.startswith("*.") or is_allowed(name, hosts):
        return
    yield Problem(
        f"CSRF_TRUSTED_ORIGINS names {origin}, but ALLOWED_HOSTS does not have {name}.",
        f"Add {name} to ALLOWED_HOSTS.",
    )


def is_allowed(name: str, hosts: list[str]) -> bool:
    return any(host in ("*", name) or (host.startswith(".") and f".{name}".endswith(host)) for host in hosts)


def mail_goes_out() -> Iterator[Finding]:
    """Our own mail, to those who log in: invitations and new passwords."""
    if not settings.CAN_MAIL:
        yield Note(
            "No mail goes to your own users: invitations and new passwords are links passed on by hand.",
            "Set EMAIL_URL, such as smtp://user:password@mail.example.com:587/?tls=True",
        )
    elif settings.EMAIL_BACKEND.endswith("smtp.EmailBackend"):
        try:
            socket.create_connection((settings.EMAIL_HOST, settings.EMAIL_PORT), timeout=2).close()
        except OSError as error:
            yield Problem(
                f"The mail server {settings.EMAIL_HOST} port {settings.EMAIL_PORT} cannot be reached: {error}.",
                "Correct EMAIL_URL, or let this machine through to it.",
            )
