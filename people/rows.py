"""Whom each row of a list is about: by its columns, or by the looks of its cells when they have no names."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from people.addresses import PHONE, InvalidAddress, quick_email, quick_phone
from people.answers import answered
from people.channels import REFUSALS, Channel
from people.columns import LOOKS, NOT_READ, Mapping
from people.models import Problem
from people.plain import EDGES, NotPlain, plain, shown
from people.recipients import LINES, names_in
from people.sheet import Record

WITH_NAME = re.compile(r'"?([^<>"]*)"?\s*<([^<>\s]+)>')  # Ann Lee <ann@example.com>, as mail programs copy it
NOBODY = "There is no email address and no phone number in this row."

Cells = dict[str, str]


@dataclass(slots=True)
class Entry:
    """One person as a row gives them, checked; a field the row says nothing about is empty.

    `left_out` says which address could not be used where the other one can; `fault` why nobody can be made of the row.
    """

    number: int
    line: int
    cells: list[str]
    address: str = ""
    email: str = ""
    phone: str = ""
    fields: Cells = field(default_factory=dict)
    attributes: Cells = field(default_factory=dict)
    opted_out: bool = False
    refused_channels: list[Channel] = field(default_factory=list)
    left_out: str = ""
    fault: str = ""
    problem: Problem = Problem.NONE
    found: str = ""


class Wrong(NotPlain):
    """Of one row: what kind of problem it is, and the cell in which it was found."""

    def __init__(self, problem: Problem, found: str, sentence: str) -> None:
        super().__init__(sentence)
        self.problem, self.found = problem, found


def rows(records: Iterable[Record], mapping: Mapping, region: str | None = None, *, after: int = 0) -> Iterator[Entry]:
    """Every row of the list after this one, numbered from 1 and checked; national numbers are those of the region."""
    found = iter(records)
    if mapping.has_titles:
        next(found, None)
    number = 0
    for record in found:
        people = list(_people(record, mapping))
        for cells, fault in people:
            number += 1
            if number > after:
                given = record.cells if len(people) == 1 else list(cells.values())
                yield _checked(Entry(number, record.line, given), cells, record.fault or fault, region)


def _people(record: Record, mapping: Mapping) -> Iterable[tuple[Cells, str]]:
    if record.fault:
        return [({}, "")]
    if not mapping.columns:
        return _guessed(record.cells)
    cells = {
        column: cell
        for column, cell in zip(mapping.columns, record.cells, strict=False)  # a short row leaves the last ones empty
        if column != NOT_READ and column != LOOKS
    }
    more = record.cells[len(mapping.columns) :]
    if LOOKS in mapping.columns:
        looks = [cell for column, cell in zip(mapping.columns, record.cells, strict=False) if column == LOOKS]
        return [({**guess, **cells}, fault) for guess, fault in _guessed([*looks, *more])]
    if any(cell.strip() for cell in more):
        expected = "the first line" if mapping.has_titles else "the list"
        return [(cells, f"This row has {len(record.cells)} cells, {expected} {len(mapping.columns)}.")]
    return [(cells, "")]


def _guessed(texts: list[str]) -> Iterator[tuple[Cells, str]]:
    emails: list[str] = []
    phones: list[str] = []
    names: list[str] = []
    for cell in filter(None, map(str.strip, texts)):
        kind = emails if "@" in cell else phones if PHONE.fullmatch(cell) else names
        kind.append(cell)
    if not names and len(emails) + len(phones) > 1 and not (emails and phones):
        # Nothing but addresses of one kind: a list written on one line, a person each.
        yield from ((_email(cell), "") for cell in emails)
        yield from (({"phone": cell}, "") for cell in phones)
    else:
        yield _one(emails, phones, names)


def _one(emails: list[str], phones: list[str], names: list[str]) -> tuple[Cells, str]:
    cells = _email(emails[0]) if emails else {}
    cells |= {"phone": phones[0]} if phones else {}
    cells |= dict(zip(["name"] if len(names) == 1 else ["first_name", "last_name"], names, strict=False))
    if len(emails) > 1 or len(phones) > 1:
        return cells, "There is more than one email address or phone number in this row."
    if len(names) > 2:
        return cells, f"“{shown(names[2], at_most=40)}” could be anything; say what each column is."
    return cells, ""


def _email(cell: str) -> Cells:
    found = WITH_NAME.fullmatch(cell) if len(cell) <= 400 else None
    return {"email": found[2], "name": found[1].strip()} if found else {"email": cell}


def _checked(entry: Entry, cells: Cells, fault: str, region: str | None) -> Entry:
    try:
        if fault:
            raise Wrong(Problem.UNREADABLE, "", fault)
        _fill(entry, cells, region)
    except Wrong as wrong:
        entry.fault, entry.problem, entry.found = str(wrong), wrong.problem, wrong.found
    if entry.fault:
        entry.address = _called(cells)
    else:
        entry.address = entry.email or entry.phone
    return entry


def _called(cells: Cells) -> str:
    """What to call a row in a report from which no address could be read."""
    filled = [cells.get("email", ""), cells.get("phone", ""), *cells.values(), ""]
    return shown(next(filter(None, filled), ""), at_most=100)


def _fill(entry: Entry, cells: Cells, region: str | None) -> None:
    """Raises Wrong with the sentence for the verdict."""
    _fill_addresses(entry, cells, region)
    for name, what in LINES.items():
        if text := cells.get(name):
            entry.fields[name] = _line(text, what, at_most=100)
    if (whole := cells.get("name")) and not entry.fields.get("first_name") and not entry.fields.get("last_name"):
        for name, part in names_in(whole).items():
            entry.fields[name] = _line(part, LINES[name], at_most=100)
    for name, text in cells.items():
        if text and name not in FIELDS and (value := _line(text, name, at_most=200)):
            entry.attributes[name] = value
    if word := cells.get("opted_out"):
        entry.opted_out = _yes(word)
    refused = [channel for name, channel in REFUSALS.items() if name in cells and cells[name] and _yes(cells[name])]
    entry.refused_channels = [] if entry.opted_out else refused


FIELDS = {"email", "phone", "name", "opted_out", *REFUSALS, *LINES}


def _fill_addresses(entry: Entry, cells: Cells, region: str | None) -> None:
    faults: dict[str, str] = {}
    if text := cells.get("email", "").strip(EDGES):
        try:
            entry.email = quick_email(text)
        except InvalidAddress as wrong:
            faults["email"] = str(wrong)
            entry.problem, entry.found = Problem.EMAIL, shown(text, at_most=60)
    if text := cells.get("phone", "").strip(EDGES):
        try:
            entry.phone = quick_phone(text, region)
        except InvalidAddress as wrong:
            in_full = bool(region) or text.startswith(("+", "00"))
            entry.problem = entry.problem or (Problem.PHONE if in_full else Problem.NO_COUNTRY)
            faults["phone"], entry.found = str(wrong), entry.found or shown(text, at_most=60)
    if not entry.email and not entry.phone:
        raise Wrong(entry.problem or Problem.NOBODY, entry.found, " ".join(faults.values()) or NOBODY)
    entry.left_out = "".join(f"{name} left out: {fault}" for name, fault in faults.items())


def _line(text: str, what: str, *, at_most: int) -> str:
    try:
        return plain(text, what, at_most=at_most)
    except NotPlain as fault:
        raise Wrong(Problem.TEXT, shown(text, at_most=60), str(fault)) from None


def _yes(cell: str) -> bool:
    answer = answered(cell)
    if answer is None:
        sentence = f"“{shown(cell, at_most=20)}” does not say whether the person opted out; write yes or no."
        raise Wrong(Problem.WORD, shown(cell, at_most=60), sentence)
    return answer
