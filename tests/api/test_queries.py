"""Whatever is read over the API costs few queries, and as many where there are a hundred rows as where there is one."""

from typing import Any

import pytest
from django.db import connection
from django.http import HttpResponse
from django.test.utils import CaptureQueriesContext

from accounts.models import Role, Workspace
from campaigns.images import add_image
from campaigns.library import add_template, change_template
from campaigns.models import Campaign, StatusChange, WhatsAppTemplate
from campaigns.whatsapp import change_status
from dispatcher.recurring import skip_next
from people.channels import Channel
from people.consent import How, opt_in, opt_out
from people.models import Recipient, Suppression
from people.replies import receive_reply
from people.suppression import suppress
from tests.api.calls import Program
from tests.api.described import operations
from tests.campaigns.pictures import a_picture
from tests.dispatcher.outcomes import failed, launched
from tests.make import make_campaign, make_group, make_recipients, make_series, make_whatsapp_template, make_workspace
from tests.people.describing import make_segment
from tests.test_roles import rows_named, upload

MANY = 100
SOME = 10  # of what takes long to make
MOST = 25  # queries
MORE = {"/campaigns/{campaign_id}/check": 50}  # it looks at everything that can be wrong
GETS = {path: operation for method, path, operation in operations() if method == "get"}
PAGED = {path for path, about in GETS.items() if {"page", "cursor"} & {p["name"] for p in about.get("parameters", [])}}
# What would fill these takes a worker, or a choice that leaves people out.
ONE_PAGE = {"/imports/{import_id}/rows", "/campaigns/{campaign_id}/left-out"}
PAUSED, APPROVED = WhatsAppTemplate.Status.PAUSED, WhatsAppTemplate.Status.APPROVED
Rows = dict[str, int | str]


def furnished(many: int, some: int) -> tuple[Program, Rows]:
    """A program whose workspace has so many of everything, and the rows that paths name."""
    workspace = make_workspace()
    people = make_recipients(workspace, many)
    groups = [make_group(workspace, *people) for _ in range(many)]
    for _ in range(many):
        make_campaign(workspace)
    over = [launched(make_campaign(workspace), *failed(how_many=many)) for _ in range(some)][0]
    move = {"from_status": Campaign.Status.PAUSED, "to_status": Campaign.Status.SENDING}
    StatusChange.objects.bulk_create(StatusChange(campaign=over, **move) for _ in range(many))
    rows = rows_named(workspace) | {"campaign_id": over.pk, "group_id": groups[0].pk}
    return Program(workspace, Role.OWNER), rows | lived_in(workspace, people[0], some)


def lived_in(workspace: Workspace, person: Recipient, some: int) -> Rows:
    """Whatever has a history has so much of it; returns those rows."""
    series = make_series(make_campaign(workspace))
    template = add_template(workspace, by=None, name="Spring", channel=Channel.SMS, body="Hello")
    offer = make_whatsapp_template(workspace, status=PAUSED)
    for number in range(some):
        skip_next(series, by=None)
        change_template(template, by=None, name=template.name, body=f"Hello {number}")
        change_status(offer, by=None, to=PAUSED if number % 2 else APPROVED, reason="complaints")
        opt_out(person, how=How.PREFERENCES, by=None)
        opt_in(person, how=How.PREFERENCES, by=None)
        receive_reply(workspace, Channel.SMS, person.phone, "Thanks", by=None)
        make_series(make_campaign(workspace))
        add_template(workspace, by=None, name=f"Template {number}", channel=Channel.SMS, body="Hello")
        make_whatsapp_template(workspace)
        make_segment(workspace, ("location", "is", "Nairobi"), name=f"Segment {number}")
        suppress(workspace, f"nobody{number}@example.com", reason=Suppression.Reason.IMPORTED, by=None)
        add_image(workspace, by=None, name="dot.png", data=a_picture(size=(1 + number, 1)))
        upload(workspace)
    named = {"series_id": series, "template_id": template, "whatsapp_template_id": offer, "customer_id": person}
    return {name: row.pk for name, row in named.items()} | {"recipient_id": person.pk}


def ask(program: Program, path: str, rows: Rows) -> tuple[int, int]:
    """How many queries it took, and how long the longest list in the answer is."""
    with CaptureQueriesContext(connection) as queries:
        answer = program.get(f"/api{path.format(**rows)}", page_size="100")
        said = read(answer)
    return len(queries), longest(said)


def read(answer: HttpResponse) -> Any:
    """What it says; of a file, which is read piece by piece from one cursor, nothing."""
    assert answer.status_code in (200, 404), answer.content
    return [] if answer.streaming or "json" not in answer.headers["Content-Type"] else answer.json()


def longest(said: Any) -> int:
    if isinstance(said, dict):
        return max(map(longest, said.values()), default=0)
    return max([len(said), *map(longest, said)]) if isinstance(said, list) else 0


@pytest.mark.django_db
def test_a_hundred_rows_take_as_few_queries_as_one():
    few, many = furnished(1, 1), furnished(MANY, SOME)
    for program, _ in (few, many):
        program.get("/api/stats")  # after which its key is known to be used

    told = {path: (ask(few[0], path, few[1]), ask(many[0], path, many[1])) for path in GETS}

    queries = {path: (one[0], hundred[0]) for path, (one, hundred) in told.items()}
    rows = {path: (one[1], hundred[1]) for path, (one, hundred) in told.items()}
    assert {path: (one, hundred) for path, (one, hundred) in queries.items() if one != hundred} == {}
    assert {path: hundred for path, (_, hundred) in queries.items() if hundred > MORE.get(path, MOST)} == {}
    assert {path for path in PAGED - ONE_PAGE if rows[path][0] >= rows[path][1]} == set(), (
        "furnished() makes too few rows of these"
    )
