"""How programs read a change of status, of a campaign and of a WhatsApp template alike."""

from typing import Any

from campaigns.models import StatusChange, TemplateStatus


def change_row(change: StatusChange | TemplateStatus) -> dict[str, Any]:
    return {
        "from_status": change.get_from_status_display(),
        "to_status": change.get_to_status_display(),
        "by": change.actor,
        "reason": change.reason,
        "at": change.at,
    }
