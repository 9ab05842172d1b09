"""Ids above a thousand are written as they are: a comma in one would break links, and the swaps of live pages."""

import re

import pytest
from django.db import connection
from django.urls import reverse

from accounts.models import Role
from campaigns.models import Campaign
from tests.dispatcher.outcomes import launched
from tests.make import make_campaign, make_group, make_member, make_recipients, make_workspace
from tests.people.describing import make_segment

pytestmark = pytest.mark.django_db
TABLES = [
    "campaigns_campaign",
    "people_recipient",
    "people_group",
    "people_segment",
    "people_import",
    "accounts_workspace",
]
COMMA = re.compile(r"""(?:href|action|id|for|name|value|data-[a-z]+|hx-[a-z-]+|src)=["'][^"']*\d,\d{3}[^"']*["']""")


def test_no_page_writes_an_id_with_a_comma(client, provider_of_nothing):
    with connection.cursor() as cursor:
        for table in TABLES:
            cursor.execute(f"ALTER SEQUENCE {table}_id_seq RESTART WITH 1234567")  # noqa: S608
    workspace = make_workspace()
    ann = make_member(workspace, Role.OWNER)
    people = make_recipients(workspace, 60)
    group = make_group(workspace, *people)
    draft = make_campaign(workspace, everyone=False)
    draft.groups.add(group)
    segment = make_segment(workspace, ("group", "in", group.pk))
    draft.segments.add(segment)
    draft.picked.add(*people[:3])
    sent = launched(make_campaign(workspace))
    client.force_login(ann)
    pages = [
        reverse("campaigns"),
        reverse("campaign", args=[draft.pk]),
        reverse("campaign-edit", args=[draft.pk]),
        reverse("check", args=[draft.pk]),
        reverse("reading", args=[draft.pk]) + "?q=first",
        reverse("send_test", args=[draft.pk]),
        reverse("dry_run", args=[draft.pk]),
        reverse("campaign", args=[sent.pk]),
        reverse("message", args=[sent.pk, 1]),
        reverse("people"),
        reverse("groups"),
        reverse("group-board"),
        reverse("group-people", args=[group.pk]),
        reverse("segments"),
        reverse("segment-edit", args=[segment.pk]),
        reverse("import-new"),
        reverse("person-edit", args=[people[0].pk]),
    ]

    written = {page: COMMA.findall(client.get(page).content.decode()) for page in pages}

    assert draft.pk >= 1_234_567 and Campaign.objects.count() == 2
    assert written == {page: [] for page in pages}


@pytest.fixture
def provider_of_nothing(settings):
    settings.SIMULATOR_PROFILE = "perfect"
