"""Who comes in at the door of the API, how often and how many at once, and what every answer tells them of that."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock
from typing import Any

from django.conf import settings
from django.http import HttpResponse
from django.utils import timezone

from accounts import rates
from accounts.lockout import address_of
from accounts.models import ApiKey
from accounts.rates import RateLimited
from wires.meter import Standing

_inside: Counter[int] = Counter()  # requests this process is answering, by key
_lock = Lock()


@contextmanager
def admitted(request: Any) -> Iterator[None]:
    """Look up once whose key it is, count the request, and keep its place until it is answered. Raises RateLimited."""
    scheme, _, secret = request.headers.get("Authorization", "").partition(" ")
    request.standings = []
    request.asker = key = ApiKey.of(secret) if scheme.lower() == "bearer" else None
    if key is None:
        yield
        return
    note(request, rates.count_request(key))
    take_place(key)
    try:
        # In no transaction: one that lasts would keep the row, and let every other request with the key wait.
        key.used(timezone.now())
        yield
    finally:
        leave_place(key)


def take_place(key: ApiKey) -> None:
    """Each request holds a connection to the database: one program must not hold all there are. Raises RateLimited."""
    most = settings.API_REQUESTS_AT_ONCE
    with _lock:
        if most and _inside[key.pk] >= most:
            raise RateLimited(f"This key may ask for {most:,} things at once.", Standing(most, 0, 1, is_over=True))
        _inside[key.pk] += 1


def leave_place(key: ApiKey) -> None:
    with _lock:
        _inside[key.pk] -= 1


def asker_of(request: Any) -> ApiKey | None:
    """Whose key it is; None is counted as a wrong one. Raises RateLimited."""
    if request.asker is None:
        rates.count_wrong_key(address_of(request))
    return request.asker


def note(request: Any, standing: Standing | None) -> None:
    """To be told with the answer."""
    if standing:
        request.standings.append(standing)


def tell(request: Any, answer: HttpResponse) -> None:
    """How the limit stands that is nearest to being reached (draft-ietf-httpapi-ratelimit-headers-06)."""
    if nearest := min(getattr(request, "standings", []), key=lambda standing: standing.left, default=None):
        answer["RateLimit-Limit"] = str(nearest.most)
        answer["RateLimit-Remaining"] = str(nearest.left)
        answer["RateLimit-Reset"] = str(nearest.seconds)
