"""Every answer has a number, and the log says who asked for what, but not what with."""

import json
import logging

import pytest
from django.conf import settings
from django.test import Client

from accounts.log_lines import Objects
from accounts.origin import WithOrigin
from tests.api.calls import Program
from tests.make import make_campaign, make_workspace

pytestmark = pytest.mark.django_db


@pytest.fixture
def logged(caplog):
    """The lines as programs read them."""
    caplog.handler.addFilter(WithOrigin())
    caplog.handler.setFormatter(Objects())
    caplog.set_level(logging.INFO)
    return lambda: [json.loads(caplog.handler.format(record)) for record in caplog.records]


def test_a_request_leaves_one_line_that_says_who_asked_for_what(logged):
    program = Program(make_workspace())
    campaign = make_campaign(program.workspace)

    answer = program.get(f"/api/campaigns/{campaign.pk}/", cursor="", q="ann@example.com")

    line = next(line for line in logged() if line["logger"] == "accounts.origin")
    wanted = {
        "method": "GET",
        "route": "/api/campaigns/<campaign_id>",
        "path": f"/api/campaigns/{campaign.pk}/",
        "status": answer.status_code,
    }
    wanted |= {"request_id": answer["X-Request-ID"], "key": program.key.prefix, "workspace": program.workspace.pk}
    assert line.items() >= wanted.items()
    assert isinstance(line["milliseconds"], int)


def test_of_a_long_path_only_the_beginning_is_in_the_line(logged):
    Client().get("/" + "x" * 5_000)

    line = next(line for line in logged() if line["logger"] == "accounts.origin")
    assert line["path"] == "/" + "x" * 1_999
    assert len(line["message"]) < 2_100


def test_neither_body_nor_query_nor_key_is_in_the_log(logged):
    program = Program(make_workspace())

    program.post("/api/customers", {"email": "canary@example.com", "first_name": "Canaria", "nonsense": "Canaria"})
    program.get("/api/customers", q="Canaria")
    Client().get("/login/?next=Canaria")

    text = json.dumps(logged())
    assert len(logged()) >= 3
    assert "anari" not in text and program.secret not in text


def test_what_breaks_is_told_with_the_number_in_the_answer(logged, monkeypatch):
    program = Program(make_workspace())
    monkeypatch.setattr("dispatcher.api.front_door.house.queue_of", lambda *_: 1 / 0)

    answer = program.get("/api/queue/stats")

    number = answer["X-Request-ID"]
    assert number in answer.json()["error"]["message"]
    assert any(line["request_id"] == number and "ZeroDivisionError" in line.get("exception", "") for line in logged())


def test_what_django_says_of_a_refusal_has_the_number_too(logged):
    number = Client().get("/nothing/here/")["X-Request-ID"]

    assert {line["logger"]: line["request_id"] for line in logged()} == {
        "accounts.origin": number,
        "django.request": number,
    }


@pytest.mark.parametrize(
    ("address", "status"),
    [
        ("/nothing/here/", 404),
        ("/login/", 200),
        ("/health", None),
        ("/api/nothing", 404),
        ("/campaigns/?q=%00", 400),
        ("/static/app.css", 200),
    ],
)
def test_every_answer_has_a_number(address, status):
    answer = Client().get(address)

    assert status in (None, answer.status_code)
    assert len(answer["X-Request-ID"]) == 32


def test_a_forged_form_a_foreign_host_and_our_own_faults_have_one_too(monkeypatch):
    forged = Client(enforce_csrf_checks=True).post("/login/", {})
    monkeypatch.setattr(settings, "ALLOWED_HOSTS", ["elsewhere.example"])
    foreign = Client().get("/login/")
    monkeypatch.setattr(settings, "ALLOWED_HOSTS", ["testserver"])
    monkeypatch.setattr(settings, "LOGIN_REDIRECT_URL", None)
    monkeypatch.setattr("accounts.access.get_user", lambda request: 1 / 0)
    broken = Client(raise_request_exception=False).get("/")

    for answer, status in ((forged, 403), (foreign, 400), (broken, (500, 302))):
        assert answer.status_code == status or answer.status_code in status
        assert answer["X-Request-ID"]
