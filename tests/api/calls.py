"""How tests call the API: as a program with a key does."""

import json
from typing import Any

from django.http import HttpResponse
from django.test import Client

from accounts.models import ApiKey, Role, Workspace


class Program:
    """A program that has a key of this workspace."""

    def __init__(self, workspace: Workspace, role: Role = Role.MARKETER) -> None:
        self.workspace = workspace
        self.key, self.secret = ApiKey.make(workspace, "a program", role)
        self.headers = {"Authorization": f"Bearer {self.secret}"}

    def get(self, path: str, **query: object) -> HttpResponse:
        return Client().get(path, query, headers=self.headers)

    def post(self, path: str, body: dict[str, Any] | None = None) -> HttpResponse:
        return self.post_raw(path, json.dumps(body or {}).encode())

    def post_raw(self, path: str, body: bytes) -> HttpResponse:
        return Client().post(path, body, content_type="application/json", headers=self.headers)


def error_of(response: HttpResponse) -> dict[str, Any]:
    """The error a refusal carries, after a look at its shape."""
    body = response.json()
    assert list(body) == ["error"]
    assert list(body["error"]) == ["code", "message", "details"]
    return body["error"]
