"""What a rule of a segment is compared with: read as it was typed, kept as JSON, and told in words."""

import math
from collections.abc import Callable
from datetime import date
from typing import NamedTuple

from people.plain import NotPlain, plain
from people.search import number_in

LONGEST = 200
MOST_DAYS = 3650
MOST = 10**15

Value = str | int | float | None


class Kind(NamedTuple):
    """One kind of value: how it is typed, read, and told."""

    input: str
    read: Callable[[str], Value]
    words: Callable[[Value], str]


def _text(typed: str) -> str:
    return plain(typed, "The text", at_most=LONGEST) or _missing("Type what to compare with.")


def _number(typed: str) -> float:
    try:
        number = float(typed.strip().replace(",", ""))
    except ValueError:
        number = math.nan
    if not abs(number) < MOST:
        _missing(f"“{typed.strip()[:40]}” is not a number." if typed.strip() else "Type a number.")
    return int(number) if number == int(number) else number


def _day(typed: str) -> str:
    try:
        return date.fromisoformat(typed.strip()).isoformat()
    except ValueError:
        return _missing("Choose a day, as 2026-12-04.")


def _days(typed: str) -> int:
    days = number_in(typed.strip())
    return days if days and days <= MOST_DAYS else _missing(f"Type a number of days, 1 to {MOST_DAYS:,}.")


def _row(typed: str) -> int:
    return number_in(typed) or _missing("Choose one of the list.")


def _word(typed: str) -> str:
    return typed[:40] or _missing("Choose one of the list.")


def _missing(sentence: str):
    raise NotPlain(sentence)


def _quoted(value: Value) -> str:
    return f"“{value}”"


def _long_day(value: Value) -> str:
    day = date.fromisoformat(str(value))
    return f"{day.day} {day:%B %Y}"


def _count_of_days(value: Value) -> str:
    return "day" if value == 1 else f"{value:,} days"


def _nothing(value: Value) -> str:
    return ""


TEXT = Kind("text", _text, _quoted)
NUMBER = Kind("number", _number, lambda value: f"{value:,}")
DAY = Kind("date", _day, _long_day)
DAYS = Kind("days", _days, _count_of_days)
ROW = Kind("choice", _row, _nothing)  # its name is looked up
WORD = Kind("choice", _word, _nothing)
NOTHING = Kind("", lambda typed: None, _nothing)
