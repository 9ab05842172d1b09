"""The OpenAPI document, completed: what every operation may answer, with which headers, and examples of all of it."""

from collections.abc import Iterator
from http import HTTPStatus
from typing import Any, TypeVar

from dispatcher.api.examples import BODIES, NoExample, asked_example, example_of
from dispatcher.api.refusals import EVERYWHERE, refusals_of, sentence_of

Json = dict[str, Any]
Document = TypeVar("Document", bound=Json)
MEDIA = "application/json"
PRINTABLE = "^[^\\x00-\\x1f\\x7f]*$"  # what accounts.access lets through in an address

TAGS = {
    "campaigns": "Write them, list them, preview them, send them.",
    "before sending": "Check a campaign, read it as its people get it, try it out.",
    "variants": "Several texts of one campaign, and which of them is better.",
    "series": "Campaigns that come again.",
    "verbs": "What may be asked of a campaign once it is written.",
    "what became of it": "How far a campaign is, its messages one by one, and its history.",
    "what needs a person": "What went wrong and waits for somebody to decide.",
    "customers": "The people of the workspace.",
    "recipients": "The same people by their email addresses, and what they wish.",
    "groups": "Lists of people.",
    "imports": "Lists of people, brought in behind the scenes.",
    "segments": "People described by rules, found anew each time.",
    "suppression list": "Addresses nobody writes to, whatever else anybody does.",
    "templates": "Texts to begin a campaign with, with all their versions.",
    "WhatsApp templates": "What the provider has to approve, and what it decided.",
    "images": "Pictures for emails.",
    "settings": "What admins choose for a workspace.",
    "replies": "What people answer, passed on by a provider.",
    "complaints": "Who called a message spam, passed on by a provider.",
    "the house": "What waits, and how the day went.",
}

ERROR = {
    "title": "Error",
    "description": "Every refusal has this shape.",
    "type": "object",
    "properties": {
        "error": {
            "type": "object",
            "properties": {
                "code": {"type": "string", "description": "A word for programs; it stays when a sentence is reworded."},
                "message": {"type": "string", "description": "A sentence for people."},
                "details": {"type": "object", "description": "Fields and what is wrong with each, or what else helps."},
            },
            "required": ["code", "message", "details"],
            "additionalProperties": False,
        }
    },
    "required": ["error"],
    "additionalProperties": False,
}


def header(description: str, kind: str = "string", required: bool = False) -> Json:
    return {"description": description, "required": required, "schema": {"type": kind}}


HEADERS = {
    "X-Request-ID": header("The number of this request, as our logs and the audit log know it.", required=True),
    "RateLimit-Limit": header("How many requests, or sends, a minute are possible: the nearest limit.", "integer"),
    "RateLimit-Remaining": header("How many of them are left.", "integer"),
    "RateLimit-Reset": header("In how many seconds there is one more.", "integer"),
    "Retry-After": header("After how many seconds it is worth another try.", "integer"),
    "Idempotent-Replayed": header("true where this is the answer to the first request with the Idempotency-Key."),
    "WWW-Authenticate": header("How to say who asks.", required=True),
}
ALWAYS = ["X-Request-ID", "RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset"]
HEADERS_OF = {
    401: [*ALWAYS, "WWW-Authenticate"],
    409: [*ALWAYS, "Retry-After"],
    413: ["X-Request-ID"],  # most often the server says it, before anybody knows whose key it is
    429: [*ALWAYS, "Retry-After"],
    503: [*ALWAYS, "Retry-After"],
}

IDEMPOTENCY_KEY = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "description": "Any word of yours. The same request under the same key is done once, for 24 hours.",
    "schema": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[ -~]+$"},
    "example": "order-4711",
}


def completed(document: Document) -> Document:
    """The document with everything django-ninja does not know of."""
    shapes = document["components"]["schemas"] | {"Error": ERROR}
    for method, path, operation in operations_of(document):
        complete(method, path, operation, shapes)
    shared = {name_of_status(status): refusal(status, codes) for status, codes in EVERYWHERE.items()}
    document["components"] |= {"schemas": used(shapes, document["paths"], shared)}
    document["components"] |= {"responses": shared, "headers": HEADERS}
    tags = {tag for _, _, operation in operations_of(document) for tag in operation.get("tags", [])}
    document["tags"] = [{"name": tag, "description": said} for tag, said in TAGS.items() if tag in tags]
    return document


