"""The OpenAPI document: complete, true, and with an example of everything."""

import re
from collections.abc import Iterator
from typing import Any

import jsonschema_rs
import pytest
from django.test import Client

from dispatcher.api.refusals import ALSO
from tests.api.described import description, operations, resolved

EVERY = [pytest.param(*each, id=each[2]["operationId"]) for each in operations()]
EVERY_TIME = {"400", "401", "403", "429", "500", "503"}


def test_the_document_can_be_had_without_a_key_and_names_where_it_belongs():
    answer = Client().get("/api/openapi.json")

    assert answer.status_code == 200
    assert answer.json() == description()
    assert description()["openapi"] == "3.1.0"
    assert description()["servers"][0]["url"] == "/api"
    assert description()["components"]["securitySchemes"]["Key"]["scheme"] == "bearer"


@pytest.mark.parametrize(("method", "path", "operation"), EVERY)
def test_an_operation_declares_every_way_it_may_end(method, path, operation):
    declared = set(operation["responses"])

    expected = EVERY_TIME | ({"404"} if "_id}" in path else set())
    expected |= {"409", "413", "422"} if method == "post" else {"409"} if method != "get" else set()
    assert declared >= expected
    assert any(status.startswith("2") for status in declared)
    for status, each in operation["responses"].items():
        response = resolved(each)
        assert response["description"]
        assert "X-Request-ID" in response["headers"]
        assert status not in ("429", "503") or "Retry-After" in response["headers"]


@pytest.mark.parametrize(("method", "path", "operation"), EVERY)
def test_an_operation_is_called_by_a_verb_and_a_noun_and_stands_under_a_tag_that_is_explained(method, path, operation):
    hint = f"give {method.upper()} {path} an operation_id such as show_campaign"
    assert re.fullmatch(r"[a-z]+(_[a-z]+)+", operation["operationId"]), hint
    explained = {tag["name"] for tag in description()["tags"] if tag["description"]}
    assert set(operation["tags"]) <= explained, "explain the tag in TAGS of dispatcher/api/schema.py"
    assert operation["summary"]
    assert operation["security"] == [{"Key": []}]


@pytest.mark.parametrize(("method", "path", "operation"), EVERY)
def test_an_operation_has_an_example_of_what_it_takes_and_of_what_it_answers(method, path, operation):
    hint = f"add one for {operation['operationId']} to BODIES in dispatcher/api/examples.py"
    for content in operation.get("requestBody", {"content": {}})["content"].values():
        assert "example" in content, hint
    for response in map(resolved, operation["responses"].values()):
        for content in response.get("content", {}).values():
            assert "example" in content, content.get("x-no-example")
    for parameter in operation["parameters"]:
        if parameter["required"]:
            assert "example" in parameter, (
                f"add a value for {parameter['name']} to VALUES in dispatcher/api/examples.py"
            )


def test_every_example_is_one_of_its_schema():
    wrong = [
        f"{operation['operationId']} {status}: {fault.instance_path} {fault.message[:100]}"
        for _, _, operation in operations()
        for status, part in [*operation["responses"].items(), ("body", operation.get("requestBody", {}))]
        for content in resolved(part).get("content", {}).values()
        if "schema" in content
        for fault in faults_of(content["example"], content["schema"])
    ]

    assert wrong == []


def faults_of(example: Any, schema: dict[str, Any]) -> Iterator[jsonschema_rs.ValidationError]:
    return jsonschema_rs.validator_for(schema | {"components": description()["components"]}).iter_errors(example)


def test_no_two_operations_have_the_same_name():
    names = [operation["operationId"] for _, _, operation in operations()]

    assert len(names) == len(set(names))
    assert ALSO.keys() <= set(names), "a line of ALSO is of no operation"
