"""What the API answers when people, lists, pictures or templates refuse, in the shape of every refusal."""

from collections.abc import Callable
from http import HTTPStatus

from django.core.exceptions import SuspiciousOperation
from django.http import HttpRequest, HttpResponse
from django.http.multipartparser import MultiPartParserError

from campaigns.images import ImageInUse, UsedMeanwhile
from campaigns.models import IllegalStatus
from campaigns.pictures import NotAPicture
from campaigns.whatsapp import MaySendOnly
from dispatcher.api.errors import conflict, forbidden, refuse, refuse_fields
from people.api.suppressions import NotKept
from people.imports import NotPossible
from people.parts import OutOfOrder
from people.patience import TookTooLong
from people.segments import BrokenSegment, DuplicateSegment, InvalidRules, SegmentInUse
from people.sheet import UnreadableSheet
from people.suppression_lists import ListTooLong

TOO_LONG = "They cannot be counted in time; walk the list with ?cursor= and go on by next_cursor."


def took_too_long(request: HttpRequest, error: TookTooLong) -> HttpResponse:
    return refuse_fields({"page": [TOO_LONG]})


def unreadable_list(request: HttpRequest, error: UnreadableSheet) -> HttpResponse:
    return refuse_fields({"file": [str(error)]})


def no_picture(request: HttpRequest, error: NotAPicture) -> HttpResponse:
    return refuse_fields({"file": [str(error)]})


def used_meanwhile(request: HttpRequest, error: UsedMeanwhile) -> HttpResponse:
    sentence = "Drafts or templates show the picture. Delete it with ?even_if_used=true and they show a gap."
    return refuse(HTTPStatus.CONFLICT, "CONFLICT", sentence)


def unreadable_form(request: HttpRequest, error: Exception) -> HttpResponse:
    return refuse(HTTPStatus.BAD_REQUEST, "INVALID_REQUEST", "The body cannot be read as a form with a file.")


def invalid_rules(request: HttpRequest, error: InvalidRules) -> HttpResponse:
    return refuse_fields({"rules": [str(error)]})


def duplicate_segment(request: HttpRequest, error: DuplicateSegment) -> HttpResponse:
    details = {"resource_type": "Segment", "field": "name"}
    return refuse(HTTPStatus.CONFLICT, "DUPLICATE", str(error), details)


def list_too_long(request: HttpRequest, error: ListTooLong) -> HttpResponse:
    return refuse_fields({"lines": [str(error)]})


REFUSED: dict[type[Exception], Callable[..., HttpResponse]] = {
    InvalidRules: invalid_rules,
    DuplicateSegment: duplicate_segment,
    SegmentInUse: conflict,
    NotKept: conflict,
    ListTooLong: list_too_long,
    MultiPartParserError: unreadable_form,
    SuspiciousOperation: unreadable_form,
    ImageInUse: conflict,
    UsedMeanwhile: used_meanwhile,
    NotAPicture: no_picture,
    IllegalStatus: conflict,
    MaySendOnly: forbidden,
    NotPossible: conflict,
    OutOfOrder: conflict,
    UnreadableSheet: unreadable_list,
    BrokenSegment: conflict,
    TookTooLong: took_too_long,
}
