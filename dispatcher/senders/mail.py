"""A parcel as a letter: headers and body as RFC 5322 and MIME want them, ready for the DATA of SMTP.

EmailMessage takes 300 us to build; here all that is the same for everybody is written once, and the rest is encoded
by the standard library's own functions.
"""

import re
import time
from base64 import encodebytes
from binascii import b2a_qp
from datetime import UTC, datetime
from email.header import Header
from email.utils import format_datetime, parseaddr
from functools import lru_cache

import idna

from dispatcher.senders.parcel import Parcel, Refused, Unreachable

CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]")
PLAIN_ADDRESS = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]+@[A-Za-z0-9.-]+")
NOT_IN_AN_ADDRESS = re.compile(r'[\x00-\x20\x7f-\xa0()<>\[\]:;,\\"\s]')
HEADER_NAME = re.compile(r"[A-Za-z][A-Za-z0-9-]*")
OURS = {"from", "to", "subject", "date", "message-id", "mime-version", "content-type", "content-transfer-encoding"}
SHORT, LONGEST = 66, 900  # characters of a header line that need no folding, and that may stay without
LINE_BREAKS = re.compile(r"\r\n|\r|\n")
DOT_AT_THE_START = re.compile(rb"(?m)^\.")


def letter(parcel: Parcel, to: str) -> bytes:
    """Header and body with CRLF line ends, dots doubled, without the final dot. Raises Refused or Unreachable.

    `to` is the parcel's address as it stands in the envelope.
    """
    lines = [
        *_same_for_all(parcel.sender),
        f"To: {to}",
        f"Subject: {header('Subject', parcel.subject)}",
        f"Date: {_date(int(time.time()))}",
        f"Message-ID: <{parcel.key}@{author(parcel.sender)[1].rpartition('@')[2]}>",
    ]
    for name, value in parcel.headers.items():
        if not HEADER_NAME.fullmatch(name) or name.lower() in OURS:
            raise Refused(f"A header cannot be called “{name[:40]}”.", category="template_error")
        lines.append(f"{name}: {header(name, value)}")
    head = "\r\n".join(lines).encode()
    body = _both(parcel) if parcel.html else _part("plain", parcel.text)
    return DOT_AT_THE_START.sub(b"..", head + b"\r\n" + body)


def header(name: str, value: str) -> str:
    """The value as RFC 2047 wants it. Raises Refused for what could begin another header."""
    if CONTROL.search(value):
        raise Refused(
            f"The {name.lower()} has a line break or another control character in it.", category="template_error"
        )
    # Other headers than the subject are read by programs, which expect their addresses in one piece.
    longest = SHORT if name == "Subject" else LONGEST
    if value.isascii() and len(value) <= longest and "=?" not in value:
        return value
    return Header(value, "utf-8", header_name=name).encode(linesep="\r\n")


def envelope(address: str) -> tuple[str, bool]:
    """The address for the envelope, and whether the server must offer SMTPUTF8 to take it. Raises Refused."""
    if PLAIN_ADDRESS.fullmatch(address):
        return address, False
    local, _, domain = address.rpartition("@")
    if not local or not domain or NOT_IN_AN_ADDRESS.search(address):
        raise Refused("A mail server does not take an address written like this.", category="invalid_address")
    try:
        ascii_domain = domain if domain.isascii() else idna.encode(domain, uts46=True).decode()
    except idna.IDNAError:
        raise Refused("The address has a domain that cannot exist.", category="invalid_address") from None
    return f"{local}@{ascii_domain}", not local.isascii()


@lru_cache(maxsize=64)
def author(mailbox: str) -> tuple[str, str]:
    """The name and the bare address, its domain in ASCII, of "Name <address>".

    Raises Unreachable where nobody can be written to from it: that is so for every mail.
    """
    name, address = parseaddr(mailbox)
    try:
        address, needs_utf8 = envelope(address)
    except Refused:
        needs_utf8 = True
    if needs_utf8 or CONTROL.search(mailbox):
        sentence = f"Nobody can be written to from “{mailbox[:100]}”: correct it in the settings of senders."
        raise Unreachable(sentence, retry_after=60)
    return name, address


@lru_cache(maxsize=64)
def _same_for_all(mailbox: str) -> tuple[str, ...]:
    name, address = author(mailbox)
    quoted = re.sub(r'(["\\])', r"\\\1", name)
    shown = f'"{quoted}"' if name.isascii() else header("From", name)
    return f"From: {shown} <{address}>" if name else f"From: {address}", "MIME-Version: 1.0"


@lru_cache(maxsize=2)
def _date(second: int) -> str:
    return format_datetime(datetime.fromtimestamp(second, UTC))


def _part(kind: str, text: str) -> bytes:
    """One text as a MIME part with its own headers: quoted-printable where most of it is plain, else base64."""
    raw = LINE_BREAKS.sub("\n", text).encode(errors="replace")
    if raw.isascii() or sum(map(raw.count, b" etaoin")) * 4 > len(raw):
        how, encoded = b"quoted-printable", b2a_qp(raw, istext=True).replace(b"\n", b"\r\n")
    else:
        how, encoded = b"base64", encodebytes(raw.replace(b"\n", b"\r\n")).replace(b"\n", b"\r\n")
    head = b'Content-Type: text/%s; charset="utf-8"\r\nContent-Transfer-Encoding: %s\r\n\r\n' % (kind.encode(), how)
    return head + encoded + (b"" if encoded.endswith(b"\r\n") else b"\r\n")


def _both(parcel: Parcel) -> bytes:
    boundary = f"=_{parcel.key}".encode()  # no encoded text contains "=_"
    parts = (_part("plain", parcel.text), _part("html", parcel.html))
    head = b'Content-Type: multipart/alternative; boundary="%s"\r\n\r\n' % boundary
    return head + b"".join(b"--%s\r\n%s" % (boundary, part) for part in parts) + b"--%s--\r\n" % boundary
