"""Keeps out of the logs what they would outlive: secrets that stand in links, and whom a line is about."""

import logging
import re

# In whatever PostgreSQL or a provider says, a traceback among it: logs are kept when somebody was erased.
PART = r"[^\s\"<>(),;:=\[\]{}]+"
ADDRESS = re.compile(rf"{PART}@{PART}\.{PART}|(?<![\w+])\+[1-9]\d{{6,14}}(?!\d)")
SECRET = re.compile(r"(/join/|/password/new/[^/\s]+/|(?<!\w)/[uo]/)[^/\s]+")


class WithoutTokens(logging.Filter):
    """Takes the tokens of invitations, new passwords and links to unsubscribe out of every line."""

    def filter(self, record: logging.LogRecord) -> bool:
        line = record.getMessage()
        if SECRET.search(line):
            record.msg, record.args = SECRET.sub(r"\1***", line), ()
        return True


def without_addresses(text: str) -> str:
    """The text with *** for every email address and telephone number."""
    return ADDRESS.sub("***", text)


class WithoutAddresses(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        return without_addresses(super().format(record))
