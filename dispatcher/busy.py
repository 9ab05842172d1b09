"""What a page says when the database does not answer, or somebody holds what it needs for too long."""

import logging
import sys
from collections.abc import Callable

from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.views.defaults import server_error

logger = logging.getLogger(__name__)


class SayWhenBusy:
    """Turns a database that is gone, or a lock that is not, into a 503 that says to try again."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        if not isinstance(exception, OperationalError | InterfaceError):
            return None
        return busy(request, exception)


def went_wrong(request: HttpRequest) -> HttpResponse:
    """The page of an error nobody caught: before the view is reached, no middleware is asked about a lost database."""
    error = sys.exc_info()[1]
    return busy(request, error) if isinstance(error, OperationalError | InterfaceError) else server_error(request)


def busy(request: HttpRequest, error: Exception) -> HttpResponse:
    logger.warning("%s %s: the database did not answer: %s", request.method, request.path, error)
    page = render_to_string("503.html")
    return HttpResponse(page, status=503, headers={"Retry-After": "5"})
