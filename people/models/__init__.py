"""To whom: people and their groups, what they wish, and the lists they came from."""

from people.models.consent import (
    ConsentEvent,
    ConsentSettings,
    LeftGroup,
    ListLook,
    Reply,
    Suppression,
    SuppressionKey,
)
from people.models.imports import AT_WORK, PARTLY, Import, ImportPart, ImportRow, Problem, StagedRow
from people.models.person import (
    MEMBERSHIP,
    STANDARD_FIELDS,
    UNSUBSCRIBE_LINK,
    AttributeName,
    Group,
    Recipient,
    placeholders_of,
)
from people.models.segments import Segment

__all__ = [
    "AT_WORK",
    "MEMBERSHIP",
    "PARTLY",
    "STANDARD_FIELDS",
    "UNSUBSCRIBE_LINK",
    "AttributeName",
    "ConsentEvent",
    "ConsentSettings",
    "Group",
    "Import",
    "ImportPart",
    "ImportRow",
    "LeftGroup",
    "ListLook",
    "Problem",
    "Recipient",
    "Reply",
    "Segment",
    "StagedRow",
    "Suppression",
    "SuppressionKey",
    "placeholders_of",
]
