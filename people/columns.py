"""Which column of a list is what: guessed from its first line and the looks of its cells, then as a person says."""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, field

from people.addresses import PHONE
from people.attributes import is_attribute_name
from people.channels import REFUSALS
from people.models import STANDARD_FIELDS
from people.plain import NotPlain, shown
from people.sheet import Record, UnreadableSheet

ALIASES = {
    "email": "email e_mail mail email_address e_mail_address",
    "phone": "phone mobile tel telephone cell msisdn whatsapp phone_number mobile_number mobile_phone",
    "first_name": "first_name firstname given_name forename",
    "last_name": "last_name lastname surname family_name",
    "name": "name full_name fullname",
    "location": "location city town",
    "preferred_product": "preferred_product prefered_product product",
    "opted_out": "opted_out opt_out optout unsubscribed",
    **{refusal: refusal for refusal in REFUSALS},
}
MOST_COLUMNS = 200
COLUMNS = {alias: column for column, aliases in ALIASES.items() for alias in aliases.split()}
LOOKS = "looks"  # each cell is taken for what it looks like
NOT_READ = ""
# The last titles of the file of rejected rows, which are no part of them.
LINE, REASON = "line in the list", "rejected because"
GIVEN_BACK = (LINE, REASON)


def refuse_alias(name: str) -> None:
    """Raises NotPlain when an attribute of this name would be mistaken for a field that everybody has."""
    column = COLUMNS.get(name, name)
    if column != name and column in STANDARD_FIELDS:
        words = column.replace("_", " ")
        raise NotPlain(f"“{name}” is the {words}: type it there, and write {{{column}}} in a message.")


@dataclass(frozen=True)
class Mapping:
    """What each column is: a field, the name of an attribute, LOOKS or NOT_READ; its title where the list has some.

    Without any columns the list has none of its own, and every cell is taken for what it looks like.
    """

    columns: list[str] = field(default_factory=list)
    titles: list[str] = field(default_factory=list)

    @property
    def has_titles(self) -> bool:
        return bool(self.titles)

    @property
    def attributes(self) -> set[str]:
        return {column for column in self.columns if column not in (*ALIASES, LOOKS, NOT_READ)}

    def without(self, attributes: set[str]) -> "Mapping":
        return Mapping([NOT_READ if column in attributes else column for column in self.columns], self.titles)

    @property
    def not_read(self) -> list[str]:
        """The titles of the columns that are left out."""
        return [title for title, column in zip(self.titles, self.columns, strict=False) if title and not column]


def guessed(first: Sequence[Record]) -> Mapping:
    """What the columns of a list that begins so seem to be. Raises UnreadableSheet."""
    if not first:
        raise UnreadableSheet("There is nobody in this list.")
    top = first[0]
    if top.fault:  # whether it is a header decides what every other line means
        raise UnreadableSheet(f"Line {top.line} cannot be read. {top.fault}")
    if any("@" in cell for cell in top.cells):
        return Mapping()
    if len(top.cells) > MOST_COLUMNS:
        raise UnreadableSheet(f"The first line has more than {MOST_COLUMNS} columns.")
    columns = by_title(top.cells)
    more = given_back(top.cells)
    if more and not {"email", "phone"} & set(columns):
        columns = [LOOKS] * (len(columns) - more) + [NOT_READ] * more
    elif not {"email", "phone"} & set(columns):
        return Mapping()
    if len(first) == 1:
        raise UnreadableSheet("There is nobody in this list.")
    return Mapping(columns, [shown(title, at_most=100) for title in top.cells])


def given_back(titles: Sequence[str]) -> int:
    """How many columns a file of rejected rows that begins so has beside theirs."""
    last = [title.strip().lower() for title in titles[-2:]]
    return 2 if last == [*GIVEN_BACK] else int(last[-1:] == [REASON])


def guessed_boldly(first: Sequence[Record]) -> Mapping:
    """The same for somebody who will look at it: a first line without an address above lines that have one has titles.

    What its titles do not tell is told by the looks of the cells below.
    """
    mapping = guessed(first)
    if mapping.has_titles or len(first) < 2 or not _seem_titles(first[0].cells, first[1].cells):
        return mapping
    return with_titles(first)


def _seem_titles(top: Sequence[str], below: Sequence[str]) -> bool:
    words = all(cell.strip() and not re.search(r"[\d@]", cell) for cell in top)
    return words and len(top) > 1 and len(top) <= MOST_COLUMNS and any("@" in cell for cell in below)


def with_titles(first: Sequence[Record]) -> Mapping:
    """The first line as titles, whatever it looks like."""
    titles = [shown(title, at_most=100) for title in first[0].cells[:MOST_COLUMNS]]
    columns = by_title(titles)
    for kind, pattern in {"email": re.compile(r"\S+@\S+"), "phone": PHONE}.items():
        found = [n for n in range(len(columns)) if _looks_like(pattern, n, first[1:])]
        if found and kind not in columns:
            columns[found[0]] = kind
    return Mapping(columns, titles)


def _looks_like(pattern: re.Pattern, n: int, records: Sequence[Record]) -> bool:
    read = [record.cells for record in records if n < len(record.cells) and not record.fault]
    filled = [cells[n].strip() for cells in read if cells[n].strip()]
    return bool(filled) and all(pattern.fullmatch(cell) for cell in filled)


def by_title(titles: Sequence[str]) -> list[str]:
    """The column each title names; the second of a kind and what can be no name are not read."""
    columns: list[str] = []
    for title in titles:
        word = re.sub(r"[\s.-]+", "_", title.strip().lower()).strip("_")
        column = (
            ""
            if title.strip().lower() in GIVEN_BACK
            else COLUMNS.get(word) or (word if is_attribute_name(word) else NOT_READ)
        )
        columns.append(NOT_READ if column in columns else column)
    return columns


def name_for(title: str) -> str:
    """A name for an attribute that is close to the title of its column, "" when nothing is left of it."""
    letters = unicodedata.normalize("NFKD", title.strip().lower().replace("ß", "ss")).encode("ascii", "ignore").decode()
    name = re.sub("[^a-z]+", "_", letters).strip("_")[:40]
    return name if is_attribute_name(name) and name not in COLUMNS else ""
