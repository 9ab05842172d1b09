"""Whom each row of a list is about: by its columns, or by the looks of its cells when they have no names."""

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field

from people.addresses import PHONE, InvalidAddress
from people.columns import Header, header_of
from people.plain import NotPlain, shown
from people.recipients import LINES, checked_fields
from people.sheet import Record, records

YES = {"yes", "y", "true", "t", "1", "x"}
NO = {"", "no", "n", "false", "f", "0"}
WITH_NAME = re.compile(r'"?([^<>"]*)"?\s*<([^<>\s]+)>')  # Ann Lee <ann@example.com>, as mail programs copy it

Guess = tuple[dict[str, str], str]  # cells by column, and what is wrong with them


@dataclass(frozen=True, slots=True)
class Row:
    """One person's cells by column, not yet checked, or the fault that kept them from being read."""

    number: int
    line: int
    cells: dict[str, str] = field(default_factory=dict)
    fault: str = ""

    @property
    def address(self) -> str:
        """What to call this row in a report."""
        filled = [self.cells.get("email", ""), self.cells.get("phone", ""), *self.cells.values(), ""]
        return shown(next(filter(None, filled), ""), at_most=100)


@dataclass(frozen=True, slots=True)
class Entry:
    """One person as a row gives them, checked; a field the row says nothing about is empty.

    `left_out` says which address could not be used where the other one can.
    """

    email: str
    phone: str
    fields: dict[str, str]
    attributes: dict
    opted_out: bool
    left_out: str = ""


def rows(source: str, *, without: Collection[str] = ()) -> Iterator[Row]:
    """Every row of the list, numbered from 1; columns in `without` are not read. Raises UnreadableSheet."""
    header = header_of(source)
    found = records(source)
    if header:
        next(found)
    number = 0
    for record in found:
        for cells, fault in _named(record, header, without) if header else _guessed(record):
            number += 1
            yield Row(number, record.line, cells, record.fault or fault)


def _named(record: Record, header: Header, without: Collection[str]) -> Iterator[Guess]:
    columns = header.columns
    cells = {
        column: cell
        for column, cell in zip(columns, record.cells, strict=False)  # a short row leaves the last ones empty
        if column and column not in without
    }
    too_long = any(cell.strip() for cell in record.cells[len(columns) :])
    yield cells, f"This row has {len(record.cells)} cells, the first line {len(columns)}." if too_long else ""


def _guessed(record: Record) -> Iterator[Guess]:
    emails: list[str] = []
    phones: list[str] = []
    names: list[str] = []
    for cell in filter(None, map(str.strip, record.cells)):
        kind = emails if "@" in cell else phones if PHONE.fullmatch(cell) else names
        kind.append(cell)
    if not names and len(emails) + len(phones) > 1 and not (emails and phones):
        # Nothing but addresses of one kind: a list written on one line, a person each.
        yield from ((_email(cell), "") for cell in emails)
        yield from (({"phone": cell}, "") for cell in phones)
    else:
        yield _one(emails, phones, names)


def _one(emails: list[str], phones: list[str], names: list[str]) -> Guess:
    cells = _email(emails[0]) if emails else {}
    cells |= {"phone": phones[0]} if phones else {}
    cells |= dict(zip(["name"] if len(names) == 1 else ["first_name", "last_name"], names, strict=False))
    if len(emails) > 1 or len(phones) > 1:
        return cells, "There is more than one email address or phone number in this row."
    if len(names) > 2:
        return (
            cells,
            f"“{shown(names[2], at_most=40)}” could be anything; name the columns in the first line.",
        )
    return cells, ""


def _email(cell: str) -> dict[str, str]:
    found = WITH_NAME.fullmatch(cell) if len(cell) <= 400 else None
    return {"email": found[2], "name": found[1].strip()} if found else {"email": cell}


def entry_of(row: Row) -> Entry:
    """The row, checked. Raises NotPlain with the sentence for its verdict."""
    if row.fault:
        raise NotPlain(row.fault)
    cells = row.cells | _names(row.cells)
    cells.pop("name", None)
    opted_out = _yes(cells.pop("opted_out", ""))
    standard = {name: cells.pop(name, "") for name in ("email", "phone", *LINES)}
    addresses, left_out = _addresses(standard.pop("email"), standard.pop("phone"))
    checked = checked_fields({**standard, "attributes": cells})
    return Entry(
        **addresses, fields=checked, attributes=checked.pop("attributes"), opted_out=opted_out, left_out=left_out
    )


def _addresses(email: str, phone: str) -> tuple[dict[str, str], str]:
    """Both addresses, and what was wrong with one of them. Raises InvalidAddress when none can be used."""
    found, faults = {"email": "", "phone": ""}, {}
    for name, cell in {"email": email, "phone": phone}.items():
        try:
            found |= checked_fields({name: cell})
        except InvalidAddress as fault:
            faults[name] = str(fault)
    if not any(found.values()):
        raise InvalidAddress(" ".join(faults.values()) or "There is no email address and no phone number in this row.")
    return found, "".join(f"{name} left out: {fault}" for name, fault in faults.items())


def _names(cells: dict[str, str]) -> dict[str, str]:
    """First and last name, taken from the full name when the row has no others."""
    own = cells.get("first_name", "").strip() or cells.get("last_name", "").strip()
    first, _, last = cells.get("name", "").strip().partition(" ")
    return {} if own else {"first_name": first, "last_name": last}


def _yes(cell: str) -> bool:
    word = cell.strip().lower()
    if word not in YES | NO:
        raise NotPlain(f"“{shown(cell, at_most=20)}” does not say whether the person opted out; write yes or no.")
    return word in YES
