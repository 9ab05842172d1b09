"""What the doctor says of something: a sentence, and what to do or type."""

from dataclasses import dataclass

from django.conf import settings

START_BIN_DEV = "Start bin/dev, which brings it along, or set another address."
PLACES_OF_BIN_DEV = (f"{settings.BASE_DIR / '.local'}/", "/var/lib/campaign-dispatcher/", "/tmp/campaign-dispatcher-")  # noqa: S108


@dataclass(frozen=True)
class Finding:
    """One thing to know. Neither part ever holds a secret."""

    sentence: str
    remedy: str = ""


class Problem(Finding):
    """Something does not work, or will not when it is needed."""


class Note(Finding):
    """Nothing is broken, but whoever runs this should know."""


def is_of_bin_dev(socket: str) -> bool:
    """Whether a socket, or the directory it is in, is of the services that bin/dev brings along."""
    return socket.startswith(PLACES_OF_BIN_DEV)
