"""How tests describe people: rules in short, and a segment of them."""

from accounts.models import Workspace
from people.models import Recipient, Segment
from people.segment_rules import Block, Rule, Rules
from people.segments import NOBODY, add_segment, described_by


def rules_of(*rules: tuple, match: str = "all") -> Rules:
    """One block of (field, comparison, value)."""
    return Rules("all", (Block(match, tuple(Rule(*rule) for rule in rules)),))


def make_segment(workspace: Workspace, *rules: tuple, name: str = "Segment", match: str = "all") -> Segment:
    return add_segment(workspace, by=None, name=name, rules=rules_of(*rules, match=match))


def fitting(segment: Segment) -> set[Recipient]:
    found = described_by([segment], segment.workspace, None, if_broken=NOBODY)
    return set(segment.workspace.recipients.filter(found))
