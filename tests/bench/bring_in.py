"""Importing a list of new people, beside a COPY of the same file: bare, and into a table with the indexes of people."""

import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.db import connection

from accounts.models import Workspace
from people import imports
from people.columns import Mapping
from people.models import Import
from tests.bench.children import child, hear
from tests.bench.notebook import Notebook
from tests.bench.options import Options

MEGABYTE = 1024 * 1024
TITLES = "email,phone,first_name,last_name,city,product,loyalty_tier"
BARE = """
    CREATE TABLE bench_copy (email text, phone text, first_name text, last_name text, location text,
                             preferred_product text, loyalty_tier text)
"""
LIKE_PEOPLE = """
    CREATE TABLE bench_copy (LIKE people_recipient INCLUDING ALL, loyalty_tier text);
    ALTER TABLE bench_copy ALTER workspace_id SET DEFAULT 1, ALTER attributes SET DEFAULT '{}',
                           ALTER updated_at SET DEFAULT now();
"""
COPY = """
    COPY bench_copy (email, phone, first_name, last_name, location, preferred_product, loyalty_tier)
    FROM STDIN (FORMAT csv, HEADER)
"""
PIECE = 256 * 1024
NAME = "imported into"
KNOWN = """
    INSERT INTO people_recipient (workspace_id, email, phone, first_name, last_name, location, preferred_product,
                                  attributes, updated_at)
    SELECT %s, 'person.' || n || '@example.com', '+2547' || lpad(n::text, 8, '0'), 'Old', '', '', '', '{}', now()
    FROM generate_series(0, %s - 1, 2) AS n
"""
GONE = """
    DELETE FROM people_recipient AS r USING accounts_workspace AS w WHERE w.id = r.workspace_id AND w.name = %s
"""
Status = Import.Status


def measure(notebook: Notebook, options: Options) -> None:
    size = 10 * options.people if options.full else options.people
    with listed(size // 10) as few, listed(size) as many:
        for _ in range(options.rounds if not options.full else 1):
            notebook.write("bare COPY", size / seconds_of_copy(many, BARE), "rows/s")
            notebook.write("COPY with indexes", size / seconds_of_copy(many, LIKE_PEOPLE), "rows/s")
            notebook.write("memory for a tenth", bring_in(few, size // 10)[1] / MEGABYTE, "MB")
            seconds, memory = bring_in(many, size)
            notebook.write("import", size / seconds, "rows/s")
            notebook.write("memory for all", memory / MEGABYTE, "MB")
            notebook.write("import of which half is known", size / bring_in(many, size, known=True)[0], "rows/s")
    notebook.divide("bare COPY", "import")
    notebook.at_most(12, notebook.divide("COPY with indexes", "import"))
    notebook.at_most(1.2, notebook.divide("memory for all", "memory for a tenth"))


@contextmanager
def listed(people: int) -> Iterator[Path]:
    """A CSV file of so many people, each with every field."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "people.csv"
        with path.open("w") as file:
            file.write(TITLES + "\n")
            for n in range(people):
                scattered = n * 7919 % people  # nobody's list is sorted by what the indexes are sorted by
                addresses = f"Person.{scattered}@Example.com,+254 7{scattered:08}"
                names = f"First{scattered % 997},Last{scattered % 9973}"
                file.write(f"{addresses},{names},Nairobi,Running Shoes,gold\n")
        yield path


def pieces(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while piece := file.read(PIECE):
            yield piece


def seconds_of_copy(path: Path, table: str) -> float:
    with connection.cursor() as cursor:
        cursor.execute(table)
        cursor.execute("CHECKPOINT")
        began = time.monotonic()
        with cursor.copy(COPY) as copy:
            for piece in pieces(path):
                copy.write(piece)
        seconds = time.monotonic() - began
        cursor.execute("DROP TABLE bench_copy")
    return seconds


def bring_in(path: Path, size: int, *, known: bool = False) -> tuple[float, int]:
    """From the list that is here to the last verdict, through all that a person is asked; the worker's peak, too.

    Every other person is changed by it, and the others are new, where half of them are known.
    """
    workspace = on_even_ground()
    if known:
        with connection.cursor() as cursor:
            cursor.execute(KNOWN, [workspace.pk, size])
            cursor.execute("VACUUM ANALYZE people_recipient")
    upload = imports.begin(workspace, name="people.csv", by=None)
    imports.keep_list(upload, pieces(path))
    began = time.monotonic()
    upload = imports.complete(upload, by=None)
    imports.map_columns(upload, Mapping(upload.columns, upload.titles), [], by=None)
    peak = carried_out(upload)
    imports.start(upload, by=None)
    peak = max(peak, carried_out(upload))
    seconds = time.monotonic() - began
    upload.refresh_from_db()
    changed = -(-size // 2) if known else 0
    if (upload.status, upload.created, upload.updated) != (Status.DONE, size - changed, changed):
        raise SystemExit(f"the import ended {upload.get_status_display()} with {upload.created:,} people")
    return seconds, peak


def on_even_ground() -> Workspace:
    """A workspace with nobody in it, and nothing left of the one before."""
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM people_importrow")
        cursor.execute(GONE, [NAME])
        cursor.execute("VACUUM ANALYZE people_importrow, people_stagedrow, people_recipient")
        cursor.execute("CHECKPOINT")
    return Workspace.objects.create(name=NAME)


def carried_out(upload: Import) -> int:
    """By a process of its own, which ends with the memory it held at most."""
    with child("-m", "tests.bench.importer", upload.pk, LOG_LEVEL=os.environ.get("LOG_LEVEL", "WARNING")) as worker:
        return int(hear(worker))
