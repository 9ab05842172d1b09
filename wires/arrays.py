"""Lists as PostgreSQL writes its arrays: given to a placeholder with a cast, `%s::bigint[]`.

The driver would quote them value by value, which took longer than all else that settling does in Python.
"""

from collections.abc import Iterable


def plain(values: Iterable[object]) -> str:
    """Of what needs no quotes: integers, UUIDs, truth values, moments."""
    return "{" + ",".join(map(str, values)) + "}"


def nullable(values: Iterable[object]) -> str:
    """The same with None for NULL."""
    return plain("NULL" if value is None else value for value in values)


def texts(values: Iterable[str]) -> str:
    """Of at least one text; none may contain NUL, which PostgreSQL does not store anyway."""
    joined = "\0".join(values).replace("\\", "\\\\").replace('"', '\\"')
    return '{"' + joined.replace("\0", '","') + '"}'
