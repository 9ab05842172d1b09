"""What the API takes as the body of a request: JSON, strictly, and only where one is asked for."""

import re
from collections.abc import Container, Iterable
from functools import cache
from typing import Any

from django.http import HttpRequest
from ninja import NinjaAPI
from ninja.errors import HttpError, ValidationError

from wires import strict_json
from wires.strict_json import NotJson

# The last but one is what curl says of everything; what is a form indeed is no JSON.
TAKEN = re.compile(r"application/([\w.-]+\+)?json|application/x-www-form-urlencoded|", re.ASCII)

FORM = "multipart/form-data"


def read_body(request: HttpRequest) -> dict[str, Any]:
    """Raises NotJson."""
    kind = (request.content_type or "").lower()
    if not TAKEN.fullmatch(kind):
        raise NotJson(f"The body is said to be {kind[:60]}; send JSON, as application/json.")
    return strict_json.parse(request.body)


def refuse_unasked(request: HttpRequest, api: NinjaAPI) -> None:
    """Fields of a form that nobody knows are refused, and so is a body where none is asked for.

    Those of JSON are refused by the shape it has to have. Raises HttpError or ValidationError.
    """
    route = request.resolver_match.route if request.resolver_match else ""
    place = re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", route.removeprefix("api"))
    bodies = with_body(api)
    if request.method == "GET":
        return
    if (request.method, place) not in bodies:
        refuse_extra(unasked(request) if request.body else (), known=())
    elif fields := bodies[request.method, place]:
        refuse_extra([*request.POST, *request.FILES], known=fields)


def refuse_extra(names: Iterable[str], *, known: Container[str]) -> None:
    if extra := [name for name in names if name not in known]:
        raise ValidationError([{"type": "extra_forbidden", "loc": ("body", "body", name)} for name in extra])


def unasked(request: HttpRequest) -> dict[str, Any]:
    try:
        return read_body(request)
    except NotJson as fault:
        raise HttpError(400, str(fault)) from fault


@cache
def with_body(api: NinjaAPI) -> dict[tuple[str | None, str], set[str]]:
    """Method and path of every operation that takes one, and the fields of those that take a form."""
    return {
        (method.upper(), path): fields_of(operation["requestBody"]["content"])
        for path, methods in api.get_openapi_schema()["paths"].items()
        for method, operation in methods.items()
        if "requestBody" in operation
    }


def fields_of(content: dict[str, Any]) -> set[str]:
    return {*content[FORM]["schema"]["properties"]} if FORM in content else set()
