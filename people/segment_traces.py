"""Segments that ask for somebody by an address: found, and mended when the person is erased."""

import re
from collections.abc import Set
from dataclasses import replace

from accounts import audit_log
from accounts.models import Actor, Workspace
from people.models import Segment
from people.patterns import pattern_of_all
from people.segment_rules import Rule, Rules, rules_in

GONE = "…"  # what no person has in any field


def naming(workspace: Workspace, addresses: Set[str]) -> list[Segment]:
    """Those whose name or rules hold one of these normal addresses."""
    return [each for each in workspace.segments.all() if is_called(each, addresses) or _asks(each, addresses)]


def is_called(segment: Segment, addresses: Set[str]) -> bool:
    """Whether its very name holds one, which nothing mends."""
    return bool(_written(addresses).search(segment.name))


def _asks(segment: Segment, addresses: Set[str]) -> bool:
    rules = rules_in(segment.rules)
    return _without(rules, _written(addresses)) != rules


def forget(workspace: Workspace, addresses: Set[str], *, by: Actor | None) -> None:
    """Take them out of what rules compare with; such a rule then finds nobody, as they are gone."""
    written = _written(addresses)
    for segment in workspace.segments.select_for_update(no_key=True).order_by("pk"):
        rules = rules_in(segment.rules)
        if (mended := _without(rules, written)) != rules:
            segment.rules = mended.as_json()
            segment.save(update_fields=["rules", "updated_at"])
            audit_log.record(workspace, "update", segment, by=by, after={"people": "without somebody who was erased"})


def _written(addresses: Set[str]) -> re.Pattern[str]:
    return re.compile(pattern_of_all(addresses), re.IGNORECASE)


def _without(rules: Rules, written: re.Pattern[str]) -> Rules:
    return rules.mapped(lambda rule: _rule_without(rule, written))


def _rule_without(rule: Rule, written: re.Pattern[str]) -> Rule:
    return replace(rule, value=written.sub(GONE, rule.value)) if isinstance(rule.value, str) else rule
