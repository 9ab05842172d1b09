"""The rows a segment is built with: what was typed, right or wrong, and the buttons that add and remove rows."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any

from people.plain import NotPlain
from people.segment_fields import Asking
from people.segment_rules import ALL, ANY, MOST_BLOCKS, MOST_RULES, Block, Fields, Rule, Rules
from people.segment_values import Kind

ROW = re.compile(r"b(\d{1,2})r(\d{1,2})-field")
PRESSED = re.compile(r"(add-row|remove-row|add-block|remove-block|draw)(?::(\d{1,2}))?(?::(\d{1,2}))?")
FIRST_FIELD = "location"


@dataclass
class Row:
    """One row as it was typed; `name` begins the names of its inputs."""

    field: str = FIRST_FIELD
    comparison: str = ""
    value: str = ""
    error: str = ""
    name: str = ""
    is_new: bool = False


@dataclass
class Part:
    """One block as it was typed."""

    match: str = ALL
    rows: list[Row] = field(default_factory=lambda: [Row()])
    name: str = ""


class Builder:
    """The rows of one form, and what its template draws."""

    def __init__(self, asking: Asking, fields: Fields, match: str, parts: list[Part]) -> None:
        self.asking, self.fields, self.match, self.parts = asking, fields, match, parts
        self._name()

    @classmethod
    def typed(cls, asking: Asking, fields: Fields, post: Mapping[str, str]) -> "Builder":
        """As a browser sent it."""
        found = sorted((int(m[1]), int(m[2])) for name in post if (m := ROW.fullmatch(name)))[: MOST_RULES + 1]
        parts = []
        for block, numbers in groupby(found, key=lambda place: place[0]):
            rows = [_row(post, f"b{block}r{number}") for _, number in numbers]
            parts.append(Part(_match(post.get(f"b{block}-match", "")), rows))
        return cls(asking, fields, _match(post.get("match", "")), parts or [Part()])

    @classmethod
    def of(cls, asking: Asking, fields: Fields, rules: Rules) -> "Builder":
        """As these rules would have been typed."""
        parts = [
            Part(
                block.match, [Row(r.field, r.comparison, "" if r.value is None else str(r.value)) for r in block.rules]
            )
            for block in rules.blocks
        ]
        return cls(asking, fields, rules.match, parts or [Part()])

    def press(self, button: str) -> None:
        """What an adding or removing button does; the last row stays."""
        pressed = PRESSED.fullmatch(button)
        if not pressed:
            return
        verb, block, number = pressed[1], int(pressed[2] or 0), int(pressed[3] or 0)
        if verb == "add-block" and len(self.parts) < MOST_BLOCKS:
            self.parts.append(Part(rows=[Row(is_new=True)]))
        elif block < len(self.parts):
            self._press_in(self.parts[block], verb, number)
        self._name()

    def _press_in(self, part: Part, verb: str, number: int) -> None:
        if verb == "add-row" and self.rows < MOST_RULES:
            part.rows.append(Row(is_new=True))
        elif verb == "remove-row" and number < len(part.rows) and self.rows > 1:
            del part.rows[number]
            self.parts = [each for each in self.parts if each.rows]
        elif verb == "remove-block" and len(self.parts) > 1:
            self.parts.remove(part)

    def _name(self) -> None:
        for block, part in enumerate(self.parts):
            part.name = f"b{block}"
            for number, row in enumerate(part.rows):
                row.name = f"b{block}r{number}"

    def rules(self) -> Rules | None:
        """The rules as typed; None when a row is wrong, which says so then in its `error`."""
        blocks = tuple(Block(part.match, tuple(map(self._rule, part.rows))) for part in self.parts)
        return None if self.errors else Rules(self.match, blocks)

    def _rule(self, row: Row) -> Rule:
        known = self.fields.get(row.field)
        comparison = known.comparisons.get(row.comparison) if known else None
        if not known or not comparison:
            row.error = "Choose what to ask, and how to compare it."
            return Rule(row.field, row.comparison)
        try:
            rule = Rule(row.field, row.comparison, comparison.kind.read(row.value))
            row.error = rule.fault(self.asking, self.fields)
        except NotPlain as refusal:
            row.error = str(refusal)
            rule = Rule(row.field, row.comparison)
        return rule

    @property
    def errors(self) -> list[str]:
        return [row.error for part in self.parts for row in part.rows if row.error]

    # --- what the template draws ---

    @property
    def rows(self) -> int:
        return sum(len(part.rows) for part in self.parts)

    @property
    def has_room(self) -> bool:
        return self.rows < MOST_RULES

    @property
    def drawn(self) -> list[tuple[Part, list["Drawn"]]]:
        return [(part, [self._drawn(row) for row in part.rows]) for part in self.parts]

    def _drawn(self, row: Row) -> "Drawn":
        known = self.fields.get(row.field)
        comparisons = known.comparisons if known else {}
        if known and row.comparison not in comparisons:
            row.comparison = next(iter(comparisons))
        kind = comparisons[row.comparison].kind if known else None
        number = int(row.value) if row.value.isdecimal() else row.value
        choices = known.choices(self.asking, number) if known and kind and kind.input == "choice" else []
        shelves = [(shelf, list(fields)) for shelf, fields in self._shelves()]
        return Drawn(row, shelves, list(comparisons.values()), kind, [(str(pk), name) for pk, name in choices])

    def _shelves(self) -> Iterator[tuple[str, Iterator[Any]]]:
        shelves = list(dict.fromkeys(each.shelf for each in self.fields.values()))
        ordered = sorted(self.fields.values(), key=lambda each: shelves.index(each.shelf))
        return groupby(ordered, key=lambda each: each.shelf)


@dataclass
class Drawn:
    """One row with all that can be chosen in it."""

    row: Row
    shelves: list[tuple[str, list[Any]]]
    comparisons: list[Any]
    kind: Kind | None
    choices: list[tuple[str, str]]

    @property
    def is_known(self) -> bool:
        return self.kind is not None


def _row(post: Mapping[str, str], name: str) -> Row:
    typed = {part: post.get(f"{name}-{part}", "") for part in ("field", "comparison", "value")}
    return Row(**typed)  # type: ignore[arg-type]


def _match(word: str) -> str:
    return ANY if word == ANY else ALL
