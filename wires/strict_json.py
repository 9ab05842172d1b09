"""JSON that can be read in one way only and kept by PostgreSQL; whatever else json.loads would take is refused."""

import json
import math
import re
from typing import NoReturn

DEEPEST = 50
LONGEST_NUMBER = 40  # digits; int() alone refuses only beyond 4,300, with an exception of its own
UNPRINTABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")


class NotJson(ValueError):
    """The text is no JSON this house takes; the message says why, for people."""


def parse(source: bytes) -> dict[str, object]:
    """The object that stands in `source` (RFC 8259). Raises NotJson."""
    found = parse_any(source)
    if not isinstance(found, dict):
        raise NotJson("The body is not a JSON object.")
    return found


def parse_any(source: bytes) -> object:
    """Whatever stands in `source`, an object or not. Raises NotJson."""
    try:
        found = json.loads(
            source.decode("utf-8-sig"),
            object_pairs_hook=_object,
            parse_int=_integer,
            parse_float=_fraction,
            parse_constant=_constant,
        )
    except UnicodeDecodeError:
        raise NotJson("The body is not UTF-8.") from None
    except json.JSONDecodeError as error:
        where = f"line {error.lineno} column {error.colno}"
        raise NotJson(f"The body is not JSON: {error.msg} at {where}.") from None
    except RecursionError:
        raise NotJson(f"The body is nested more than {DEEPEST} deep.") from None
    _refuse_unkeepable(found, DEEPEST)
    return found


def _object(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise NotJson(f"The body has {ascii(twice[:60])} twice in one object.")
    return found


def _integer(digits: str) -> int:
    if len(digits) > LONGEST_NUMBER:
        raise NotJson(f"The body has a number of {len(digits):,} digits; {LONGEST_NUMBER} is the most.")
    return int(digits)


def _fraction(digits: str) -> float:
    number = float(digits)
    if not math.isfinite(number):
        raise NotJson(f"The body has a number too large to be kept: {digits[:40]}.")
    return number


def _constant(name: str) -> NoReturn:
    raise NotJson(f"The body has {name}, which is not JSON.")


def _refuse_unkeepable(value: object, levels: int) -> None:
    if isinstance(value, str):
        if found := UNPRINTABLE.search(value):
            raise NotJson(f"The body has the character U+{ord(found[0]):04X}, which cannot be kept.")
    elif isinstance(value, dict | list):
        if not levels:
            raise NotJson(f"The body is nested more than {DEEPEST} deep.")
        for inner in value:
            _refuse_unkeepable(inner, levels - 1)
        for inner in value.values() if isinstance(value, dict) else ():
            _refuse_unkeepable(inner, levels - 1)
