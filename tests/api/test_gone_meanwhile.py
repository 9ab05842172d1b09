"""Of two programs that ask at once, one may have deleted what the other has just found."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.db import connection
from django.db.models import Model

from accounts.models import Role
from campaigns.library import add_template
from people.channels import Channel
from tests.api.calls import Program, error_of
from tests.make import make_campaign, make_group, make_recipient, make_whatsapp_template, make_workspace
from tests.people.describing import make_segment

pytestmark = pytest.mark.django_db

MAKERS = {
    "campaign": make_campaign,
    "customer": make_recipient,
    "group": make_group,
    "image": lambda workspace: workspace.images.create(name="a.png", format=1, width=1, height=1, size=1),
    "recipient": make_recipient,
    "segment": lambda workspace: make_segment(workspace, ("location", "is", "Nairobi")),
    "template": lambda workspace: add_template(
        workspace, by=None, name="Hello", channel=Channel.SMS, subject="", body="Hi"
    ),
    "whatsapp_template": make_whatsapp_template,
}
CALLS = [
    ("DELETE", "campaigns/{campaign}", None),
    ("DELETE", "campaigns/{campaign}/variants", None),
    ("DELETE", "customers/{customer}", None),
    ("DELETE", "segments/{segment}", None),
    ("DELETE", "templates/{template}", None),
    ("PATCH", "campaigns/{campaign}", {"name": "New"}),
    ("PATCH", "customers/{customer}", {"first_name": "New"}),
    ("PATCH", "groups/{group}", {"name": "New"}),
    ("PATCH", "images/{image}", {"name": "New"}),
    ("PATCH", "recipients/{recipient}", {"name": "New"}),
    ("PATCH", "segments/{segment}", {"name": "New"}),
    ("PATCH", "templates/{template}", {"name": "New"}),
    ("PATCH", "whatsapp-templates/{whatsapp_template}", {"category": "utility"}),
    ("POST", "campaigns/{campaign}/enqueue", {}),
    ("POST", "campaigns/{campaign}/pause", {}),
    ("POST", "campaigns/{campaign}/send", {"target": "all"}),
]


@contextmanager
def deleted_before_it_is_held(row: Model) -> Iterator[None]:
    """The first who would hold the row finds that somebody else was faster."""
    is_there = [True]

    def faster(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        if is_there and " FOR " in sql and f'FROM "{row._meta.db_table}"' in sql:
            is_there.clear()
            type(row)._base_manager.filter(pk=row.pk).delete()
        return execute(sql, params, many, context)

    with connection.execute_wrapper(faster):
        yield
    assert not is_there, "nobody held it"


@pytest.mark.parametrize(("method", "path", "body"), CALLS, ids=[f"{method} {path}" for method, path, _ in CALLS])
def test_what_somebody_deleted_meanwhile_is_not_there(method, path, body):
    program = Program(make_workspace(), Role.OWNER)
    make_recipient(program.workspace)
    what = path.split("{")[1].split("}")[0]
    row = MAKERS[what](program.workspace)
    number, said = row.pk, {} if body is None else {"data": body, "content_type": "application/json"}

    with deleted_before_it_is_held(row):
        answer = program.call(method.lower(), "/api/" + path.format(**{what: number}), **said)

    assert (answer.status_code, error_of(answer)["code"]) == (404, f"{what.upper()}_NOT_FOUND")
    name = {"whatsapp_template": "WhatsApp template"}.get(what, what.capitalize())
    assert error_of(answer)["message"] == f"{name} with ID {number} not found"


def test_a_campaign_that_the_body_names_may_be_gone_as_well():
    campaign = make_campaign(people=1)

    with deleted_before_it_is_held(campaign):
        answer = Program(campaign.workspace).post("/api/campaigns/send", {"id": campaign.pk})

    assert (answer.status_code, error_of(answer)["code"]) == (404, "CAMPAIGN_NOT_FOUND")
