"""Time zones by what people type: their name or a city, in any case."""

from difflib import get_close_matches
from zoneinfo import available_timezones

ZONES = sorted(zone for zone in available_timezones() if "/" in zone or zone == "UTC")
BY_NAME = {zone.lower(): zone for zone in ZONES}
BY_CITY: dict[str, list[str]] = {}
for zone in ZONES:
    BY_CITY.setdefault(zone.lower().rpartition("/")[2], []).append(zone)
OFFERED = 3


class NoSuchZone(ValueError):
    """The text is no zone, or could be several; the message says which were perhaps meant."""


def zone_called(text: str) -> str:
    """The zone of this name, or that of the only city of this name. Raises NoSuchZone."""
    typed = text.strip().replace(" ", "_").lower()
    if typed in BY_NAME:
        return BY_NAME[typed]
    cities = BY_CITY.get(typed, [])
    if len(cities) == 1:
        return cities[0]
    near = cities or [zone for name in get_close_matches(typed, BY_CITY, OFFERED) for zone in BY_CITY[name]]
    near = near or [BY_NAME[name] for name in get_close_matches(typed, BY_NAME, OFFERED)]
    meant = (
        f"Did you mean {' or '.join(near[:OFFERED])}?" if near else "Choose one of the list, such as Africa/Nairobi."
    )
    raise NoSuchZone(f"There is no such time zone. {meant}")
