"""How often programs may ask: so many requests a minute for each key, and so many wrong keys for each address."""

from django.conf import settings

from accounts.models import ApiKey
from wires import meter
from wires.meter import Standing


class RateLimited(Exception):
    """Asked too often; the text says what of, and when to ask again."""

    def __init__(self, sentence: str, standing: Standing) -> None:
        self.standing = standing
        unit = "second" if standing.seconds == 1 else "seconds"
        super().__init__(f"{sentence} Try again in {standing.seconds} {unit}.")


def count_request(key: ApiKey) -> Standing | None:
    """One more request with this key; None where nothing limits them. Raises RateLimited."""
    standing = meter.count(name_of(key), settings.API_REQUESTS_PER_MINUTE)
    if standing and standing.is_over:
        raise RateLimited(f"This key may ask {standing.most:,} times a minute.", standing)
    return standing


def requests_of(key: ApiKey) -> Standing | None:
    """How its limit stands now."""
    return meter.look(name_of(key), settings.API_REQUESTS_PER_MINUTE)


def count_wrong_key(address: str | None) -> None:
    """One more try with a key that is none, or none any more. Raises RateLimited.

    It is for those tries alone: a good key is served from the same address all the while, or an attacker behind the
    proxy of a customer would lock the customer out.
    """
    standing = meter.count(f"wrong keys from {address}", settings.API_WRONG_KEYS_PER_MINUTE)
    if standing and standing.is_over:
        raise RateLimited("Too many wrong keys came from your address.", standing)


def name_of(key: ApiKey) -> str:
    return f"key {key.pk}"
