"""Bad input of every kind, on every route the OpenAPI document has: a new one is tried by itself."""

import json
import re

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from accounts.models import Role
from tests.api.calls import Program, error_of
from tests.api.described import operations
from tests.make import make_workspace

pytestmark = pytest.mark.django_db

EVERY = [pytest.param(*each, id=each[2]["operationId"]) for each in operations()]
CHANGING = [each for each in EVERY if each.values[0] != "get"]
NUMBERED = [each for each in EVERY if "_id}" in each.values[1]]
FORM = "application/x-www-form-urlencoded"
MULTIPART = "multipart/form-data"
BAD = {
    "broken": ("application/json", b'{"name": '),
    "an unknown field": ("application/json", b'{"nobody_knows_this": 1}'),
    "a list": ("application/json", b"[1]"),
    "no number": ("application/json", b'{"name": NaN}'),
    "NUL": ("application/json", rb'{"name": "\u0000"}'),
    "a form": (FORM, b"name=Spring&channel=sms"),
    "a text": ("text/plain", b"{}"),
    "XML": ("application/xml", b"<campaign/>"),
}
WRONG_NUMBERS = {"a word": "x", "a fraction": "1.5", "negative": "-1", "beyond bigint": "9" * 19, "endless": "9" * 400}


@pytest.fixture
def program() -> Program:
    return Program(make_workspace(), Role.OWNER)


def somewhere(path: str, number: str = "999") -> str:
    return "/api" + re.sub(r"{\w+}", number, path)


@pytest.mark.parametrize(("method", "path", "operation"), CHANGING)
def test_a_bad_body_is_refused_before_anything_is_looked_up(program, method, path, operation):
    takes = operation.get("requestBody", {"content": {"application/json": {}}})["content"]
    if "application/json" not in takes:
        return

    for name, (kind, body) in BAD.items():
        answer = program.call(method, somewhere(path), data=body, content_type=kind)
        assert answer.status_code == 400, f"{name}: {answer.status_code} {answer.content.decode()}"
        assert error_of(answer)["code"] in ("INVALID_REQUEST", "VALIDATION_ERROR")
        assert error_of(answer)["message"].endswith((".", "!"))


def test_a_field_of_a_form_that_nobody_knows_is_refused_and_named(program):
    forms = [path for _, path, each in operations() if MULTIPART in each.get("requestBody", {"content": ()})["content"]]

    assert forms
    for path in forms:
        answer = program.call(
            "post", somewhere(path), data={"strat": "false", "file": SimpleUploadedFile("a", b"a@b.c")}
        )
        assert (answer.status_code, list(error_of(answer)["details"])) == (400, ["strat"]), path


@pytest.mark.parametrize(("method", "path", "operation"), NUMBERED)
def test_a_number_that_is_none_or_beyond_all_is_refused(program, method, path, operation):
    example = operation.get("requestBody", {"content": {}})["content"].get("application/json", {}).get("example", {})

    for name, number in WRONG_NUMBERS.items():
        body = {"data": json.dumps(example), "content_type": "application/json"} if method != "get" else {}
        answer = program.call(method, somewhere(path, number), **body)
        assert answer.status_code in (400, 404), f"{name}: {answer.status_code} {answer.content.decode()}"
        assert error_of(answer)["message"]


def test_any_page_can_be_asked_for(program):
    lists = [path for method, path, each in operations() if any(p["name"] == "page" for p in each["parameters"])]

    for path in lists:
        if "{" not in path:
            assert program.get(somewhere(path), page="1" + "0" * 20, page_size="-7").status_code == 200, path


def test_a_head_is_answered_like_a_get_and_options_say_what_is_possible(program):
    for path in ("/api/campaigns", "/api/campaigns/999", "/api/openapi.json"):
        told, asked = Client().head(path, headers=program.headers), Client().get(path, headers=program.headers)
        assert (told.status_code, told.content) == (asked.status_code, b"")
    assert Client().head("/api/campaigns").status_code == 401
    assert Client().head("/api/nothing").status_code == 404

    options = Client().options("/api/customers/")
    assert (options.status_code, options.content) == (204, b"")
    assert set(options["Allow"].split(", ")) == {"GET", "POST", "OPTIONS"}
    assert Client().options("/api/nothing").status_code == 404


def test_a_json_body_may_be_called_what_curl_calls_it(program):
    for kind in (FORM, "application/json; charset=utf-8", "application/vnd.api+json", ""):
        answer = program.call("post", "/api/groups", data=b'{"name": "VIP"}', content_type=kind)
        assert answer.status_code in (200, 201), kind