def operations_of(document: Json) -> Iterator[tuple[str, str, Json]]:
    """Each operation with its method and its path."""
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield method, path, operation


def complete(method: str, path: str, operation: Json, shapes: Json) -> None:
    for parameter in operation["parameters"]:
        complete_parameter(parameter)
    if method == "post":
        operation["parameters"].append(IDEMPOTENCY_KEY)
    fields = complete_body(operation, shapes)
    responses = operation["responses"]
    for response in responses.values():
        complete_answer(response, [*ALWAYS, "Idempotent-Replayed"] if method == "post" else ALWAYS, shapes)
    refusals = refusals_of(operation["operationId"], method, path, fields)
    operation["responses"] = responses | {status: declared(status, codes) for status, codes in refusals.items()}


def complete_parameter(parameter: Json) -> None:
    schema = parameter["schema"]
    if schema.get("type") == "string" and not schema.keys() & {"enum", "const", "pattern", "format"}:
        schema["pattern"] = PRINTABLE
    if (value := asked_example(parameter["name"])) is not None:
        parameter.setdefault("example", value)


def complete_body(operation: Json, shapes: Json) -> list[str]:
    """Gives the body its example; returns the names of its fields."""
    fields: list[str] = []
    for content in operation.get("requestBody", {}).get("content", {}).values():
        name = name_of(content["schema"])
        fields += shapes.get(name, content["schema"]).get("properties", {})
        example = BODIES.get(operation["operationId"], BODIES.get(name))
        if example is not None:
            content.setdefault("example", example)
    return fields


def name_of(schema: Json) -> str:
    """Of the shape a body has; ninja wraps one that has a default."""
    inner = (schema.get("allOf") or [schema])[0]
    return inner.get("$ref", "").rsplit("/", 1)[-1]


def complete_answer(response: Json, headers: list[str], shapes: Json) -> None:
    response["headers"] = {name: {"$ref": f"#/components/headers/{name}"} for name in headers}
    content = response.get("content", {}).get(MEDIA)
    if content and "example" not in content:
        try:
            content["example"] = example_of(content["schema"], shapes)
        except NoExample as missing:  # a test asks for it; whoever reads the document does not miss it
            content["x-no-example"] = str(missing)


def declared(status: int, codes: list[str]) -> Json:
    """What most operations answer alike stands once, so that the document stays small."""
    if EVERYWHERE.get(status) == codes:
        return {"$ref": f"#/components/responses/{name_of_status(status)}"}
    return refusal(status, codes)


def name_of_status(status: int) -> str:
    return HTTPStatus(status).phrase.replace(" ", "")


def refusal(status: int, codes: list[str]) -> Json:
    """The answer with this status, which has one of these codes."""
    headers = HEADERS_OF.get(status, ALWAYS)
    schema = {
        "$ref": "#/components/schemas/Error",
        "properties": {"error": {"properties": {"code": {"enum": codes}}}},
    }
    example = {"error": {"code": codes[0], "message": said_with(status, codes[0]), "details": {}}}
    return {
        "description": f"{sentence_of(status)} ({', '.join(codes)})",
        "headers": {name: {"$ref": f"#/components/headers/{name}"} for name in headers},
        "content": {MEDIA: {"schema": schema, "example": example}},
    }


def said_with(status: int, code: str) -> str:
    if code.endswith("_NOT_FOUND"):
        return f"{code.removesuffix('_NOT_FOUND').replace('_', ' ').capitalize()} with ID 999 not found"
    return sentence_of(status).replace("`", "")


def used(shapes: Json, *roots: Any) -> Json:
    """The shapes somebody names; ninja lists those of queries, too, under names that are not unique."""
    found: Json = {}
    waiting = [name for root in roots for name in names_in(root)]
    while waiting:
        name = waiting.pop()
        if name not in found:
            found[name] = shapes[name]
            waiting += names_in(shapes[name])
    return {name: shape for name, shape in shapes.items() if name in found}


def names_in(part: Any) -> Iterator[str]:
    if isinstance(part, dict):
        if "$ref" in part and part["$ref"].startswith("#/components/schemas/"):
            yield part["$ref"].rsplit("/", 1)[-1]
        part = list(part.values())
    if isinstance(part, list):
        for inner in part:
            yield from names_in(inner)
