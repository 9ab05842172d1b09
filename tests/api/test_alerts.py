"""The rules we hand out can be read by Prometheus, and ask for nothing that we do not tell."""

import re
from collections import defaultdict
from pathlib import Path

import promql_parser
import pytest
import yaml
from prometheus_client import CollectorRegistry

from dispatcher.figures import Figures, Queue
from dispatcher.metrics import House

ROOT = Path(__file__).resolve().parents[2]
GROUPS = yaml.safe_load((ROOT / "docs" / "alerts.yml").read_text())["groups"]
RULES = [rule for group in GROUPS for rule in group["rules"]]
OF_LANE = ("outcomes", "failures", "tries", "lapses", "answers", "answer_seconds")
TOTALS = [(name, 1, "smtp", "sent", 1.0) for name in OF_LANE]


@pytest.fixture(scope="module")
def told() -> dict[str, set[str]]:
    """Everything a house can tell: the names, each with its labels."""
    known = Figures(
        Queue(1.0), messages=[(1, *range(6))], campaigns=[], paces=[(1, 1, "smtp", 5.0, 0.0)], totals=TOTALS
    )
    registry = CollectorRegistry()
    registry.register(House(known, {"dispatch": 2}, is_up=True))
    samples = [sample for family in registry.collect() for sample in family.samples]
    names: dict[str, set[str]] = defaultdict(set)
    for sample in samples:
        names[sample.name] |= sample.labels.keys()
    return dict(names)


def selectors_of(expression: str) -> list[promql_parser.VectorSelector]:
    found: list[promql_parser.VectorSelector] = []

    def visit(node: promql_parser.Expr) -> None:
        if isinstance(node, promql_parser.VectorSelector):
            found.append(node)

    promql_parser.walk(promql_parser.parse(expression), visit)
    return found


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule["alert"])
def test_a_rule_asks_for_what_is_told(rule, told):
    for selector in selectors_of(rule["expr"]):
        asked = {matcher.name for matcher in selector.matchers.matchers}
        assert asked <= told[selector.name], selector.name


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule["alert"])
def test_a_rule_says_what_is_wrong_and_what_to_do(rule):
    assert rule.keys() - {"for"} == {"alert", "expr", "labels", "annotations"}
    assert rule["labels"]["severity"] in ("page", "ticket")
    assert rule["annotations"].keys() == {"summary", "todo"}
    if "for" in rule:
        promql_parser.parse_duration(rule["for"])


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule["alert"])
def test_a_rule_says_the_same_however_many_web_processes_are_scraped(rule):
    for sum_of in re.findall(r"\b(?:sum|avg|count)\b[^(]*(?:\([a-z, ]*\) *)?\((.*)", rule["expr"]):
        assert sum_of.startswith("max by"), "each process tells all of it: take the largest, then sum up"


def test_each_rule_has_a_name_of_its_own():
    names = [rule["alert"] for rule in RULES]
    assert len(names) == len(set(names)) > 10
