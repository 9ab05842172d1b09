"""A request that a program repeats under one Idempotency-Key has one effect, and gets the first answer again."""

import hashlib
from collections.abc import Callable
from datetime import timedelta

from django.db import connection, transaction
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from accounts.models import ApiKey, KeptAnswer, Workspace

KEPT = timedelta(hours=24)
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


def once(by: ApiKey, key: str, request: HttpRequest, answer: Callable[[], HttpResponse]) -> HttpResponse:
    """The answer to the first request of this program with this key; `answer` is called for that one alone.

    The answer is kept in the transaction of the effect: there is never one without the other. A refusal has no effect
    and is not kept: how things stand may be better the next time. Raises NoKey, Reused or StillRunning.
    """
    if not (0 < len(key) <= LONGEST and key.isascii() and key.isprintable()):
        raise NoKey
    asked = digest_of(request)
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(LOCK, [key, by.pk])
            if not cursor.fetchone()[0]:
                raise StillRunning
        known = KeptAnswer.objects.filter(by=by, key=key, at__gt=timezone.now() - KEPT).first()
        if known:
            return replayed(known, asked)
        given = answer()
        if given.status_code < 300:
            keep(by, key, asked, given)
        else:
            transaction.set_rollback(True)
    return given


def digest_of(request: HttpRequest) -> str:
    said = b"\0".join([(request.method or "").encode(), request.get_full_path().encode(), request.body])
    return hashlib.sha256(said).hexdigest()


def replayed(known: KeptAnswer, asked: str) -> HttpResponse:
    if known.asked != asked:
        raise Reused
    answer = HttpResponse(known.body, status=known.status, content_type=known.content_type)
    answer["Idempotent-Replayed"] = "true"
    return answer


def keep(by: ApiKey, key: str, asked: str, given: HttpResponse) -> None:
    fresh = {
        "workspace": by.workspace,
        "asked": asked,
        "status": given.status_code,
        "content_type": given.get("Content-Type", ""),
        "body": given.content.decode(),
        "at": timezone.now(),
    }
    KeptAnswer.objects.update_or_create(by=by, key=key, defaults=fresh)


def forget_old() -> int:
    """Answers that are not given again any more; returns how many there were."""
    return KeptAnswer.objects.filter(at__lt=timezone.now() - KEPT).delete()[0]


def forget_of(workspace: Workspace) -> None:
    """What was answered lately may name somebody who is to be erased; a repeated request is then a new one."""
    KeptAnswer.objects.filter(workspace=workspace).delete()
