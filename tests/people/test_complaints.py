"""Who complains to the provider is written to no more, whoever they are, and however often it is told."""

import pytest

from accounts.models import Role
from people.channels import Channel
from people.consent import How, Wish
from people.models import Suppression
from tests.api.calls import Program, error_of
from tests.make import make_recipient, make_workspace

pytestmark = pytest.mark.django_db
ADDRESS, NUMBER = "ann@example.com", "+254712345678"


@pytest.fixture
def program() -> Program:
    return Program(make_workspace())


def complain(program: Program, **body: str) -> dict:
    answer = program.post("/api/complaints", {"channel": "email", "address": ADDRESS} | body)
    assert answer.status_code == 201
    return answer.json()


@pytest.mark.parametrize(
    ("body", "channel"),
    [
        ({"address": "Ann@Example.com"}, Channel.EMAIL),
        ({"channel": "sms", "address": "+254 712 345678"}, Channel.SMS),
    ],
)
def test_a_complaint_opts_out_of_the_channel_and_suppresses_the_address_once(program, body, channel):
    person = make_recipient(program.workspace, email=ADDRESS, phone=NUMBER)

    told = [complain(program, **body, id="c1") for _ in range(2)]

    assert told == [{"customer_id": person.pk}] * 2
    person.refresh_from_db()
    assert (person.opted_out, person.refused_channels) == (False, [channel])
    event = person.consent_events.get()
    assert (event.wish, event.how, event.key, event.evidence) == (
        Wish.OUT,
        How.COMPLAINT,
        program.key,
        {"complaint": "c1"},
    )
    row = program.workspace.suppressions.get()
    assert row.reason == Suppression.Reason.COMPLAINED
    assert getattr(person, channel.suppressed_field)


def test_an_address_nobody_here_has_is_suppressed_for_this_workspace_alone(program):
    theirs = make_recipient(make_workspace(), email=ADDRESS)

    assert complain(program) == {"customer_id": None}

    theirs.refresh_from_db()
    assert (theirs.refused_channels, theirs.email_suppressed) == ([], False)
    assert program.workspace.suppressions.get().address == ADDRESS


@pytest.mark.parametrize(
    ("change", "field"),
    [({"address": "12"}, "address"), ({"channel": "sms"}, "address"), ({"id": "a\nb"}, "id"), ({"more": "1"}, "more")],
)
def test_a_complaint_that_cannot_be_read_is_refused_by_field(program, change, field):
    answer = program.post("/api/complaints", {"channel": "email", "address": ADDRESS} | change)

    assert answer.status_code == 400
    assert field in error_of(answer)["details"]
    assert not Suppression.objects.exists()


def test_an_editor_s_key_passes_nothing_on():
    answer = Program(make_workspace(), Role.EDITOR).post("/api/complaints", {"channel": "email", "address": ADDRESS})

    assert answer.status_code == 403
