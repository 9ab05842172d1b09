"""The rules of a segment: all or any of a few blocks, each all or any of a few comparisons."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import reduce
from operator import and_, or_
from typing import Any

from django.db.models import Q

from people.plain import NotPlain
from people.segment_fields import Asking, Field
from people.segment_values import Value

MOST_BLOCKS = 10
MOST_RULES = 30
ALL, ANY = "all", "any"

Fields = Mapping[str, Field]


@dataclass(frozen=True)
class Rule:
    """One comparison: a field by its key, a comparison by its word, and what it is compared with."""

    field: str
    comparison: str
    value: Value = None

    def fault(self, asking: Asking, fields: Fields) -> str:
        """Why it cannot be asked, in a sentence; empty if it can."""
        known = fields.get(self.field)
        if known is None:
            name = self.field.removeprefix("attribute:")
            return f"It asks for “{name[:60]}”, which nobody here has any more."
        comparison = known.comparisons.get(self.comparison)
        if comparison is None:
            return f"{known.label} cannot be compared like that."
        try:
            comparison.kind.read("" if self.value is None else str(self.value))
        except NotPlain as refusal:
            return f"{known.label}: {refusal}"
        return known.fault(asking, comparison, self.value)

    def told(self, asking: Asking, fields: Fields) -> str:
        known = fields.get(self.field)
        if known is None or self.comparison not in known.comparisons:
            return f"who are asked for “{self.field.removeprefix('attribute:')[:60]}”, which nobody has any more"
        return known.told(asking, known.comparisons[self.comparison], self.value)


@dataclass(frozen=True)
class Block:
    """Comparisons of which all or any must hold."""

    match: str = ALL
    rules: tuple[Rule, ...] = ()


@dataclass(frozen=True)
class Rules:
    """Blocks of which all or any must hold."""

    match: str = ALL
    blocks: tuple[Block, ...] = field(default_factory=tuple)

    def faults(self, asking: Asking, fields: Fields) -> list[str]:
        """What is wrong with them now, each thing in a sentence."""
        every = [rule for block in self.blocks for rule in block.rules]
        if not every or not all(block.rules for block in self.blocks):
            return ["A segment needs at least one row, and so does each of its blocks."]
        if len(self.blocks) > MOST_BLOCKS or len(every) > MOST_RULES:
            return [f"A segment has at most {MOST_BLOCKS} blocks and {MOST_RULES} rows."]
        return list(dict.fromkeys(fault for rule in every if (fault := rule.fault(asking, fields))))

    def matching(self, asking: Asking, fields: Fields) -> Q:
        """Whom they describe. To be asked only of rules without faults."""
        return joined(
            self.match,
            (
                joined(block.match, (fields[r.field].matching(asking, r.comparison, r.value) for r in block.rules))
                for block in self.blocks
            ),
        )

    def sentence(self, asking: Asking, fields: Fields) -> str:
        """People whose location is “Nairobi” and (who are in “Members” or who got “Spring sale”)."""
        blocks = []
        for block in self.blocks:
            clauses = [rule.told(asking, fields) for rule in block.rules]
            words = (" and " if block.match == ALL else " or ").join(clauses)
            blocks.append(f"({words})" if len(clauses) > 1 and len(self.blocks) > 1 else words)
        return f"People {(' and ' if self.match == ALL else ' or ').join(blocks)}"

    def mapped(self, change: Callable[[Rule], Rule]) -> "Rules":
        """The same with each rule changed."""
        blocks = (replace(block, rules=tuple(map(change, block.rules))) for block in self.blocks)
        return replace(self, blocks=tuple(blocks))

    def without(self, *fields: str) -> "Rules":
        """The same, but for what these fields are compared with."""
        return self.mapped(lambda rule: replace(rule, value="***") if rule.field in fields and rule.value else rule)

    def as_json(self) -> dict[str, Any]:
        blocks = [
            {
                "match": block.match,
                "rules": [{"field": r.field, "comparison": r.comparison, "value": r.value} for r in block.rules],
            }
            for block in self.blocks
        ]
        return {"match": self.match, "blocks": blocks}


def joined(match: str, parts: Iterable[Q]) -> Q:
    return reduce(and_ if match == ALL else or_, parts)


def rules_in(kept: Any) -> Rules:
    """The rules as they were kept by `as_json`; what is not of that shape has no rows, and so a fault."""
    try:
        blocks = tuple(
            Block(
                _match(block["match"]),
                tuple(Rule(str(r["field"]), str(r["comparison"]), r["value"]) for r in block["rules"]),
            )
            for block in kept["blocks"]
        )
        return Rules(_match(kept["match"]), blocks)
    except (KeyError, TypeError):
        return Rules()


def _match(word: Any) -> str:
    return ANY if word == ANY else ALL
