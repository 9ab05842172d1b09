"""Cells a spreadsheet would take for a formula: marked as text on the way out, as they were on the way in.

A cell that begins with = + - @ (of any width, after blanks too), a tab or a line end gets an apostrophe in front,
telephone numbers too (CWE-1236). A cell that begins with apostrophes before such a thing gets one more, so that every
list comes back exactly as it went out.
"""

import re

BEGINS = "'*(?:[\t\r\n]|\\s*[=+\\-@\uff1d\uff0b\uff0d\uff20])"
FORMULA = re.compile(BEGINS)
MARKED = re.compile(f"'(?={BEGINS})")


def escape(cell: str) -> str:
    """The cell as a list for spreadsheets holds it."""
    return f"'{cell}" if FORMULA.match(cell) else cell


def unescape(cell: str) -> str:
    """The cell as it was before `escape`; one that begins with an apostrophe of its own keeps it."""
    return cell[1:] if MARKED.match(cell) else cell
