"""Whether Redis answers, keeps every job it is given, and lets nobody else in."""

import socket
from collections.abc import Iterator
from ipaddress import ip_address

from django.conf import settings
from redis.connection import parse_url
from redis.exceptions import AuthenticationError, BusyLoadingError, NoPermissionError, RedisError, TimeoutError

from dispatcher.doctor.finding import START_BIN_DEV, Finding, Note, Problem, is_of_bin_dev
from wires import queue

OLDEST = 7
CORRECT = "Correct REDIS_URL, or start Redis there."


def answers() -> Iterator[Finding]:
    try:
        told = queue.told_by_redis()
    except ValueError:
        yield Problem("REDIS_URL is no address of a Redis.", "Let it begin with redis://, rediss:// or unix://")
    except RedisError as error:
        yield refused(error)
    else:
        yield from is_fit(told)
        yield from is_private()


def refused(error: RedisError) -> Problem:
    if isinstance(error, AuthenticationError):
        return Problem(f"{where()} refuses the password.", "Correct it in REDIS_URL: redis://:password@host:6379/0")
    if isinstance(error, NoPermissionError):
        return Problem(f"{where()} does not let this user ask for INFO.", "Give the user of REDIS_URL all commands.")
    if isinstance(error, BusyLoadingError):
        return Problem(f"{where()} is still reading its data.", "Wait a moment and ask again.")
    if isinstance(error, TimeoutError):
        return Problem(f"{where()} does not answer within a second: it hangs.", "Restart it; nothing is lost by that.")
    is_ours = is_of_bin_dev(parse_url(settings.REDIS_URL).get("path", ""))
    return Problem(f"{where()} cannot be reached: {error}", START_BIN_DEV if is_ours else CORRECT)


def is_fit(told: dict) -> Iterator[Finding]:
    version = str(told.get("valkey_version") or told["redis_version"])
    if int(version.split(".")[0]) < OLDEST:
        yield Note(f"Redis is version {version}; this is tested with {OLDEST} and later.", "Upgrade it.")
    limit, used, policy = told.get("maxmemory", 0), told.get("used_memory", 0), told.get("maxmemory_policy")
    if limit and policy != "noeviction":
        yield Problem(
            f"When its memory is full Redis throws jobs away (maxmemory-policy {policy}).",
            "redis-cli CONFIG SET maxmemory-policy noeviction, and the same in redis.conf",
        )
    if limit and used > 0.9 * limit:
        yield Problem(f"{used / limit:.0%} of the memory of Redis is in use.", "Raise maxmemory.")
    if told.get("role") in ("slave", "replica"):
        yield Problem("Redis is a replica, which takes no jobs.", "Let REDIS_URL name the primary.")
    if told.get("rdb_last_bgsave_status", "ok") != "ok":
        yield Problem("Redis cannot save its data and may refuse to be written to.", "Its log says why; see its disk.")


def is_private() -> Iterator[Finding]:
    """Who can write to Redis can slow or stop the work: nobody else may."""
    given = parse_url(settings.REDIS_URL)
    if given.get("password") or "host" not in given:
        return
    addresses = {ip_address(found[4][0]) for found in socket.getaddrinfo(given["host"], None)}
    remedy = "Set requirepass in redis.conf, and REDIS_URL to redis://:password@host:6379/0"
    if any(not address.is_private for address in addresses):
        yield Problem(f"{where()} can be reached from the internet and asks for no password.", remedy)
    elif any(not address.is_loopback for address in addresses):
        yield Note(f"{where()} asks for no password: everybody in that network can write to it.", remedy)


def where() -> str:
    """Redis by its address, without the password."""
    given = parse_url(settings.REDIS_URL)
    if "path" in given:
        return f"Redis on the socket {given['path']}"
    return f"Redis at {given.get('host', 'localhost')} port {given.get('port', 6379)}"
