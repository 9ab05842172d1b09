"""What the API answers when people, lists, pictures or templates refuse, in the shape of every refusal."""

from http import HTTPStatus

from django.core.exceptions import SuspiciousOperation
from django.http import HttpRequest, HttpResponse
from django.http.multipartparser import MultiPartParserError

from dispatcher.api_errors import conflict, refuse, refuse_fields
from people.imports import NotPossible
from people.parts import OutOfOrder
from people.patience import TookTooLong
from people.segments import BrokenSegment
from people.sheet import UnreadableSheet

TOO_LONG = "They cannot be counted in time; walk the list with ?cursor= and go on by next_cursor."


def took_too_long(request: HttpRequest, error: TookTooLong) -> HttpResponse:
    return refuse_fields({"page": [TOO_LONG]})


def unreadable_list(request: HttpRequest, error: UnreadableSheet) -> HttpResponse:
    return refuse_fields({"file": [str(error)]})


def unreadable_form(request: HttpRequest, error: Exception) -> HttpResponse:
    return refuse(HTTPStatus.BAD_REQUEST, "INVALID_REQUEST", "The body cannot be read as a form with a file.")


REFUSED = {
    MultiPartParserError: unreadable_form,
    SuspiciousOperation: unreadable_form,
    NotPossible: conflict,
    OutOfOrder: conflict,
    UnreadableSheet: unreadable_list,
    BrokenSegment: conflict,
    TookTooLong: took_too_long,
}
