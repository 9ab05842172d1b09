from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import ApiKey, Role
from tests.api.calls import Program, error_of
from tests.make import make_campaign, make_member, make_workspace

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    "header", ["", "Bearer", "Bearer ", "Bearer nonsense", "Basic abc", "Bearer \xe9", "bearer a b"]
)
def test_without_a_good_key_nothing_is_answered(header):
    answer = Client().get("/api/campaigns", headers={"Authorization": header})

    assert answer.status_code == 401
    assert answer["WWW-Authenticate"] == "Bearer"
    assert error_of(answer)["code"] == "UNAUTHENTICATED"


def test_a_login_is_no_key():
    client = Client()
    client.force_login(make_member())

    assert client.get("/api/campaigns").status_code == 401


def test_a_login_does_not_change_what_a_key_may():
    viewer = Program(make_workspace(), Role.VIEWER)
    client = Client()
    client.force_login(make_member(viewer.workspace, Role.OWNER))

    answer = client.post("/api/customers", {}, content_type="application/json", headers=viewer.headers)

    assert answer.status_code == 403


@pytest.mark.parametrize("ended", ["revoked_at", "expires_at"])
def test_a_revoked_or_expired_key_opens_nothing_any_more(ended):
    program = Program(make_workspace())
    assert program.get("/api/campaigns").status_code == 200

    ApiKey.objects.update(**{ended: timezone.now() - timedelta(seconds=1)})

    assert program.get("/api/campaigns").status_code == 401


def test_a_key_notes_when_it_was_used():
    program = Program(make_workspace())

    program.get("/api/campaigns")

    program.key.refresh_from_db()
    assert timezone.now() - program.key.last_used_at < timedelta(seconds=10)


WRITE = ("/api/campaigns", {"title": "News", "message": "Hello"})
ADD = ("/api/customers", {"email": "ann@example.com"})


@pytest.mark.parametrize(
    ("role", "allowed"),
    [
        (Role.VIEWER, ()),
        (Role.EDITOR, (WRITE, ADD)),
        (Role.MARKETER, (WRITE, ADD)),
    ],
)
def test_writing_needs_a_role_that_may_write(role, allowed):
    program = Program(make_workspace(), role)

    for call in (WRITE, ADD):
        answer = program.post(*call)
        assert answer.status_code == (201 if call in allowed else 403)
        assert answer.status_code == 201 or error_of(answer)["code"] == "FORBIDDEN"


def test_an_editor_writes_but_does_not_send():
    campaign = make_campaign(people=1)
    editor = Program(campaign.workspace, Role.EDITOR)

    answer = editor.post(f"/api/campaigns/{campaign.pk}/send", {"target": "all"})

    assert answer.status_code == 403
    campaign.refresh_from_db()
    assert campaign.get_status_display() == "draft"
