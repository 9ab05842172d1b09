"""Where the work at hand was asked for: the address and the number of the request, for the audit log and the logs."""

import logging
import re
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

from django.conf import settings
from django.http import HttpRequest, HttpResponse

logger = logging.getLogger(__name__)
HEADER = "X-Request-ID"
FIT = re.compile(r"[A-Za-z0-9._-]{1,64}")


@dataclass(frozen=True, slots=True)
class Origin:
    """Both are empty for what no request asked for: workers, the clock, commands."""

    address: str = ""
    request_id: str = ""


NOWHERE = Origin()
_origin: ContextVar[Origin] = ContextVar("origin")
_work: ContextVar[dict[str, object]] = ContextVar("work")
PATH_SIGNS = 2_000  # of a path in the log: strangers choose it
QUIET = ("/health", "/metrics", "/static/")  # asked for every few seconds, or with every page


def origin() -> Origin:
    """Of the request that is being answered now."""
    return _origin.get(NOWHERE)


@contextmanager
def working_at(**facts: object) -> Iterator[None]:
    """Lines that are logged meanwhile say so: `job=`, `campaign=` and the like, where no request asked."""
    token = _work.set(_work.get({}) | facts)
    try:
        yield
    finally:
        _work.reset(token)


def with_origin(get_response: Callable) -> Callable:
    """Numbers every request, and its answer and all its lines in the log name the number."""

    def middleware(request: HttpRequest) -> HttpResponse:
        here = Origin(request.META.get("REMOTE_ADDR") or "", number_of(request))
        token, began = _origin.set(here), time.monotonic()
        request.request_id = here.request_id  # type: ignore[attr-defined]
        try:
            response = get_response(request)
            log_access(request, response.status_code, 1000 * (time.monotonic() - began))
        finally:
            _origin.reset(token)
        response[HEADER] = here.request_id
        return response

    return middleware


def log_access(request: HttpRequest, status: int, milliseconds: float) -> None:
    """One line for each answer: who asked by which key, never what with. A query string is nobody's business."""
    match, key = request.resolver_match, getattr(request, "auth", None)
    path = request.path[:PATH_SIGNS]
    facts = {
        "method": request.method,
        "route": f"/{match.route}" if match else None,
        "path": path,
        "status": status,
        "milliseconds": round(milliseconds),
        "key": getattr(key, "prefix", None),
        "workspace": getattr(key, "workspace_id", None),
    }
    level = logging.DEBUG if request.path.startswith(QUIET) else logging.INFO
    logger.log(level, "%s %s %s in %.0f ms", request.method, path, status, milliseconds, extra=facts)


def number_of(request: HttpRequest) -> str:
    """That of a trusted proxy is kept."""
    # Anybody else could choose one that stands in the log already.
    sent = request.headers.get(HEADER, "") if settings.TRUSTED_PROXY else ""
    return sent if FIT.fullmatch(sent) else new_number()


def new_number() -> str:
    return uuid.uuid4().hex


class WithOrigin(logging.Filter):
    """Gives every line of the log the number of the request it was written for, or the work."""

    def filter(self, record: logging.LogRecord) -> bool:
        # Django tells of refusals when the request has left all middleware.
        of_request = getattr(getattr(record, "request", None), "request_id", "")
        facts, number = _work.get({}), origin().request_id or of_request
        for name, value in {"request_id": number, **facts}.items():
            if not hasattr(record, name):
                setattr(record, name, value)
        record.here = number or " ".join(f"{name} {value}" for name, value in facts.items()) or "-"
        return True
