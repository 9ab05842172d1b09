"""How the log looks: lines for people, or one JSON object a line for programs. Neither says whom it is about."""

import json
import logging
import re
from datetime import UTC, datetime
from typing import Any

from accounts.veil import veiled

# What a line may say besides its words. Nothing else that hangs on a record is told: it may be a whole request.
FACTS = ("request_id", "job", "work", "workspace", "campaign", "batch", "series")
REQUEST = ("method", "route", "path", "status", "milliseconds", "key")
UNSEEN = re.compile(r"[\x00-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069]")


class Lines(logging.Formatter):
    """Time, level, module, the request or job it was written for, and the words, in one line.

    Below it, each line further in, stands the traceback: nobody but us begins a line, and nothing moves the cursor.
    """

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s [%(here)s]: %(message)s", defaults={"here": "-"})

    def format(self, record: logging.LogRecord) -> str:
        record.exc_text = None  # another handler may have left it there as it was
        return super().format(record)

    def formatMessage(self, record: logging.LogRecord) -> str:
        return visible(veiled(super().formatMessage(record)).strip("\n"))

    def formatException(self, ei: Any) -> str:
        return beneath(super().formatException(ei))

    def formatStack(self, stack_info: str) -> str:
        return beneath(super().formatStack(stack_info))


def visible(text: str) -> str:
    """The text with \\n, \\x1b and the like for what ends a line, moves the cursor or turns the direction."""
    return UNSEEN.sub(lambda sign: sign[0].encode("unicode_escape").decode(), text)


def beneath(text: str) -> str:
    return "\n".join(f"  {visible(line)}" for line in veiled(text).split("\n"))


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
