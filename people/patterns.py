"""An address as people write it, as a regular expression of PostgreSQL and of Python alike."""

import re
from collections.abc import Collection

import phonenumbers

from people.addresses import readable

NO_DIGITS = bytes(set(range(256)) - set(b"0123456789"))
BETWEEN = "[ ().\\-/\u00a0\u2010-\u2015\u202f]*"  # the digits of a number, as people write it


def pattern_of_all(addresses: Collection[str]) -> str:
    """Whether a text names one of these normal addresses."""
    return "|".join(pattern_of(address) for address in sorted(addresses))


class Finder:
    """Looks for these addresses in long texts; what has neither their letters nor their digits is passed quickly."""

    def __init__(self, addresses: Collection[str]) -> None:
        self.written = re.compile(pattern_of_all(addresses), re.IGNORECASE)
        self.emails = {
            each for address in addresses if "@" in address for each in (address.lower(), readable(address).lower())
        }
        self.numbers = {_parted(address)[1].encode() for address in addresses if "@" not in address}

    def finds(self, text: str) -> bool:
        return self._may_find(text) and bool(self.written.search(text))

    def _may_find(self, text: str) -> bool:
        lowered, digits = text.lower(), text.encode("ascii", "ignore").translate(None, NO_DIGITS)
        return any(email in lowered for email in self.emails) or any(number in digits for number in self.numbers)


def pattern_of(address: str) -> str:
    """This normal address, and no longer one."""
    return _email(address) if "@" in address else _phone(address)


def _email(address: str) -> str:
    written = "|".join(re.escape(each) for each in sorted({address, readable(address)}))
    return rf"(?<![\w.+-])(?:{written})(?![\w-])(?!\.\w)"


def _phone(address: str) -> str:
    """In full, or as in its own country: with a zero in front, or with none where a spreadsheet dropped it."""
    country, rest = _parted(address)
    if not country:
        return rf"(?<!\d){re.escape(address)}(?!\d)"
    return rf"(?<![\d+])(?:(?:\+|00)?{_spaced(country)}|0{BETWEEN})?{BETWEEN.join(rest)}(?!\d)"


def _parted(address: str) -> tuple[str, str]:
    """The code of the country, empty where there is none of that any more, and the digits after it."""
    try:
        number = phonenumbers.parse(address)
    except phonenumbers.NumberParseException:
        return "", address.removeprefix("+")
    return str(number.country_code), phonenumbers.national_significant_number(number)


def _spaced(digits: str) -> str:
    return f"{BETWEEN}{BETWEEN.join(digits)}{BETWEEN}"
