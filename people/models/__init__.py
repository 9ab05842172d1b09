"""To whom: people and their groups, what they wish, and the lists they came from."""

from people.models.consent import ConsentEvent, LeftGroup, Suppression
from people.models.imports import Import, ImportRow
from people.models.person import STANDARD_FIELDS, AttributeName, Group, Recipient, placeholders_of

__all__ = [
    "STANDARD_FIELDS",
    "AttributeName",
    "ConsentEvent",
    "Group",
    "Import",
    "ImportRow",
    "LeftGroup",
    "Recipient",
    "Suppression",
    "placeholders_of",
]
