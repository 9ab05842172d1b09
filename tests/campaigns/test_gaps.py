"""Who would read a gap where the text asks for what is not known of them."""

import pytest

from campaigns.gaps import gaps
from people.channels import Channel
from tests.make import make_campaign, make_group, make_recipient, make_workspace

pytestmark = pytest.mark.django_db


def test_each_placeholder_without_a_fallback_counts_those_who_lack_it():
    workspace = make_workspace()
    make_recipient(workspace, first_name="Ann", location="Nairobi", attributes={"tier": "gold"})
    make_recipient(workspace, first_name="", location="", attributes={"tier": ""})
    make_recipient(workspace, first_name="Bob", location="", attributes={})
    campaign = make_campaign(workspace, subject="{first_name}", body="from {location} {tier} {last_name|you} {email}")

    assert gaps(campaign) == [("first_name", 1, "subject"), ("location", 2, "message"), ("tier", 2, "message")]


def test_only_those_who_would_get_it_are_counted():
    workspace = make_workspace()
    chosen = make_recipient(workspace, first_name="")
    make_recipient(workspace, first_name="")
    away = make_recipient(workspace, first_name="", opted_out=True)
    silent = make_recipient(workspace, first_name="", phone="")
    campaign = make_campaign(workspace, everyone=False, channel=Channel.SMS, subject="{location}", body="{first_name}")
    campaign.groups.add(make_group(workspace, chosen, away, silent))

    assert gaps(campaign) == [("first_name", 1, "message")]


def test_what_both_ask_for_is_said_of_both():
    workspace = make_workspace()
    make_recipient(workspace, first_name="")

    assert gaps(make_campaign(workspace, subject="{first_name}", body="{first_name}")) == [
        ("first_name", 1, "subject and message")
    ]


def test_a_number_is_no_gap_and_neither_is_a_text_without_placeholders():
    workspace = make_workspace()
    make_recipient(workspace, attributes={"points": 0})

    assert gaps(make_campaign(workspace, subject="", body="{points}")) == []
    assert gaps(make_campaign(workspace, subject="Hello", body="Hello")) == []


def test_however_many_placeholders_one_query_counts_them(django_assert_num_queries):
    workspace = make_workspace()
    make_recipient(workspace)
    campaign = make_campaign(workspace, body="{first_name} {last_name} {location} {tier} {prefered_product}")

    with django_assert_num_queries(6):  # three read whom it is for, one its other words, one its variants
        assert [gap.name for gap in gaps(campaign)] == ["last_name", "location", "tier", "preferred_product"]
