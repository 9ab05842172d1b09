"""How the log looks: lines for people, or one JSON object a line for programs. Neither says whom it is about."""

import json
import logging
from datetime import UTC, datetime

from accounts.veil import veiled

# What a line may say besides its words. Nothing else that hangs on a record is told: it may be a whole request.
FACTS = ("request_id", "job", "work", "workspace", "campaign", "batch", "series")
REQUEST = ("method", "route", "path", "status", "milliseconds", "key")


class Lines(logging.Formatter):
    """Time, level, module, the request or job it was written for, and the words."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s [%(here)s]: %(message)s", defaults={"here": "-"})

    def format(self, record: logging.LogRecord) -> str:
        return veiled(super().format(record))


class Objects(logging.Formatter):
    """One JSON object a line; a fact that is not known is left out."""

    def format(self, record: logging.LogRecord) -> str:
        told: dict[str, object] = {
            "time": moment(record.created),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
        }
        told |= {name: value for name in (*FACTS, *REQUEST) if (value := getattr(record, name, None)) not in (None, "")}
        if record.exc_info:
            told["exception"] = self.formatException(record.exc_info)
        if record.stack_info:
            told["stack"] = self.formatStack(record.stack_info)
        shown = {name: value if isinstance(value, int) else veiled(str(value)) for name, value in told.items()}
        return json.dumps(shown)


def moment(seconds: float) -> str:
    """As RFC 3339 writes it, in UTC."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
