"""What the API answers when it refuses: one shape for every refusal, and one place that knows which is which."""

import logging
import re
from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from django.core.exceptions import ObjectDoesNotExist, PermissionDenied, RequestDataTooBig
from django.db import InterfaceError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from ninja.errors import AuthenticationError, HttpError, ValidationError

from accounts.once import Forgotten, NeverHeard, NoKey, Reused, StillRunning
from accounts.origin import origin
from accounts.rates import RateLimited
from accounts.unknown import Unknown
from campaigns.authoring import NotEditable, Scheduled
from campaigns.copying import SeriesEnded
from campaigns.faults import InvalidContent, UnknownPlaceholders
from campaigns.half_linked import StillLinking
from campaigns.library import ChangedMeanwhile, DuplicateTemplate
from campaigns.models import Campaign, IllegalMove, Image, Recurrence, Template, WhatsAppTemplate
from campaigns.whatsapp import DuplicateWhatsApp
from campaigns.when import InvalidTime
from dispatcher.api import admission
from dispatcher.operations import TimeChanged
from dispatcher.readiness import LaunchRefused
from dispatcher.recurring import NextChanged, SeriesChanged
from dispatcher.trials import PERIOD
from dispatcher.trials import TooMany as TooManyTests
from people.erased import StillImported
from people.groups import DuplicateGroup, GroupInUse
from people.models import Group, Import, Recipient, Segment
from people.plain import NotPlain
from people.recipients import DuplicateRecipient
from wires.strict_json import NotJson

logger = logging.getLogger(__name__)

FIELDS = {"body": "base_template", "groups": "group_ids", "segments": "segment_ids"}
FIELDS |= {"picked": "customer_ids", "excluded": "exclude_ids"}
FIELDS |= {"excluded_groups": "exclude_group_ids", "excluded_segments": "exclude_segment_ids"}
TIMES = {"date": "scheduled_at"}
SENTENCES = {"missing": "This field is required.", "extra_forbidden": "There is no such field."}
INVALID = "VALIDATION_ERROR"
MISSING = {"customer_id": "MISSING_CUSTOMER_ID"}
MOST_FAULTS = 20
# How the branch of a union is called in which a value was tried: literal['a','b'], str. No field of ours is.
BRANCH = re.compile(r"str|int|float|bool|[\w-]+\[.*\]", re.DOTALL)
REFUSALS = {
    "SENDER_NOT_CONFIGURED": HTTPStatus.SERVICE_UNAVAILABLE,
    "QUEUE_FULL": HTTPStatus.SERVICE_UNAVAILABLE,
    "IMPORT_RUNNING": HTTPStatus.CONFLICT,
    "ADDRESSES_LINKING": HTTPStatus.CONFLICT,
}
PASSING = {
    "QUEUE_FULL": 60,
    "IMPORT_RUNNING": 10,
    "ADDRESSES_LINKING": 1,
}  # what another try may overcome, after so many seconds

GONE: dict[type[ObjectDoesNotExist], str] = {
    Campaign.DoesNotExist: "Campaign",
    Group.DoesNotExist: "Group",
    Image.DoesNotExist: "Image",
    Import.DoesNotExist: "Import",
    Recipient.DoesNotExist: "Recipient",
    Recurrence.DoesNotExist: "Series",
    Segment.DoesNotExist: "Segment",
    Template.DoesNotExist: "Template",
    WhatsAppTemplate.DoesNotExist: "WhatsApp template",
}

Details = dict[str, list[str]]


def refuse(status: HTTPStatus, code: str, message: str, details: dict | None = None) -> HttpResponse:
    return JsonResponse({"error": {"code": code, "message": message, "details": details or {}}}, status=status)


def unreadable(request: HttpRequest, error: HttpError) -> HttpResponse:
    """The parser's own words, which ninja keeps as the cause."""
    sentence = error.__cause__ if isinstance(error.__cause__, NotJson) else error
    return refuse(HTTPStatus(error.status_code), "INVALID_REQUEST", str(sentence))


def invalid(request: HttpRequest, error: ValidationError) -> HttpResponse:
    details: Details = {}
    for fault in error.errors[:MOST_FAULTS]:
        if fault["loc"][0] == "path":
            what = str(fault["loc"][-1])
            return refuse(HTTPStatus.BAD_REQUEST, f"INVALID_{what.upper()}", f"The {what} is not a whole number.")
        sentence = SENTENCES.get(fault["type"]) or fault["msg"]
        details.setdefault(field_of(fault), []).append(sentence)
    is_missing = [fault["type"] for fault in error.errors] == ["missing"]
    return refuse_fields(details, MISSING.get(min(details), INVALID) if is_missing else INVALID)


