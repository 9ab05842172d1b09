"""Countries by the names people know them by, with the code their phone numbers begin with."""

from importlib.resources import files

import phonenumbers


def _names() -> dict[str, str]:
    """English names by ISO 3166 code, from the time zone database."""
    lines = files("tzdata").joinpath("zoneinfo/iso3166.tab").read_text("utf-8").splitlines()
    pairs = (line.split("\t") for line in lines if line and not line.startswith("#"))
    return {code: name for code, name in pairs if code in phonenumbers.SUPPORTED_REGIONS}


NAMES = _names()
REGIONS = [
    ("", "None: every number needs its country code"),
    *sorted(
        ((code, f"{name} (+{phonenumbers.country_code_for_region(code)})") for code, name in NAMES.items()),
        key=lambda pair: pair[1],
    ),
]
