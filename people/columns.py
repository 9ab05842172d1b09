"""Which column of a list is what, as its first line names them."""

import re
from dataclasses import dataclass

from people.attributes import is_attribute_name
from people.models import STANDARD_FIELDS
from people.plain import NotPlain
from people.sheet import Record, UnreadableSheet, records

ALIASES = {
    "email": "email e_mail mail email_address e_mail_address",
    "phone": "phone mobile tel telephone cell msisdn whatsapp phone_number mobile_number mobile_phone",
    "first_name": "first_name firstname given_name forename",
    "last_name": "last_name lastname surname family_name",
    "name": "name full_name fullname",
    "location": "location city town",
    "preferred_product": "preferred_product prefered_product product",
    "opted_out": "opted_out opt_out optout unsubscribed",
}
MOST_COLUMNS = 200
COLUMNS = {alias: column for column, aliases in ALIASES.items() for alias in aliases.split()}


def refuse_alias(name: str) -> None:
    """Raises NotPlain when an attribute of this name would be mistaken for a field that everybody has."""
    column = COLUMNS.get(name, name)
    if column != name and column in STANDARD_FIELDS:
        words = column.replace("_", " ")
        raise NotPlain(f"“{name}” is the {words}: type it there, and write {{{column}}} in a message.")


@dataclass(frozen=True)
class Header:
    """The first line of a list: a column for each title, "" for a title that is nothing we know."""

    titles: list[str]
    columns: list[str]

    @property
    def attributes(self) -> set[str]:
        return {column for column in self.columns if column and column not in ALIASES}

    def titles_without(self, columns: set[str]) -> list[str]:
        """The titles of what is read from the list neither as itself nor as one of these columns."""
        pairs = zip(self.titles, self.columns, strict=True)
        return [title for title, column in pairs if title and (not column or column in columns)]


def header_of(source: str) -> Header | None:
    """The header of the list, None when its first record names no address. Raises UnreadableSheet."""
    first = next(records(source), None)
    if first is None:
        raise UnreadableSheet("There is nobody in this list.")
    if first.fault:  # whether it is a header decides what every other line means
        raise UnreadableSheet(f"Line {first.line} cannot be read. {first.fault}")
    if any("@" in cell for cell in first.cells):
        return None
    if len(first.cells) > MOST_COLUMNS:
        raise UnreadableSheet(f"The first line has more than {MOST_COLUMNS} columns.")
    columns = _columns(first)
    return Header(first.cells, columns) if {"email", "phone"} & set(columns) else None


def _columns(first: Record) -> list[str]:
    columns: list[str] = []
    for title in first.cells:
        word = re.sub(r"[\s.-]+", "_", title.strip().lower()).strip("_")
        column = COLUMNS.get(word) or (word if is_attribute_name(word) else "")
        columns.append("" if column in columns else column)
    return columns