def field_of(fault: dict[str, Any]) -> str:
    """Its name as the program knows it; a dot leads into a list or an object."""
    source, *place = map(str, fault["loc"])
    if len(place) > 1 and fault["type"] != "extra_forbidden" and BRANCH.fullmatch(place[-1]):
        del place[-1]
    # The first is what we call all of them together, but for a single parameter, which stands alone.
    if len(place) > 1 or source == "body":
        del place[0]
    return ".".join(place)[:100] or "body"


def refuse_fields(details: Details, code: str = INVALID) -> HttpResponse:
    first = next(f"{field}: {sentences[0]}" for field, sentences in details.items())
    return refuse(HTTPStatus.BAD_REQUEST, code, f"The request is not valid. {first}", details)


def invalid_content(request: HttpRequest, error: InvalidContent) -> HttpResponse:
    code = "INVALID_TEMPLATE" if isinstance(error, UnknownPlaceholders) else "VALIDATION_ERROR"
    return refuse_fields({FIELDS.get(name, name): sentences for name, sentences in error.errors.items()}, code)


def still_linking(request: HttpRequest, error: StillLinking) -> HttpResponse:
    return launch_refused(request, LaunchRefused("ADDRESSES_LINKING", str(error)))  # with the same Retry-After


def not_plain(request: HttpRequest, error: NotPlain) -> HttpResponse:
    if error.field:
        return refuse_fields({error.field: [str(error)]})
    return refuse(HTTPStatus.BAD_REQUEST, "VALIDATION_ERROR", str(error))


def unauthenticated(request: HttpRequest, error: AuthenticationError) -> HttpResponse:
    sentence = "A valid key is needed: Authorization: Bearer <key>"
    answer = refuse(HTTPStatus.UNAUTHORIZED, "UNAUTHENTICATED", sentence)
    answer["WWW-Authenticate"] = "Bearer"
    return answer


def forbidden(request: HttpRequest, error: PermissionDenied) -> HttpResponse:
    return refuse(HTTPStatus.FORBIDDEN, "FORBIDDEN", str(error))


def unknown(request: HttpRequest, error: Unknown) -> HttpResponse:
    return refuse(HTTPStatus.NOT_FOUND, f"{error.what.upper().replace(' ', '_')}_NOT_FOUND", str(error))


def nothing_there(request: HttpRequest, error: Http404) -> HttpResponse:
    return refuse(HTTPStatus.NOT_FOUND, "NOT_FOUND", f"There is nothing at {request.path[:200]}.")


def not_allowed(request: HttpRequest, allowed: str) -> HttpResponse:
    sentence = f"{request.method} is not possible here, but {allowed}."
    answer = refuse(HTTPStatus.METHOD_NOT_ALLOWED, "METHOD_NOT_ALLOWED", sentence)
    answer["Allow"] = allowed
    return answer


def possible(request: HttpRequest, allowed: str) -> HttpResponse:
    """What somebody learns who asks what may be done here."""
    return HttpResponse(status=HTTPStatus.NO_CONTENT, headers={"Allow": f"{allowed}, OPTIONS"})


def conflict(request: HttpRequest, error: Exception) -> HttpResponse:
    return refuse(HTTPStatus.CONFLICT, "CONFLICT", str(error))


def invalid_time(request: HttpRequest, error: InvalidTime) -> HttpResponse:
    return refuse_fields({TIMES.get(name, name): [sentence] for name, sentence in error.errors.items()})


def too_many_tests(request: HttpRequest, error: TooManyTests) -> HttpResponse:
    answer = refuse(HTTPStatus.TOO_MANY_REQUESTS, "RATE_LIMITED", str(error))
    answer["Retry-After"] = str(int(PERIOD.total_seconds()))
    return answer


def no_key(request: HttpRequest, error: NoKey) -> HttpResponse:
    return refuse(HTTPStatus.BAD_REQUEST, "VALIDATION_ERROR", str(error))


def reused(request: HttpRequest, error: Reused) -> HttpResponse:
    return refuse(HTTPStatus.UNPROCESSABLE_ENTITY, "IDEMPOTENCY_KEY_REUSED", str(error))


