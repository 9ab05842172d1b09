"""How tests call the API: as a program with a key does."""

import json
from typing import Any

from asgiref.sync import async_to_sync
from django.http import HttpResponse
from django.test import Client

from accounts.models import ApiKey, Role, Workspace
from tests.api.described import check_declared

BAD_BODIES = {
    "nothing": b"",
    "not JSON": b"{",
    "trailing text": b'{"name": "A"} x',
    "not UTF-8": b'{"name": "\xff"}',
    "UTF-16": '{"name": "A"}'.encode("utf-16"),
    "a list": b"[]",
    "a text": b'"name"',
    "null": b"null",
    "NaN": b'{"name": NaN}',
    "Infinity": b'{"name": -Infinity}',
    "a number without end": b'{"name": 1e999}',
    "a number of 5,000 digits": b'{"name": ' + b"9" * 5000 + b"}",
    "a name twice": b'{"name": "A", "name": "B"}',
    "a name twice, deep down": b'{"segment": {"location": "A", "location": "B"}}',
    "NUL": rb'{"name": "A\u0000"}',
    "NUL as it is": b'{"name": "A\x00"}',
    "a lone surrogate": rb'{"name": "\ud800"}',
    "a lone surrogate in a name": rb'{"\udc00": 1}',
    "an encoded surrogate": b'{"name": "\xed\xa0\x80"}',
    "a control character": rb'{"name": "A\u001b"}',
    "100,000 brackets": b'{"name": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    "100,000 braces": b'{"a":' * 100_000 + b"1" + b"}" * 100_000,
    "51 levels": b'{"name": ' + b"[" * 51 + b"]" * 51 + b"}",
}


class Program:
    """A program that has a key of this workspace."""

    def __init__(self, workspace: Workspace, role: Role = Role.MARKETER) -> None:
        self.workspace = workspace
        self.key, self.secret = ApiKey.make(workspace, "a program", role)
        self.headers = {"Authorization": f"Bearer {self.secret}"}

    def get(self, path: str, **query: object) -> HttpResponse:
        return self.call("get", path, data=query)

    def walk(self, path: str, **query: object) -> list[dict[str, Any]]:
        """All rows of a list, two at a time, as the cursor leads on."""
        rows, cursor = [], ""
        while cursor is not None:
            answer = self.get(path, cursor=cursor, page_size=2, **query).json()
            assert len(answer["data"]) <= 2
            rows += answer["data"]
            cursor = answer["pagination"]["next_cursor"]
        return rows

    def post(self, path: str, body: dict[str, Any] | None = None) -> HttpResponse:
        return self.post_raw(path, json.dumps(body or {}).encode())

    def put(self, path: str, body: dict[str, Any]) -> HttpResponse:
        return self.call("put", path, data=json.dumps(body), content_type="application/json")

    def patch(self, path: str, body: dict[str, Any]) -> HttpResponse:
        return self.call("patch", path, data=json.dumps(body), content_type="application/json")

    def delete(self, path: str) -> HttpResponse:
        return self.call("delete", path)

    def post_raw(self, path: str, body: bytes) -> HttpResponse:
        return self.call("post", path, data=body, content_type="application/json")

    def call(self, method: str, path: str, **request: Any) -> HttpResponse:
        """Whatever comes back has to be declared in the OpenAPI document."""
        answer = getattr(Client(), method)(path, headers=self.headers, **request)
        check_declared(method, path, answer)
        return answer


def whole(response: HttpResponse) -> bytes:
    """What comes piece by piece."""

    async def all_of() -> bytes:
        return b"".join([piece async for piece in response.streaming_content])

    return async_to_sync(all_of)()


def error_of(response: HttpResponse) -> dict[str, Any]:
    """The error a refusal carries, after a look at its shape."""
    body = response.json()
    assert list(body) == ["error"]
    assert list(body["error"]) == ["code", "message", "details"]
    return body["error"]
