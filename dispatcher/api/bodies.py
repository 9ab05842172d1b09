"""What the API takes as the body of a request: JSON, strictly, and only where one is asked for."""

import re
from functools import cache
from typing import Any

from django.http import HttpRequest
from ninja import NinjaAPI
from ninja.errors import HttpError, ValidationError

from dispatcher import strict_json
from dispatcher.strict_json import NotJson

# The last but one is what curl says of everything; what is a form indeed is no JSON.
TAKEN = re.compile(r"application/([\w.-]+\+)?json|application/x-www-form-urlencoded|", re.ASCII)


def read_body(request: HttpRequest) -> dict[str, Any]:
    """Raises NotJson."""
    kind = (request.content_type or "").lower()
    if not TAKEN.fullmatch(kind):
        raise NotJson(f"The body is said to be {kind[:60]}; send JSON, as application/json.")
    return strict_json.parse(request.body)


def refuse_unasked(request: HttpRequest, api: NinjaAPI) -> None:
    """A body where none is asked for is refused like a field nobody knows. Raises HttpError or ValidationError."""
    route = request.resolver_match.route if request.resolver_match else ""
    place = re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", route.removeprefix("api"))
    if request.method == "GET" or (request.method, place) in with_body(api) or not request.body:
        return
    try:
        found = read_body(request)
    except NotJson as fault:
        raise HttpError(400, str(fault)) from fault
    if found:
        raise ValidationError([{"type": "extra_forbidden", "loc": ("body", "body", name)} for name in found])


@cache
def with_body(api: NinjaAPI) -> set[tuple[str, str]]:
    """Method and path of every operation that takes one."""
    paths = api.get_openapi_schema()["paths"]
    return {
        (method.upper(), path)
        for path, methods in paths.items()
        for method, operation in methods.items()
        if "requestBody" in operation
    }
