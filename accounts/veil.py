"""Keeps secrets that stand in addresses out of the logs."""

import logging
import re

SECRET = re.compile(r"(/join/|/password/new/[^/\s]+/)[^/\s]+")


class WithoutTokens(logging.Filter):
    """Takes the tokens of invitations and of links for a new password out of every line."""

    def filter(self, record: logging.LogRecord) -> bool:
        line = record.getMessage()
        if SECRET.search(line):
            record.msg, record.args = SECRET.sub(r"\1***", line), ()
        return True
