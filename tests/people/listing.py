"""How tests import a list: kept, carried out, and read back."""

import io

from accounts.models import Workspace
from people import carrying, imports
from people.columns import guessed
from people.models import Import
from people.rows import Entry, rows
from people.source import SAMPLE, records_in

HEADER = "email,phone,first_name,last_name,city,opted_out,loyalty_tier\n"


def read(source: str | bytes, region: str | None = None) -> list[Entry]:
    """The rows of a list as they are read when nobody says what its columns are. Raises UnreadableSheet."""
    raw = source.encode() if isinstance(source, str) else source
    records = list(records_in(raw, io.BytesIO(raw)))
    return list(rows(records, guessed(records[:SAMPLE]), region))


def bring_in(workspace: Workspace, source: str, **fields) -> Import:
    """Import the list to its end."""
    upload = imports.start_import(workspace, name="list.csv", source=source, **fields)
    return carry_on(upload)


def carry_on(upload: Import) -> Import:
    carrying.carry_out(upload.pk)
    upload.refresh_from_db()
    return upload


def verdicts(upload: Import) -> list[tuple[int, str, str]]:
    """Line, verdict and reason of every row."""
    rows = upload.verdicts.order_by("number")
    return [(row.line, row.get_verdict_display(), row.reason) for row in rows]


def words(upload: Import) -> list[str]:
    return [verdict for _, verdict, _ in verdicts(upload)]


def reason_of(upload: Import, line: int) -> str:
    return upload.verdicts.get(line=line).reason
