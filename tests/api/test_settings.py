"""/settings: what admins choose for a workspace, read and changed by their keys."""

import pytest

from accounts.models import Role
from campaigns.generated import chosen_of
from dispatcher.choose import choose
from dispatcher.models import ChosenSender
from people.channels import Channel
from people.models import ConsentSettings
from tests.api.calls import Program, error_of
from tests.make import make_workspace

pytestmark = pytest.mark.django_db


@pytest.fixture
def program() -> Program:
    return Program(make_workspace(), Role.ADMIN)


def test_the_moment_before_sending_is_changed_in_what_is_given_alone(program):
    path = "/api/settings/before-sending"
    prices = {"sms": {"amount": "0.8", "currency": "KES"}}

    assert program.patch(path, {"undo_seconds": 30, "typed_above": 1000}).status_code == 200
    assert program.patch(path, {"prices": prices}).status_code == 200

    wanted = {"undo_seconds": 30, "typed_above": 1000, "prices": prices}
    assert program.get(path).json() == wanted
    taken_back = {"typed_above": None, "prices": {}}
    assert program.patch(path, taken_back).json() == wanted | taken_back


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({}, "body"),
        ({"undo_seconds": 601}, "undo_seconds"),
        ({"undo_seconds": None}, "undo_seconds"),
        ({"typed_above": -1}, "typed_above"),
        ({"prices": {"sms": {"amount": "dear", "currency": "KES"}}}, "sms_price"),
        ({"prices": {"sms": {"amount": "1", "currency": "K"}}}, "sms_currency"),
        ({"prices": {"pigeon": {"amount": "1", "currency": "KES"}}}, "change.prices.pigeon.[key]"),
    ],
)
def test_a_setting_that_cannot_be_is_named(program, change, field):
    answer = program.patch("/api/settings/before-sending", change)

    assert (answer.status_code, error_of(answer)["code"]) == (400, "VALIDATION_ERROR")
    assert field.rpartition(".")[2] in str(error_of(answer)["details"]) or field == "body"


def test_a_personaliser_is_turned_on_and_its_options_stay_unless_given(program):
    path = "/api/settings/personalisers"

    turned_on = program.patch(path, {"name": "opening", "is_on": True, "options": {"tone": "plain"}}).json()
    turned_off = program.patch(path, {"name": "opening", "is_on": False}).json()

    assert (turned_on["is_on"], turned_on["options"]) == (True, {"tone": "plain"})
    assert (turned_off["is_on"], turned_off["options"]) == (False, {"tone": "plain"})
    assert turned_off in program.get(path).json()
    assert chosen_of(program.workspace, "opening").is_on is False


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"name": "poet"}, 404),
        ({"name": "opening", "options": {"tone": "rude"}}, 400),
        ({"name": "opening", "options": {"tone": {"deep": []}}}, 400),
        ({"name": "opening", "options": {"metre": "iambic"}}, 400),
    ],
)
def test_a_personaliser_or_an_option_that_is_not_there_is_told(program, change, status):
    assert program.patch("/api/settings/personalisers", change).status_code == status


def test_whatsapp_asks_for_templates_once_an_admin_says_so(program):
    viewer = Program(program.workspace, Role.VIEWER)

    assert viewer.get("/api/settings/whatsapp").json() == {"needs_template": False}
    assert program.patch("/api/settings/whatsapp", {"needs_template": True}).json() == {"needs_template": True}
    assert viewer.patch("/api/settings/whatsapp", {"needs_template": False}).status_code == 403


def test_words_of_replies_are_changed_in_the_family_that_is_given_alone(program):
    path = "/api/settings/consent"
    before = program.get(path).json()

    after = program.patch(path, {"whatsapp_link": True, "words": {"en": {"stop": ["no more"]}}}).json()

    assert (after["sms_link"], after["whatsapp_link"]) == (True, True)
    assert after["words"]["en"] == before["words"]["en"] | {"stop": ["no more"]}
    assert after["words"]["sw"] == before["words"]["sw"]
    assert ConsentSettings.of(program.workspace).words == {"en": {"stop": ["no more"]}}


@pytest.mark.parametrize(
    "words",
    [
        {"en": {"stop": ["x" * 41]}},
        {"en": {"stop": ["!!"]}},
        {"en": {"start": ["stop"]}},
        {"xx": {"stop": ["halt"]}},
        {"en": {"wait": ["halt"]}},
    ],
)
def test_words_that_cannot_be_are_refused(program, words):
    answer = program.patch("/api/settings/consent", {"words": words})

    assert (answer.status_code, error_of(answer)["code"]) == (400, "VALIDATION_ERROR")
    assert not ConsentSettings.objects.exists()


def test_senders_are_told_without_their_secrets(program):
    options = {"host": "mail.example.com", "port": 587, "user": "acme", "password": "very secret"}
    sender = {"sender": "smtp", "from_name": "Acme", "from_address": "hi@example.com", "limit": 5.0}
    choose(program.workspace, Channel.EMAIL, options=options, by=None, **sender)

    answer = program.get("/api/settings/senders")

    email, sms, _ = answer.json()
    assert (email["sender"], email["mailbox"], email["limit_per_second"]) == ("smtp", '"Acme" <hi@example.com>', 5)
    assert email["options"]["host"] == "mail.example.com"
    assert "password" not in email["options"]
    assert ChosenSender.objects.get().options["password"] not in answer.content.decode()
    assert sms["sender"] == "simulated"
