"""To whom: people and their groups, what they wish, and the lists they came from."""

from people.models.consent import ConsentEvent, ConsentSettings, LeftGroup, Reply, Suppression, SuppressionKey
from people.models.imports import Import, ImportRow
from people.models.person import STANDARD_FIELDS, UNSUBSCRIBE_LINK, AttributeName, Group, Recipient, placeholders_of
from people.models.segments import Segment

__all__ = [
    "STANDARD_FIELDS",
    "UNSUBSCRIBE_LINK",
    "AttributeName",
    "ConsentEvent",
    "ConsentSettings",
    "Group",
    "Import",
    "ImportRow",
    "LeftGroup",
    "Recipient",
    "Reply",
    "Segment",
    "Suppression",
    "SuppressionKey",
    "placeholders_of",
]
