"""Links by which whoever was written to says what they want: short, and nobody can make one up.

A link names the person, the campaign and the channel, not the row of the message: the rows of old campaigns are moved
to files, and their links work on. Its seal is a keyed digest of these and of what the link is for, so that one kind of
link is never taken for another. One or two are made for every mail, so each microsecond here counts.
"""

import hashlib
import hmac
import re
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import NamedTuple

from django.conf import settings

from people.channels import Channel

ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
PAIRS = [a + b for a in ALPHABET for b in ALPHABET]
LETTERS = {Channel.EMAIL: "e", Channel.SMS: "s", Channel.WHATSAPP: "w"}
TOKEN = re.compile(r"([esw])([0-9A-Za-z]{1,11})-([0-9A-Za-z]{1,11})-[0-9A-Za-z]{14}")
SEAL_LENGTH = 14  # 79 bits: who guesses a million a second needs longer than the sun burns
SEALING = bytes(ALPHABET[byte % 62].encode()[0] for byte in range(256))  # a letter for each byte
DEAD_SEAL = "0" * SEAL_LENGTH
STAND_IN = 14_776_335  # an id as long as most will be, where there is none yet
MOST = 2**63 - 1


class Purpose(StrEnum):
    """What a link is for, and the first part of its path."""

    PAGE = "u"  # shows what one may choose, and waits for a button
    ONE_CLICK = "o"  # RFC 8058: a mail program posts to it


class Meant(NamedTuple):
    """Who follows the link, and which message it stood in."""

    channel: Channel
    recipient: int
    campaign: int


@dataclass(frozen=True, slots=True)
class Links:
    """What the links of one campaign have in common: where they lead, and the key that seals them."""

    base: str
    key: bytes
    channel: Channel
    campaign: int

    def to(self, purpose: Purpose, recipient: int | None) -> str:
        """The link for this person; one that leads nowhere for somebody who is not there any more."""
        if recipient is None:
            return self.dead(purpose)
        token = token_of(purpose, Meant(self.channel, recipient, self.campaign), self.key)
        return f"{self.base}/{purpose}/{token}"

    def dead(self, purpose: Purpose, recipient: int | None = None) -> str:
        """The same link without its seal, for whoever may look but not act in place of the person."""
        named = _named(Meant(self.channel, recipient or STAND_IN, self.campaign))
        return f"{self.base}/{purpose}/{named}-{DEAD_SEAL}"


def token_of(purpose: Purpose, meant: Meant, key: bytes) -> str:
    named = _named(meant)
    seal = hashlib.blake2b(f"{purpose}{named}".encode(), key=key, digest_size=SEAL_LENGTH).digest()
    return f"{named}-{seal.translate(SEALING).decode()}"


def meant_by(purpose: Purpose, token: str) -> Meant | None:
    """Who is meant by a token for this purpose; None for whatever we did not make, which takes as long to say."""
    meant = _read(token)
    known = False
    for key in keys():
        known |= hmac.compare_digest(token_of(purpose, meant, key).encode(), token.encode())
    return meant if known else None


def _read(token: str) -> Meant:
    found = TOKEN.fullmatch(token)
    if not found:
        return Meant(Channel.EMAIL, 0, 0)
    channel = next(channel for channel, letter in LETTERS.items() if letter == found[1])
    return Meant(channel, min(number_in(found[2]), MOST), min(number_in(found[3]), MOST))


@lru_cache(maxsize=16)  # both links of a mail, one after the other
def _named(meant: Meant) -> str:
    return f"{LETTERS[meant.channel]}{base62(meant.recipient)}-{base62(meant.campaign)}"


def base62(number: int) -> str:
    digits = ""
    while number:  # two digits a step: a mail has two links, and its text is made in a few millionths of a second
        number, rest = divmod(number, len(PAIRS))
        digits = PAIRS[rest] + digits
    return digits.lstrip("0") or "0"


def number_in(digits: str) -> int:
    number = 0
    for digit in digits:
        number = number * 62 + ALPHABET.index(digit)
    return number


def keys() -> list[bytes]:
    """The key of new links first, then those of links made before it was changed."""
    return [_key(word) for word in (*settings.UNSUBSCRIBE_KEYS, settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)]


def key_called(name: str) -> bytes:
    """The key of this name; that of new links where it is known no more."""
    return next((key for key in keys() if name_of(key) == name), keys()[0])


def is_known(name: str) -> bool:
    """Whether a key of this name is still here."""
    return any(name_of(key) == name for key in keys())


@lru_cache(maxsize=16)
def _key(word: str) -> bytes:
    return hmac.digest(word.encode(), b"links to unsubscribe", "sha256")


@lru_cache(maxsize=16)
def name_of(key: bytes) -> str:
    """Tells the keys apart and gives nothing of them away."""
    return hmac.digest(key, b"name of this key", "sha256").hex()[:8]
