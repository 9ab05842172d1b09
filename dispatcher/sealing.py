"""Keeps secrets of people in the database so that a copy of the database alone does not tell them."""

import base64
import hashlib
from functools import lru_cache

from cryptography.fernet import Fernet, InvalidToken
from django.conf import settings


class Unreadable(Exception):
    """It was sealed under another SECRET_KEY, or is damaged."""


def seal(secret: str) -> str:
    """Encrypted and signed under a key made from SECRET_KEY."""
    return _box(settings.SECRET_KEY).encrypt(secret.encode()).decode()


def unseal(sealed: str) -> str:
    """What was sealed. Raises Unreadable."""
    try:
        return _box(settings.SECRET_KEY).decrypt(sealed.encode()).decode()
    except (InvalidToken, ValueError):
        raise Unreadable from None


@lru_cache(maxsize=2)
def _box(secret_key: str) -> Fernet:
    # Apart from every other use of SECRET_KEY; it is long and random, so one round of hashing is enough.
    digest = hashlib.blake2b(secret_key.encode(), person=b"sender options", digest_size=32).digest()
    return Fernet(base64.urlsafe_b64encode(digest))
