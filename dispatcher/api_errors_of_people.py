"""What the API answers when people, lists, pictures or templates refuse, in the shape of every refusal."""

from django.http import HttpRequest, HttpResponse

from dispatcher.api_errors import conflict, refuse_fields
from people.patience import TookTooLong
from people.segments import BrokenSegment

TOO_LONG = "They cannot be counted in time; walk the list with ?cursor= and go on by next_cursor."


def took_too_long(request: HttpRequest, error: TookTooLong) -> HttpResponse:
    return refuse_fields({"page": [TOO_LONG]})


REFUSED = {
    BrokenSegment: conflict,
    TookTooLong: took_too_long,
}
