"""A request that a program repeats under one Idempotency-Key has one effect, and gets the first answer again."""

import hashlib
from collections.abc import Callable
from datetime import timedelta
from typing import Any, TypeVar

from django.db import connection, transaction
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from accounts.models import ApiKey, KeptAnswer, Workspace

View = TypeVar("View", bound=Callable[..., Any])
KEPT = timedelta(hours=24)
YOUNG = timedelta(minutes=1)  # so long an operation that calls out may be under way
LONGEST = 255
LOCK = "SELECT pg_try_advisory_xact_lock(hashtextextended(%s, %s))"


class NoKey(Exception):
    """What stands as an Idempotency-Key is none."""

    def __init__(self) -> None:
        super().__init__(f"An Idempotency-Key is 1 to {LONGEST} printable characters of ASCII.")


class Reused(Exception):
    """The key came with another request before."""

    def __init__(self) -> None:
        super().__init__("This Idempotency-Key was used for another request; take a new one.")


class StillRunning(Exception):
    """The first request with the key is not answered yet."""

    def __init__(self) -> None:
        super().__init__("The first request with this Idempotency-Key is not answered yet; ask again in a moment.")


class NeverHeard(Exception):
    """The first request with the key called out, and nobody can say any more what became of it."""

    def __init__(self) -> None:
        super().__init__(
            "The first request with this Idempotency-Key was begun, and its answer was never heard: what it sent may"
            " have arrived. It is not done again; look at what became of it, and take a new key for another try."
        )


class Forgotten(Exception):
    """The first request with the key was answered, and what it was told is not kept any more."""

    def __init__(self) -> None:
        super().__init__(
            "The first request with this Idempotency-Key was answered; the answer was forgotten, because somebody was"
            " erased since. It is not done again: look at how things stand."
        )


def once(by: ApiKey, key: str, request: HttpRequest, answer: Callable[[], HttpResponse]) -> HttpResponse:
    """The answer to the first request of this program with this key; `answer` is called for that one alone.

    The answer is kept in the transaction of the effect: there is never one without the other. A refusal is kept as
    well, with what it meant to leave behind; what is not kept has no effect. Raises NoKey, Reused, StillRunning or
    Forgotten.
    """
    refuse_no_key(key)
    asked = digest_of(request)
    with transaction.atomic():
        wait_for_nobody(by, key)
        if known := known_of(by, key):
            return replayed(known, asked)
        given = answer()
        if is_final(given):
            keep(by, key, asked, **told_by(given))
        else:
            transaction.set_rollback(True)
    return given


def once_called_out(by: ApiKey, key: str, request: HttpRequest, answer: Callable[[], HttpResponse]) -> HttpResponse:
    """The same for an operation that waits for somebody outside: `answer` is called with no transaction open.

    That it began is written down before: who dies meanwhile, or fails, leaves a note by which it is never done again.
    Raises NoKey, Reused, StillRunning, NeverHeard or Forgotten.
    """
    refuse_no_key(key)
    asked = digest_of(request)
    with transaction.atomic():
        wait_for_nobody(by, key)
        if known := known_of(by, key):
            return replayed(known, asked)
        begun = keep(by, key, asked, status=KeptAnswer.BEGUN, content_type="", body="")
    given = answer()
    settle(begun, given)
    return given


def settle(begun: KeptAnswer, given: HttpResponse) -> None:
    """After a fault of ours it stays begun; a note that was forgotten meanwhile stays so."""
    note = KeptAnswer.objects.filter(pk=begun.pk, status=KeptAnswer.BEGUN)
    if is_final(given):
        note.update(**told_by(given))
    elif given.status_code < 500:
        note.delete()


def calls_out(view: View) -> View:
    """Marks an operation that waits for somebody outside, and holds no transaction open while it does."""
    view.calls_out = True  # type: ignore[attr-defined]
    return view


def refuse_no_key(key: str) -> None:
    """Raises NoKey."""
    if not (0 < len(key) <= LONGEST and key.isascii() and key.isprintable()):
        raise NoKey


def digest_of(request: HttpRequest) -> str:
    """The same for the same request: with or without a slash at its end, whatever parts a form from its next part."""
    path, _, query = request.get_full_path().partition("?")
    said = [(request.method or "").encode(), path.removesuffix("/").encode(), query.encode(), *parts_of(request)]
    return hashlib.sha256(b"".join(hashlib.sha256(part).digest() for part in said)).hexdigest()


def parts_of(request: HttpRequest) -> list[bytes]:
    """The body; that of a form without its boundary, which clients make up anew for every request (RFC 2046, 5.1.1)."""
    boundary = (request.content_params or {}).get("boundary")
    if request.content_type != "multipart/form-data" or not boundary:
        return [request.body]
    return (b"\r\n" + request.body).split(b"\r\n--" + boundary.encode())


def wait_for_nobody(by: ApiKey, key: str) -> None:
    """Until the transaction ends no other request with the key is answered. Raises StillRunning."""
    with connection.cursor() as cursor:
        cursor.execute(LOCK, [key, by.pk])
        if not cursor.fetchone()[0]:
            raise StillRunning


def known_of(by: ApiKey, key: str) -> KeptAnswer | None:
    return KeptAnswer.objects.filter(by=by, key=key, at__gt=timezone.now() - KEPT).first()


def replayed(known: KeptAnswer, asked: str) -> HttpResponse:
    """Raises Reused, StillRunning, NeverHeard or Forgotten."""
    if known.asked != asked:
        raise Reused
    if known.status == KeptAnswer.BEGUN:
        raise StillRunning if known.at > timezone.now() - YOUNG else NeverHeard
    if known.status == KeptAnswer.FORGOTTEN:
        raise Forgotten
    answer = HttpResponse(known.body, status=known.status, content_type=known.content_type)
    answer["Idempotent-Replayed"] = "true"
    return answer


def is_final(given: HttpResponse) -> bool:
    """Whether another try would be told the same: it was no fault of ours, and nothing that passes by itself."""
    return given.status_code < 500 and "Retry-After" not in given


def told_by(given: HttpResponse) -> dict[str, Any]:
    content_type = given.get("Content-Type", "")
    return {"status": given.status_code, "content_type": content_type, "body": given.content.decode()}


def keep(by: ApiKey, key: str, asked: str, **told: Any) -> KeptAnswer:
    fresh = {"workspace": by.workspace, "asked": asked, "at": timezone.now()} | told
    return KeptAnswer.objects.update_or_create(by=by, key=key, defaults=fresh)[0]


def forget_old() -> int:
    """Answers that are not given again any more; returns how many there were."""
    return KeptAnswer.objects.filter(at__lt=timezone.now() - KEPT).delete()[0]


def forget_of(workspace: Workspace) -> None:
    """What was answered lately may name somebody who is to be erased; that it was answered is kept."""
    KeptAnswer.objects.filter(workspace=workspace).update(status=KeptAnswer.FORGOTTEN, content_type="", body="")
