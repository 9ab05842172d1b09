import json

import pytest
from django.db import OperationalError
from django.test import Client

from accounts.models import ApiKey, Role
from campaigns.models import Campaign
from dispatcher.api import answers
from tests.api.calls import BAD_BODIES, Program, error_of
from tests.make import make_campaign, make_workspace
from tests.test_roles import OPERATIONS

pytestmark = pytest.mark.django_db


@pytest.fixture
def program() -> Program:
    return Program(make_workspace())


@pytest.mark.parametrize("body", BAD_BODIES.values(), ids=BAD_BODIES)
def test_a_body_that_cannot_be_read_is_refused_with_a_sentence(program, body):
    answer = program.post_raw("/api/campaigns", body)

    assert answer.status_code == 400
    error = error_of(answer)
    assert error["code"] in ("INVALID_REQUEST", "VALIDATION_ERROR")
    assert error["message"]
    assert not Campaign.objects.exists()


@pytest.mark.parametrize("body", [b for name, b in BAD_BODIES.items() if name != "nothing"])
def test_a_send_that_cannot_be_read_changes_nothing(program, body):
    campaign = make_campaign(program.workspace, people=1)

    assert program.post_raw(f"/api/campaigns/{campaign.pk}/send", body).status_code == 400
    campaign.refresh_from_db()
    assert campaign.status == Campaign.Status.DRAFT


@pytest.mark.parametrize("path", ["/api", "/api/", "/api/nothing", "/api/campaigns/1/nothing", "/api//campaigns"])
def test_an_address_that_leads_nowhere_is_told_in_json(path):
    answer = Client().get(path)

    assert answer.status_code == 404
    assert error_of(answer)["code"] == "NOT_FOUND"


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("put", "/api/campaigns", {"GET", "POST"}),
        ("put", "/api/campaigns/1", {"GET", "PATCH", "DELETE"}),
        ("get", "/api/campaigns/1/send", {"POST"}),
    ],
)
def test_a_wrong_method_is_told_in_json(program, method, path, allowed):
    answer = getattr(Client(), method)(path, headers=program.headers)

    assert answer.status_code == 405
    assert error_of(answer)["code"] == "METHOD_NOT_ALLOWED"
    assert set(answer["Allow"].split(", ")) == allowed


def test_an_address_that_cannot_be_stored_is_refused(program):
    for query in ("q=%00", "q=%ed%a0%80", "page=%1b"):
        answer = Client().get(f"/api/campaigns?{query}", headers=program.headers)
        assert answer.status_code in (200, 400)


def test_a_body_that_is_too_large_is_refused(program, settings):
    body = json.dumps({"name": "x" * settings.DATA_UPLOAD_MAX_MEMORY_SIZE}).encode()

    answer = program.post_raw("/api/campaigns", body)

    assert answer.status_code == 413
    assert error_of(answer)["code"] == "BODY_TOO_LARGE"


def test_a_list_of_wrong_numbers_is_not_answered_with_as_many_faults(program):
    campaign = make_campaign(program.workspace)

    answer = program.post(f"/api/campaigns/{campaign.pk}/send", {"customer_ids": ["x"] * 10_000})

    assert answer.status_code == 400
    assert len(error_of(answer)["details"]) <= 20


@pytest.mark.parametrize(
    ("path", "query", "fields"),
    [
        ("campaigns", {"status": "x", "archived": "x"}, {"status", "archived"}),
        ("customers", {"wish": "x", "channel": "x", "group_id": "x"}, {"wish", "channel", "group_id"}),
        ("customers/export", {"channel": "x", "group_id": "0"}, {"channel", "group_id"}),
    ],
)
def test_what_is_wrong_in_a_query_goes_by_the_name_it_has_there(program, path, query, fields):
    assert set(error_of(program.get(f"/api/{path}", **query))["details"]) == fields


def test_a_wrong_field_goes_by_its_name_whatever_it_may_hold_and_whatever_it_is_called(program):
    rule = {"field": "location", "comparison": "is", "value": []}
    segment = {"name": "A", "rules": {"blocks": [{"rules": [rule]}]}, "str": 1}

    details = error_of(program.post("/api/segments", segment))["details"]

    assert set(details) == {"rules.blocks.0.rules.0.value", "str"}


@pytest.mark.parametrize("path", ["images", "imports"])
def test_a_form_without_its_file_is_told_so(program, path):
    answer = program.call("post", f"/api/{path}", data={"alt": "A"} if path == "images" else {})

    assert error_of(answer)["details"] == {"file": ["This field is required."]}


def test_a_key_that_may_not_is_told_what_it_may_not():
    program = Program(make_workspace(), Role.EDITOR)
    sent, cancelled = (make_campaign(program.workspace) for _ in range(2))
    Campaign.objects.filter(pk=sent.pk).update(status=Campaign.Status.SENT)
    Campaign.objects.filter(pk=cancelled.pk).update(status=Campaign.Status.CANCELLED)
    paths = ("customers/1", f"campaigns/{sent.pk}", f"campaigns/{cancelled.pk}")

    said = [error_of(program.delete(f"/api/{path}"))["message"].partition("you cannot ")[2] for path in paths]

    assert said == [
        "erase people: that takes an admin or an owner.",
        "delete what was sent: that takes an admin or an owner.",
        "delete what was cancelled: that takes a marketer, an admin or an owner.",
    ]


def test_our_own_fault_is_told_by_its_number_alone(program, monkeypatch, caplog):
    def broken(campaigns):
        raise KeyError("a secret of the house")

    monkeypatch.setattr(answers, "stats_of_many", broken)

    answer = program.get("/api/campaigns")

    assert answer.status_code == 500
    assert error_of(answer)["code"] == "INTERNAL"
    number = error_of(answer)["details"]["request_id"]
    assert number == answer["X-Request-ID"]
    assert "secret" not in answer.content.decode()
    assert number in caplog.text
    assert "a secret of the house" in caplog.text


def test_a_database_that_is_down_is_told(program, monkeypatch):
    def down(secret):
        raise OperationalError("connection to server at 10.0.0.7 failed")

    monkeypatch.setattr(ApiKey, "of", down)

    answer = program.get("/api/campaigns")

    assert answer.status_code == 503
    assert error_of(answer)["code"] == "UNAVAILABLE"
    assert answer["Retry-After"]
    assert "10.0.0.7" not in answer.content.decode()


def test_every_answer_has_a_number_and_is_kept_by_nobody(program):
    for answer in (program.get("/api/campaigns"), program.get("/api/nothing"), Client().get("/api/campaigns")):
        assert answer["X-Request-ID"]
        assert answer["Cache-Control"] == "no-store"


def test_the_api_describes_itself():
    answer = Client().get("/api/openapi.json")

    assert answer.status_code == 200
    assert {f"/{name.split(' ')[1]}" for name in OPERATIONS} == set(answer.json()["paths"])


def test_the_description_can_be_read_without_strangers():
    page = Client().get("/api/docs")

    assert page.status_code == 200
    text = page.content.decode()
    assert "/api/openapi.json" in text
    assert "http" not in text.replace("http-equiv", "")
