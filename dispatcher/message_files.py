"""Files of messages: what such a file looks like, how it is written, read back and gone through line by line.

It is a zip that any program opens. `campaign.json` says what it is; each table is a member of lines as PostgreSQL
copies them, tab by tab, the names of the columns first. One row is one line, whatever stands in it.
"""

import hashlib
import io
import json
import os
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from django.core.serializers.json import DjangoJSONEncoder
from django.db import connection
from django.db.models import Model

from campaigns.models import Campaign
from dispatcher.books import Books
from dispatcher.crash import crash_point
from dispatcher.models import Attempt, Message
from simulator.models import Call

BLOCK = 2**16
FORMAT = 1
OF_CAMPAIGN = "SELECT {column} FROM dispatcher_message WHERE campaign_id = {campaign}"


@dataclass(frozen=True)
class Part:
    """One table, and which of its rows belong to a campaign."""

    name: str
    model: type[Model]
    belongs: str
    order: str = "id"

    @property
    def member(self) -> str:
        return f"{self.name}.tsv"

    @property
    def table(self) -> str:
        return self.model._meta.db_table

    @property
    def columns(self) -> list[str]:
        return [str(each.column) for each in self.model._meta.concrete_fields]

    def rows_of(self, campaign: int) -> str:
        """What follows FROM to read them in order, with the alias `t`."""
        ids, keys = (OF_CAMPAIGN.format(column=column, campaign=campaign) for column in ("id", "key"))
        belongs = self.belongs.format(campaign=campaign, ids=ids, keys=keys)
        return f"{self.table} t WHERE {belongs}"


PARTS = (  # in the order in which a file holds them; whoever forgets a person relies on it
    Part("messages", Message, "t.campaign_id = {campaign}", order="number"),
    Part("attempts", Attempt, "t.message_id IN ({ids})"),
    # A message may have had several keys: its attempts remember those a person replaced.
    Part("calls", Call, "t.key IN ({keys} UNION SELECT key FROM dispatcher_attempt WHERE message_id IN ({ids}))"),
)
Change = Callable[[str, dict[str, int], list[bytes]], None]


class Damaged(Exception):
    """A file does not hold what it should; the text says what is wrong."""


@dataclass
class Held:
    """What a file turned out to hold, read from its first byte to its last."""

    checksum: str
    bytes: int
    rows: dict[str, int] = field(default_factory=dict)
    statuses: Counter[int] = field(default_factory=Counter)

    def agrees_with(self, books: Books) -> bool:
        counts = {status: getattr(books, status.label) for status in Message.Status}
        return self.statuses == Counter({status: n for status, n in counts.items() if n})


def write(path: Path, campaign: Campaign, books: Books) -> dict[str, int]:
    """Copy the rows of the campaign into a new file and onto the disk; returns how many of each part.

    The database copies and we compress: a million messages never stand in memory.
    """
    rows = {}
    with _new(path) as (file, about), connection.cursor() as cursor:
        for part in PARTS:
            columns = ", ".join(part.columns)
            query = f"SELECT {columns} FROM {part.rows_of(campaign.pk)} ORDER BY {part.order}"
            with _member(file, part.member) as member:
                member.write(header(part.columns))
                with cursor.copy(f"COPY ({query}) TO STDOUT") as copy:
                    for block in copy:
                        member.write(block)
            rows[part.name] = cursor.rowcount
            crash_point("file_half_written")
        about |= told_of(campaign, books) | {"rows": rows}
    return rows


def told_of(campaign: Campaign, books: Books) -> dict[str, object]:
    """For whoever finds the file and nothing else."""
    return {
        "format": FORMAT,
        "campaign": campaign.pk,
        "name": campaign.name,
        "workspace": campaign.workspace_id,
        "channel": campaign.channel_word,
        "status": campaign.get_status_display(),
        "launched_at": campaign.launched_at,
        "finished_at": campaign.finished_at,
        "books": counts_of(books),
    }


def counts_of(books: Books) -> dict[str, int]:
    return {name: getattr(books, name) for name in ("total", "sent", "failed", "skipped", "cancelled", "unknown")}


def counts_in(path: Path) -> dict[str, int]:
    """The books as the file tells them: when it was written, its messages were counted against them. Raises Damaged."""
    try:
        with ZipFile(path) as file:
            return dict(json.loads(file.read("campaign.json"))["books"])
    except Exception as error:  # as in `read_back`
        raise Damaged(f"{path.name} cannot be read: {error}") from error


def rewrite(old: Path, new: Path, change: Change) -> None:
    """Write a new file with every row of the old one, after `change` of part, places of the columns, and fields."""
    with ZipFile(old) as source, _new(new) as (file, about):
        for part in PARTS:
            with lines_of(source, part) as (columns, lines), _member(file, part.member) as member:
                places = {name: place for place, name in enumerate(columns)}
                member.write(header(columns))
                for line in lines:
                    fields = line.rstrip(b"\n").split(b"\t")
                    change(part.name, places, fields)
                    member.write(b"\t".join(fields) + b"\n")
        about |= json.loads(source.read("campaign.json"))


def read_back(path: Path) -> Held:
    """Read all of a file, as it stands on the disk. Raises Damaged, or OSError."""
    with path.open("rb") as file:
        held = Held(hashlib.file_digest(file, "sha256").hexdigest(), path.stat().st_size)
    try:
        with ZipFile(path) as file:
            for part in PARTS:
                with lines_of(file, part) as (columns, lines):
                    place = columns.index("status") if "status" in columns else None
                    n = 0
                    for n, line in enumerate(lines, 1):  # noqa: B007 - the count
                        if place is not None:
                            held.statuses[int(line.split(b"\t")[place])] += 1
                    held.rows[part.name] = n
    except Exception as error:  # a broken zip fails in many ways; none of them may pass for a whole one
        raise Damaged(f"{path.name} cannot be read: {error}") from error
    return held


@contextmanager
def lines_of(file: ZipFile, part: Part) -> Iterator[tuple[list[str], IO[bytes]]]:
    """The columns of a part and its lines. Raises Damaged for columns that this version does not know."""
    with file.open(part.member) as member:
        lines = io.BufferedReader(member, BLOCK)  # type: ignore[type-var]
        columns = lines.readline().decode().rstrip("\n").split("\t")
        if unknown := set(columns) - set(part.columns):
            raise Damaged(f"{part.member} has columns that this version does not know: {sorted(unknown)}")
        yield columns, lines


def header(columns: list[str]) -> bytes:
    return ("\t".join(columns) + "\n").encode()


@contextmanager
def _new(path: Path) -> Iterator[tuple[ZipFile, dict[str, object]]]:
    """A file to fill, for our eyes only, and what its campaign.json will say; on the disk when this is left."""
    with open(path, "xb", opener=lambda name, flags: os.open(name, flags, 0o600)) as disk:
        with ZipFile(disk, "w") as file:
            about: dict[str, object] = {}
            yield file, about
            with _member(file, "campaign.json") as member:
                member.write(json.dumps(about, indent=1, cls=DjangoJSONEncoder).encode())
        disk.flush()
        os.fsync(disk.fileno())


def _member(file: ZipFile, name: str) -> IO[bytes]:
    info = ZipInfo(name, date_time=time.gmtime()[:6])
    info.compress_type = ZIP_DEFLATED
    return file.open(info, "w", force_zip64=True)
