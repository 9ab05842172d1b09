"""The meter: how often something was asked for within the last minute, counted in Redis, or not at all without it."""

import logging
import time
from dataclasses import dataclass
from functools import cache
from math import ceil

from django.conf import settings
from limits import RateLimitItemPerMinute
from limits.storage import RedisStorage
from limits.strategies import MovingWindowRateLimiter
from redis import ConnectionPool
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

PATIENCE = 0.2  # seconds Redis may take; whoever asks waits for it
REST = 5.0  # seconds it is left alone after it failed
logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Standing:
    """How a limit of so many a minute stands: how many are left, in how many seconds there are more, whether one more
    was refused.
    """

    most: int
    left: int
    seconds: int
    is_over: bool = False


@cache
def _meter() -> MovingWindowRateLimiter:
    # A second each for connecting and reading, as elsewhere, would be felt with every request.
    pool = ConnectionPool.from_url(
        settings.REDIS_URL, socket_connect_timeout=PATIENCE, socket_timeout=PATIENCE, retry=Retry(NoBackoff(), 0)
    )
    prefix = f"{settings.REDIS_PREFIX}:meter"
    return MovingWindowRateLimiter(RedisStorage(settings.REDIS_URL, connection_pool=pool, key_prefix=prefix))


_rests_until = float("-inf")


def count(what: str, most: int) -> Standing | None:
    """Count one more, or refuse it; None, and nothing is counted, for `most` 0 and while Redis does not answer."""
    return _ask(what, most, adds=True)


def look(what: str, most: int) -> Standing | None:
    """As it stands, without one more."""
    return _ask(what, most, adds=False)


def _ask(what: str, most: int, *, adds: bool) -> Standing | None:
    global _rests_until
    if not most or time.monotonic() < _rests_until:
        return None
    limit = RateLimitItemPerMinute(most)
    try:
        fits = not adds or _meter().hit(limit, what)
        until, left = _meter().get_window_stats(limit, what)
    except RedisError as error:
        logger.warning("Redis does not count requests, all are let through: %s", error)
        _rests_until = time.monotonic() + REST
        return None
    return Standing(most, max(0, left) if fits else 0, max(1, ceil(until - time.time())), is_over=not fits)
