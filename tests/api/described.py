"""The OpenAPI document as tests read it, and whether an answer is one it declares."""

import json
import re
from functools import cache
from typing import Any

from django.http import HttpResponse

from dispatcher.api.front_door import api
from dispatcher.api.schema import operations_of

WHERE = "Declare it in ALSO of dispatcher/api/refusals.py, or in response= of the route."


@cache
def description() -> dict[str, Any]:
    return json.loads(json.dumps(api.get_openapi_schema()))


def resolved(part: dict[str, Any]) -> dict[str, Any]:
    """What a reference within the document leads to."""
    found: Any = description()
    for word in part.get("$ref", "#").split("/")[1:]:
        found = found[word]
    return found if "$ref" in part else part


@cache
def operations() -> list[tuple[str, str, dict[str, Any]]]:
    return list(operations_of(description()))


def operation_at(method: str, path: str) -> dict[str, Any] | None:
    """The operation a request reaches; of two, the one whose path has fewer names."""
    asked = path.removeprefix("/api").rstrip("/")
    fitting = [
        (each.count("{"), operation)
        for known, each, operation in operations()
        if known == method.lower() and re.fullmatch(re.sub(r"{\w+}", "[^/]+", each), asked)
    ]
    return min(fitting, key=lambda found: found[0])[1] if fitting else None


def codes_of(operation: dict[str, Any], status: int) -> list[str]:
    schema = resolved(operation["responses"][str(status)])["content"]["application/json"]["schema"]
    return schema["properties"]["error"]["properties"]["code"]["enum"]


def check_declared(method: str, path: str, answer: HttpResponse) -> None:
    """Fails where a program that knows only the description could not have expected the answer."""
    operation = operation_at(method, path.partition("?")[0])
    if operation is None:
        return
    name = f"{method.upper()} {path} ({operation['operationId']})"
    assert str(answer.status_code) in operation["responses"], f"{name}: undeclared {answer.status_code}. {WHERE}"
    if answer.status_code >= 400:
        code = answer.json()["error"]["code"]
        declared = codes_of(operation, answer.status_code)
        assert code in declared, f"{name}: {answer.status_code} {code} is none of {declared}. {WHERE}"
