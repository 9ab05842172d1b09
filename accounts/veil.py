"""Keeps out of the logs what they would outlive: secrets, and whom a line is about."""

import re

# In whatever PostgreSQL or a provider says, a traceback among it: logs are kept when somebody was erased.
PART = r"[^\s\"<>(),;:\[\]]+"
ADDRESS = re.compile(
    # An email address, but not what is left of the user in a URL; a telephone number with its country.
    rf"(?<!\*)(?!\*\*\*@){PART}@{PART}\.{PART}|(?<![\w+])\+[1-9](?:[ ().-]?\d){{6,14}}(?!\d)"
)
NUMBER = re.compile(r"(?<![\w.-])\d{10,15}(?!\w|[.-]\w)")  # as providers of text messages write one
LINK = re.compile(r"(/join/|/password/new/[^/\s]+/|(?<!\w)/[uo]/|/[uo]/(?=[\w-]{12}))[^/\s]+")
IN_URL = re.compile(r"(\w://)[^/\s]*@")
SECRET = re.compile(
    r"(?i)(\b(?:bearer|basic)\s+|\b(?:password|passwd|secret|api[_-]?key|access[_-]?token)[\"']?\s*[=:]\s*[\"']?)[^\s\"'&]+"
)
KEY = re.compile(r"\bcd_[\w-]{20,}")
# PostgreSQL quotes the row, the line of a statement, or the value that it refused; the constraint it names is enough.
ROW = re.compile(r"(?ms)^((?:DETAIL|CONTEXT|QUERY|STATEMENT|LINE \d+):).*?(?=^[A-Z]+:|^$|\Z)")
VALUE = re.compile(r"((?:invalid input \w+|out of range)[^:\n]*: \").*(?=\")")


def without_addresses(text: str) -> str:
    """The text with *** for every email address and telephone number."""
    return ADDRESS.sub("***", text)


def veiled(text: str) -> str:
    """A line as it may be kept: *** for addresses, passwords, keys, tokens in links and values the database refused."""
    text = ROW.sub(r"\1 ***\n", text)
    text = VALUE.sub(r"\1***", text)
    text = IN_URL.sub(r"\1***:***@", text)
    text = SECRET.sub(r"\1***", text)
    text = KEY.sub("***", text)
    text = LINK.sub(r"\1***", text)
    return NUMBER.sub("***", without_addresses(text))
