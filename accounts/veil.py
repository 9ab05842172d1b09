"""Keeps out of the logs what they would outlive: secrets, and whom a line is about.

Strangers choose what is read here, a path of 16,000 signs for one: no expression may take more than linear time.
"""

import re

# In whatever PostgreSQL or a provider says, a traceback among it: logs are kept when somebody was erased.
SIGN = r"[^\s\"<>(),;:\[\]@]"
RUN = r"[^\s\"<>(),;:\[\]]"  # signs and @
# Only where a run begins, or each of its signs would be a beginning; and not what is left of the user in a URL.
EMAIL = re.compile(rf"(?:\"[^\"\n]{{1,64}}\"|(?<!{RUN})(\*\*\*@)?+{RUN}*{SIGN})@{SIGN}+\.{SIGN}{RUN}*")
GAP = r"[ \u00a0()-]{0,2}"
# A telephone number with its country, which may be written in any way, and what may be one: 0712 345 678.
PHONE = re.compile(rf"(?<![\w+])\+[1-9](?:[.]?{GAP}\d){{6,14}}(?!\d)")
NUMBER = re.compile(rf"(?<![\w.-])(?!\d{{4}}-\d\d-\d\d\b)\d(?:{GAP}\d){{8,14}}(?!\w|[.-]\w)")
LINK = re.compile(r"(/join/|/password/new/[^/\s]+/|(?<!\w)/[uo]/|/[uo]/(?=[\w-]{12}))[^/\s]+")
IN_URL = re.compile(r"(\w://)[^/\s]*@")
SECRET = re.compile(
    r"(?i)(\b(?:bearer|basic)\s+|(?:passw(?:or)?d|secret(?:_key)?|api[_-]?key|token)[\"']?\s*[=:]\s*[\"']?)[^\s\"'&]+"
)
KEY = re.compile(r"\bcd_[\w-]{20,}")
# PostgreSQL quotes the row, the line of a statement, or the value that it refused; the constraint it names is enough.
ROW = re.compile(r"(?ms)^((?:DETAIL|CONTEXT|QUERY|STATEMENT|LINE \d+):).*?(?=^[A-Z]+:|^$|\Z)")
VALUE = re.compile(r"((?:invalid input|out of range)[^:\n]{0,200}: \").*(?=\")")


def without_addresses(text: str) -> str:
    """The text with *** for every email address, and every telephone number that names its country."""
    return PHONE.sub("***", EMAIL.sub(r"\1***", text))


def veiled(text: str) -> str:
    """A line as it may be kept: *** for addresses, passwords, keys, tokens in links and values the database refused."""
    text = ROW.sub(r"\1 ***\n", text)
    text = VALUE.sub(r"\1***", text)
    text = IN_URL.sub(r"\1***:***@", text)
    text = SECRET.sub(r"\1***", text)
    text = KEY.sub("***", text)
    text = LINK.sub(r"\1***", text)
    return NUMBER.sub("***", without_addresses(text))
