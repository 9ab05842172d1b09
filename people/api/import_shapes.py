"""What programs say and read about lists they bring: the shapes of imports."""

from datetime import datetime
from typing import Any, Literal

from ninja import Field, Schema
from pydantic import StrictBool, field_validator
from pydantic_core import PydanticCustomError

from accounts.paging import Numbered, Walked
from people.api.shapes import Number
from people.columns import MOST_COLUMNS
from people.models import Import, ImportRow
from people.plain import NotPlain, plain
from people.problems import ProblemGroup
from people.said_columns import checked_columns

COLUMNS_SAID = (
    "What the columns are: by their titles, or all of them from the left. Each is email, phone, first_name, last_name,"
    " name, location, preferred_product, opted_out, refuses_email, refuses_sms, refuses_whatsapp, the name of an"
    " attribute, looks (each cell is taken for what it looks like) or empty (not imported). What is not said is"
    " guessed."
)
ImportStatus = Literal[
    "uploading",
    "looking",
    "mapping",
    "checking",
    "checked",
    "waiting",
    "running",
    "done",
    "failed",
    "cancelled",
    "undoing",
    "undone",
]
VerdictWord = Literal["created", "updated", "unchanged", "rejected"]
Columns = dict[str, str] | list[str]


class ListSaid(Schema, extra="forbid"):
    """How a list is to be read, and where its people go."""

    columns: Columns | None = Field(None, max_length=MOST_COLUMNS, description=COLUMNS_SAID)
    group_ids: list[Number] = Field([], description="The groups its people are put into.")

    @field_validator("columns")
    @classmethod
    def known_columns(cls, columns: Columns | None) -> Columns | None:
        try:
            if isinstance(columns, dict):
                titles = [plain(title, "The title of a column", at_most=100) for title in columns]
                refuse_alike(titles)
                return dict(zip(titles, checked_columns([*columns.values()]), strict=True))
            return columns and checked_columns(columns)
        except NotPlain as fault:
            raise PydanticCustomError("columns", "{fault}", {"fault": str(fault)}) from None

    @property
    def titles(self) -> list[str]:
        return [*self.columns] if isinstance(self.columns, dict) else []

    @property
    def named(self) -> list[str]:
        return [*self.columns.values()] if isinstance(self.columns, dict) else self.columns or []


def refuse_alike(titles: list[str]) -> None:
    """Those of a list are found whatever their case. Raises NotPlain."""
    folded = [title.lower() for title in titles]
    if twice := [title for title in titles if folded.count(title.lower()) > 1]:
        raise NotPlain(f"Two columns are said to have the title “{twice[0]}”.")


class BeginIn(ListSaid):
    """A list that comes in parts."""

    name: str = Field("", description="Of the file.")
    size: Number = Field(description="Its bytes.")
    start: StrictBool = Field(True, description="false: stop once it is checked, before anybody is changed.")


class ImportOut(Schema):
    id: int
    name: str
    status: ImportStatus
    by: str = Field(description="The colleague or the key that brought it.")
    bytes: int
    group_ids: list[int]
    titles: list[str] = Field(description="Of its columns, where the first line names them.")
    columns: list[str]
    in_list: int = Field(description="Rows of the list, as far as it is read.")
    rows: int = Field(description="Rows with a verdict: the sum of the four that follow.")
    created: int
    updated: int
    unchanged: int
    rejected: int
    partly: int = Field(description="Rows of which something was left out.")
    forecast: dict[str, int] | None = Field(
        description="Once it is checked: how many rows would get each verdict; partly: of how many of these something"
        " would be left out."
    )
    removed: int = Field(description="People that undoing it removed.")
    restored: int
    kept: int = Field(description="Rows that stay although it was undone.")
    note: str
    error: str = Field(description="Why it failed.")
    is_over: bool
    created_at: datetime
    finished_at: datetime | None


class ImportPage(Schema):
    data: list[ImportOut]
    pagination: Numbered | Walked


class VerdictOut(Schema):
    number: int = Field(description="Of the row in the list.")
    line: int
    verdict: VerdictWord
    address: str
    reason: str
    customer_id: int | None
    is_kept: bool
    kept_because: str = Field(description="Why it stays although the import was undone.")


class VerdictPage(Schema):
    data: list[VerdictOut]
    pagination: Walked


class ProblemRow(Schema):
    line: int
    address: str
    found: str
    fault: str


class ListProblem(Schema):
    problem: str
    title: str
    advice: str
    expected: str
    rows: int
    is_harmless: bool = Field(description="The rows are imported nevertheless.")
    first: list[ProblemRow] = Field(description="Until the import is over, which keeps the counts alone.")


AS_IT_IS = (
    *("name", "titles", "columns", "rows", "created", "updated", "unchanged", "rejected", "partly"),
    *("removed", "restored", "kept", "note", "error", "is_over", "created_at", "finished_at"),
)


def import_row(upload: Import) -> dict[str, Any]:
    """As `ImportOut` shows it."""
    return {field: getattr(upload, field) for field in AS_IT_IS} | {
        "id": upload.pk,
        "status": upload.Status(upload.status).name.lower(),
        "by": str(upload.brought_by or ""),
        "bytes": upload.size,
        "group_ids": sorted(group.pk for group in upload.groups.all()),
        "in_list": upload.brought,
        "forecast": {word: n for word, n in upload.forecast.items() if word != "problems"} or None,
    }


def verdict_row(row: ImportRow) -> dict[str, Any]:
    as_it_is = ("number", "line", "address", "reason", "is_kept", "kept_because")
    told = {field: getattr(row, field) for field in as_it_is}
    return told | {"verdict": row.get_verdict_display(), "customer_id": row.recipient_id}


def problem_row(group: ProblemGroup) -> dict[str, Any]:
    words = group.words
    return {
        "problem": group.problem.name.lower(),
        "title": words.title,
        "advice": words.advice,
        "expected": words.expected,
        "rows": group.count,
        "is_harmless": group.is_harmless,
        "first": [{field: getattr(row, field) for field in ProblemRow.model_fields} for row in group.rows],
    }
