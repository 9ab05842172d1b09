"""Who comes in at the door of the API, how often and how many at once, and what every answer tells them of that."""

from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from threading import RLock
from typing import Any
from weakref import finalize

from django.conf import settings
from django.http import HttpResponse
from django.utils import timezone

from accounts import rates
from accounts.lockout import address_of
from accounts.models import ApiKey
from accounts.rates import RateLimited
from wires.meter import Standing

_inside: Counter[int] = Counter()  # requests this process is answering, by key
_lock = RLock()  # what is dropped leaves its place in whatever thread tidies up


@contextmanager
def admitted(request: Any) -> Iterator[ExitStack]:
    """Look up once whose key it is, count the request, and keep its place until it is answered. Raises RateLimited."""
    scheme, _, secret = request.headers.get("Authorization", "").partition(" ")
    request.standings = []
    request.asker = key = ApiKey.of(secret) if scheme.lower() == "bearer" else None
    with ExitStack() as place:
        if key:
            note(request, rates.count_request(key))
            take_place(key)
            place.callback(leave_place, key)
            # In no transaction: one that lasts would keep the row, and let every other request with the key wait.
            key.used(timezone.now())
        yield place


def keep_while_written(place: ExitStack, answer: HttpResponse) -> None:
    """What comes piece by piece keeps its place until it is closed, or dropped because nobody waits for it."""
    leave = finalize(answer, place.pop_all().close)
    answer._resource_closers.append(leave)  # type: ignore[attr-defined]


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