def still_running(request: HttpRequest, error: StillRunning) -> HttpResponse:
    answer = refuse(HTTPStatus.CONFLICT, "CONFLICT", str(error))
    answer["Retry-After"] = "1"
    return answer


def duplicate(request: HttpRequest, error: DuplicateRecipient) -> HttpResponse:
    return refuse(HTTPStatus.CONFLICT, "DUPLICATE", str(error))


def duplicate_group(request: HttpRequest, error: DuplicateGroup) -> HttpResponse:
    details = {"resource_type": "Group", "field": "name", "value": error.name}
    return refuse(HTTPStatus.CONFLICT, "DUPLICATE", f"Group with name '{error.name}' already exists", details)


def duplicate_template(request: HttpRequest, error: DuplicateTemplate | DuplicateWhatsApp) -> HttpResponse:
    details = {"resource_type": "Template", "field": "name", "value": error.name}
    return refuse(HTTPStatus.CONFLICT, "DUPLICATE", str(error), details)


def gone_meanwhile(request: HttpRequest, error: ObjectDoesNotExist) -> HttpResponse:
    """Of two who ask at once, one may have deleted what the other has just found."""
    place = request.resolver_match.kwargs if request.resolver_match else {}
    what = GONE[type(error)]
    if what == "Recipient" and "customer_id" in place:
        what = "Customer"
    number = place.get(f"{what.lower().replace(' ', '_')}_id")
    return unknown(request, Unknown(what, number or 0, "" if number else f"The {what.lower()} is not here any more."))


def launch_refused(request: HttpRequest, error: LaunchRefused) -> HttpResponse:
    answer = refuse(REFUSALS.get(error.code, HTTPStatus.BAD_REQUEST), error.code, str(error))
    if seconds := PASSING.get(error.code):
        answer["Retry-After"] = str(seconds)
    return answer


def rate_limited(request: HttpRequest, error: RateLimited) -> HttpResponse:
    answer = refuse(HTTPStatus.TOO_MANY_REQUESTS, "RATE_LIMITED", str(error), {"retry_after": error.standing.seconds})
    answer["Retry-After"] = str(error.standing.seconds)
    admission.note(request, error.standing)
    return answer


def too_large(request: HttpRequest, error: RequestDataTooBig) -> HttpResponse:
    sentence = "The request is larger than allowed."
    return refuse(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "BODY_TOO_LARGE", sentence)


def unavailable(request: HttpRequest, error: Exception) -> HttpResponse:
    logger.warning("the database did not answer: %s", type(error).__name__)
    sentence = "The database does not answer. Nothing was changed; try again in a moment."
    answer = refuse(HTTPStatus.SERVICE_UNAVAILABLE, "UNAVAILABLE", sentence)
    answer["Retry-After"] = "5"
    return answer


def our_fault(request: HttpRequest, error: Exception) -> HttpResponse:
    number = origin().request_id
    logger.error("request %s failed", number, exc_info=error)
    sentence = f"This is our fault and has been written down as {number}."
    return refuse(HTTPStatus.INTERNAL_SERVER_ERROR, "INTERNAL", sentence, {"request_id": number})


ANSWERS: dict[type[Exception], Callable[..., HttpResponse]] = {
    HttpError: unreadable,
    ValidationError: invalid,
    InvalidContent: invalid_content,
    StillLinking: still_linking,
    NotPlain: not_plain,
    NoKey: no_key,
    Reused: reused,
    StillRunning: still_running,
    NeverHeard: conflict,
    Forgotten: conflict,
    AuthenticationError: unauthenticated,
    PermissionDenied: forbidden,
    Unknown: unknown,
    Http404: nothing_there,
    IllegalMove: conflict,
    NotEditable: conflict,
    Scheduled: conflict,
    DuplicateRecipient: duplicate,
    DuplicateGroup: duplicate_group,
    DuplicateTemplate: duplicate_template,
    DuplicateWhatsApp: duplicate_template,
    ChangedMeanwhile: conflict,
    GroupInUse: conflict,
    SeriesEnded: conflict,
    NextChanged: conflict,
    SeriesChanged: conflict,
    TimeChanged: conflict,
    InvalidTime: invalid_time,
    TooManyTests: too_many_tests,
    StillImported: conflict,
    LaunchRefused: launch_refused,
    RateLimited: rate_limited,
    RequestDataTooBig: too_large,
    OperationalError: unavailable,
    InterfaceError: unavailable,
    Exception: our_fault,
    **dict.fromkeys(GONE, gone_meanwhile),
}
