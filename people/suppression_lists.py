"""Suppression lists brought in and handed out: addresses, or the digests of addresses that are not kept."""

import csv
import io
import re
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from datetime import UTC

from asgiref.sync import sync_to_async
from django.db import transaction

from accounts import audit_log
from accounts.models import Actor, Workspace
from people import list_looks
from people.addresses import InvalidAddress, normal_email, normal_phone
from people.formulas import escape, unescape
from people.held import hold_workspace
from people.models import Suppression
from people.plain import shown
from people.suppression import digest_of, look_at_addresses, put_on

MOST_LINES = 100_000
DIGEST = re.compile(r"[0-9a-f]{64}")
COLUMNS = ("address", "digest", "reason", "note", "since_utc")
HEADINGS = {*COLUMNS, "email", "phone", "e-mail", "email address"}
AT_ONCE = 2_000


class ListTooLong(ValueError):
    """More lines than are taken at once; the text says how many."""


@dataclass(frozen=True)
class Line:
    """A line that names nobody, and why."""

    number: int
    text: str
    sentence: str


@dataclass
class Brought:
    """The verdicts on a list: each of its lines is in one of these."""

    added: int = 0
    known: int = 0
    refused: list[Line] = field(default_factory=list)
    is_looking: bool = False  # some people are still to be compared with it

    @property
    def lines(self) -> int:
        return self.added + self.known + len(self.refused)


def normal_address(text: str, region: str = "") -> str:
    """An email address or a phone number, national ones of the region, as it is stored. Raises InvalidAddress."""
    if "@" in text:
        return normal_email(text)
    if not any(map(str.isdigit, text)):
        raise InvalidAddress(f"“{shown(text, at_most=60)}” is neither an email address nor a phone number.")
    return normal_phone(text, region or None)


@transaction.atomic
def bring_in(workspace: Workspace, source: str, *, by: Actor) -> Brought:
    """Put every address or digest of a list on the suppression list. Raises ListTooLong, which changes nothing."""
    brought = Brought()
    wanted: dict[bytes, str] = {}
    for number, text in named_in(source):
        if number > MOST_LINES:
            raise ListTooLong(f"The list has more than {MOST_LINES:,} lines; bring it in in parts.")
        try:
            digest, address = read(text, workspace.region)
        except InvalidAddress as fault:
            brought.refused.append(Line(number, shown(text, at_most=60), str(fault)))
            continue
        brought.known += digest in wanted
        wanted.setdefault(digest, address)
    hold_workspace(workspace.pk)
    listed = [(digest, address, "") for digest, address in wanted.items()]
    done = put_on(workspace, listed, reason=Suppression.Reason.IMPORTED, by=by)
    new = [digest for digest, is_new in done.items() if is_new]
    brought.added = len(new)
    brought.known += len(wanted) - len(new)
    if any(not wanted[digest] for digest in new):
        brought.is_looking = list_looks.begin(workspace)
    else:
        look_at_addresses(workspace, [wanted[digest] for digest in new])
    after = {"added": brought.added, "known": brought.known, "refused": len(brought.refused)}
    audit_log.record(workspace, "import_suppressions", workspace, by=by, after=after)
    return brought


def named_in(source: str) -> Iterator[tuple[int, str]]:
    """What each line names, by its number: its first cell, or the second where that is empty."""
    for number, line in enumerate(io.StringIO(source, newline=None), 1):
        try:
            cells = next(csv.reader([line.rstrip("\n")], delimiter=";" if ";" in line else ","), [])
        except csv.Error:
            cells = [line]
        named = next((unescape(cell.strip()) for cell in cells[:2] if cell.strip()), "")
        if named and not (number == 1 and named.lower() in HEADINGS):
            yield number, named


def read(text: str, region: str) -> tuple[bytes, str]:
    """The digest, and the address if it is told. Raises InvalidAddress."""
    if DIGEST.fullmatch(text):
        return bytes.fromhex(text), ""
    address = normal_address(text, region)
    return digest_of(address), address


def digest_asked(words: str, region: str) -> bytes | None:
    """Of the address or digest somebody looks for; None where it is neither."""
    words = words.strip()
    try:
        return bytes.fromhex(words) if DIGEST.fullmatch(words) else read(words, region)[0]
    except InvalidAddress:
        return None


async def written(workspace: Workspace) -> AsyncIterator[str]:
    """The list as CSV, piece by piece, newest first; what `bring_in` takes."""
    yield _csv([COLUMNS])
    last = None
    while found := await sync_to_async(_below)(workspace, last):
        yield _csv(_row(each) for each in found)
        last = found[-1].pk


def _below(workspace: Workspace, last: int | None) -> list[Suppression]:
    rows = workspace.suppressions.order_by("-pk")
    return list((rows if last is None else rows.filter(pk__lt=last))[:AT_ONCE])


def _row(each: Suppression) -> tuple[str, ...]:
    digest = "" if each.address else bytes(each.digest).hex()
    since = f"{each.created_at.astimezone(UTC):%Y-%m-%d %H:%M:%S}"
    return each.address, digest, each.get_reason_display(), each.note, since


def _csv(rows) -> str:
    file = io.StringIO()
    csv.writer(file).writerows([escape(cell) for cell in row] for row in rows)
    return file.getvalue()
