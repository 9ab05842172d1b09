"""How an address is written: each one in exactly one way, so that the same person is found again."""

import re
import unicodedata
from functools import lru_cache

import idna
import phonenumbers
from email_validator import EmailNotValidError, validate_email

from people.plain import NotPlain, plain, shown

PHONE = re.compile(r"\+?[\d ().\-/\u00a0\u2010-\u2015\u202f]{3,40}")
# What needs no library: a plain name before the @, and a number in full, in groups of digits.
PLAIN_NAME = re.compile(r"[a-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[a-z0-9!#$%&'*+/=?^_`{|}~-]+)*", re.ASCII)
IN_FULL = re.compile(r"(?:\+|00)([1-9](?:[ .-]?[0-9]){6,18})", re.ASCII)


class InvalidAddress(NotPlain):
    """The text is no address of this kind; the message says why, for people."""


def normal_email(text: str) -> str:
    """The address in lower case and NFC, its domain in ASCII (RFC 5321, RFC 5891). Raises InvalidAddress."""
    text = _line(text, "The email address", at_most=320)
    try:
        parts = validate_email(text, check_deliverability=False)
    except EmailNotValidError as error:
        raise InvalidAddress(f"“{shown(text, at_most=60)}” is not an email address: {error}") from None
    email = unicodedata.normalize("NFC", f"{parts.local_part}@{parts.ascii_domain}".lower())
    if len(email) > 254:
        raise InvalidAddress(f"“{shown(text, at_most=60)}” is too long for an email address.")
    return email


def quick_email(text: str) -> str:
    """What `normal_email` says, found without the library when the domain was asked about before."""
    name, _, domain = text.rpartition("@")
    name = name.lower()
    if len(name) <= 64 and PLAIN_NAME.fullmatch(name) and (known := _domain(domain)):
        email = f"{name}@{known}"
        if text.isascii() and len(email) <= 254:
            return email
    return normal_email(text)


@lru_cache(50_000)
def _domain(domain: str) -> str:
    """The domain as it is stored, "" when there is no such domain."""
    try:
        return normal_email(f"a@{domain}")[2:]
    except InvalidAddress:
        return ""


def readable(address: str) -> str:
    """The address with its domain in the letters of its own language, as people write it."""
    local, at, domain = address.rpartition("@")
    if "xn--" not in domain:
        return address
    try:
        return f"{local}{at}{idna.decode(domain)}"
    except idna.IDNAError:
        return address


def normal_phone(text: str, region: str | None = None) -> str:
    """The number in E.164, such as +254712345678. Raises InvalidAddress.

    Without a region (ISO 3166, such as "KE") the international form is needed: + or 00 and country code.
    """
    text = _line(text, "The phone number", at_most=40)
    if not PHONE.fullmatch(text):
        raise InvalidAddress(f"“{text}” is not a phone number.")
    if text.startswith("00"):
        text = f"+{text[2:]}"
    if not region and not text.startswith("+"):
        raise InvalidAddress(_no_country(text))
    try:
        number = phonenumbers.parse(text, region)
    except phonenumbers.NumberParseException:
        raise InvalidAddress(f"“{text}” is not a phone number.") from None
    phone = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    # Whether a number is assigned changes faster than any table of numbers: only its length is judged.
    reason = phonenumbers.is_possible_number_with_reason(number)
    if reason != phonenumbers.ValidationResult.IS_POSSIBLE or len(phone) > 16:
        raise InvalidAddress(f"“{text}” has the wrong number of digits for a phone number of its country.")
    return phone


def quick_phone(text: str, region: str | None = None) -> str:
    """What `normal_phone` says, found without the library when a number as long in the same country was asked about."""
    found = IN_FULL.fullmatch(text) if len(text) <= 40 else None
    if not found:
        return normal_phone(text, region)
    digits = re.sub("[ .-]", "", found[1])
    for length in (1, 2, 3):
        if digits[:length] in CODES:
            rest = digits[length:]
            # A number written with its trunk prefix loses digits, and a zero in front is a case of its own.
            if rest[0] == "0" or _trunk_of(digits[:length]).match(rest) or not _is_possible(digits[:length], len(rest)):
                break
            return f"+{digits}"
    return normal_phone(text, region)


CODES = {str(code) for code in phonenumbers.COUNTRY_CODE_TO_REGION_CODE}
NOTHING = re.compile("(?!)")


@lru_cache
def _trunk_of(code: str) -> re.Pattern:
    """What numbers of the country may begin with that is no part of them."""
    region = phonenumbers.region_code_for_country_code(int(code))
    metadata = phonenumbers.PhoneMetadata.metadata_for_region_or_calling_code(int(code), region)
    trunk = metadata and metadata.national_prefix_for_parsing
    return re.compile(trunk) if trunk else NOTHING


@lru_cache(10_000)
def _is_possible(code: str, length: int) -> bool:
    """Whether numbers of the country can have so many digits, which is all that is judged."""
    number = phonenumbers.PhoneNumber(country_code=int(code), national_number=int("1" * length))
    possible = phonenumbers.is_possible_number_with_reason(number) == phonenumbers.ValidationResult.IS_POSSIBLE
    return possible and len(code) + length <= 15


def _no_country(text: str) -> str:
    """What to write in place of a number without +: the same with one where it begins with a country code."""
    try:
        if phonenumbers.is_valid_number(phonenumbers.parse(f"+{text}", None)):
            return f"“{text}” has no + before its country code; write it with a + in front, as +{text}."
    except phonenumbers.NumberParseException:
        pass
    rest = text.removeprefix("(").lstrip("0").strip(" -./)") if text.startswith(("0", "(0")) else "712 345 678"
    return f"“{text}” has no country code; write it with one, as +254 {rest} for Kenya."


def _line(text: str, what: str, *, at_most: int) -> str:
    try:
        return plain(text, what, at_most=at_most)
    except NotPlain as error:
        raise InvalidAddress(str(error)) from None
