"""Where the work at hand was asked for: the address and the number of the request, for the audit log and the logs."""

import logging
import re
import uuid
from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass

from django.conf import settings
from django.http import HttpRequest, HttpResponse

HEADER = "X-Request-ID"
FIT = re.compile(r"[A-Za-z0-9._-]{1,64}")


@dataclass(frozen=True, slots=True)
class Origin:
    """Both are empty for what no request asked for: workers, the clock, commands."""

    address: str = ""
    request_id: str = ""


NOWHERE = Origin()
_origin: ContextVar[Origin] = ContextVar("origin")


def origin() -> Origin:
    """Of the request that is being answered now."""
    return _origin.get(NOWHERE)


def with_origin(get_response: Callable) -> Callable:
    """Numbers every request, and every answer names the number; that of a trusted proxy is kept."""

    def middleware(request: HttpRequest) -> HttpResponse:
        here = Origin(request.META.get("REMOTE_ADDR") or "", number_of(request))
        token = _origin.set(here)
        try:
            response = get_response(request)
        finally:
            _origin.reset(token)
        response[HEADER] = here.request_id
        return response

    return middleware


def number_of(request: HttpRequest) -> str:
    # Anybody else could choose one that stands in the log already.
    sent = request.headers.get(HEADER, "") if settings.TRUSTED_PROXY else ""
    return sent if FIT.fullmatch(sent) else uuid.uuid4().hex


class WithRequest(logging.Filter):
    """Gives every log line the number of the request it was written for."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.request_id = origin().request_id or "-"
        return True
