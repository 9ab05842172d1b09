"""An address as people write it, as a regular expression of PostgreSQL and of Python alike."""

import re
from collections.abc import Collection

import phonenumbers

from people.addresses import readable

BETWEEN = "[ ().\\-/\u00a0\u2010-\u2015\u202f]*"  # the digits of a number, as people write it


def pattern_of_all(addresses: Collection[str]) -> str:
    """Whether a text names one of these normal addresses."""
    return "|".join(pattern_of(address) for address in sorted(addresses))


def pattern_of(address: str) -> str:
    """This normal address, and no longer one."""
    return _email(address) if "@" in address else _phone(address)


def _email(address: str) -> str:
    written = "|".join(re.escape(each) for each in sorted({address, readable(address)}))
    return rf"(?<![\w.+-])(?:{written})(?![\w-])(?!\.\w)"


def _phone(address: str) -> str:
    """In full, or as in its own country: with a zero in front, or with none where a spreadsheet dropped it."""
    try:
        number = phonenumbers.parse(address)
    except phonenumbers.NumberParseException:  # of a country there is none of any more
        return rf"(?<!\d){re.escape(address)}(?!\d)"
    country, rest = str(number.country_code), phonenumbers.national_significant_number(number)
    return rf"(?<![\d+])(?:(?:\+|00)?{_spaced(country)}|0{BETWEEN})?{BETWEEN.join(rest)}(?!\d)"


def _spaced(digits: str) -> str:
    return f"{BETWEEN}{BETWEEN.join(digits)}{BETWEEN}"
