"""What may be written, whoever writes it."""

from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from campaigns.authoring import NotEditable, create_campaign, delete_campaign, update_campaign
from campaigns.faults import InvalidContent, UnknownPlaceholders, check_body, check_line
from campaigns.models import Campaign
from people.channels import Channel
from people.models import AttributeName
from tests.make import make_campaign, make_group, make_member, make_recipient, make_workspace

pytestmark = pytest.mark.django_db
Status = Campaign.Status

FORBIDDEN = [*range(0x20), *range(0x7F, 0xA0), 0x2028, 0x2029, 0xD800, 0xDFFF]


def write(workspace, **changes):
    fields = {"name": "Spring", "subject": "Hello", "body": "Dear {first_name|friend}", "by": None}
    return create_campaign(workspace, **fields | changes)


def refusal(workspace, **changes):
    with pytest.raises(InvalidContent) as refused:
        write(workspace, **changes)
    assert not workspace.campaigns.exists()
    return refused.value


def test_a_new_campaign_is_a_draft_and_its_history_says_who_wrote_it():
    workspace = make_workspace()
    ann = make_member(workspace)

    campaign = write(workspace, by=ann)

    (line,) = campaign.history.all()
    assert (campaign.status, campaign.created_by) == (Status.DRAFT, ann)
    assert (line.from_status, line.to_status, line.by) == (None, Status.DRAFT, ann)


def test_a_time_ahead_makes_it_scheduled_and_a_time_gone_by_leaves_a_draft():
    workspace = make_workspace()

    ahead = write(workspace, scheduled_at=timezone.now() + timedelta(hours=1))
    gone_by = write(workspace, scheduled_at=datetime(2020, 1, 1, tzinfo=UTC))

    assert [ahead.status, gone_by.status] == [Status.SCHEDULED, Status.DRAFT]
    assert [line.to_status for line in ahead.history.all()] == [Status.SCHEDULED, Status.DRAFT]


def test_the_audience_is_groups_and_picked_people_without_those_left_out():
    workspace = make_workspace()
    alice, brian, carol, david = (make_recipient(workspace) for _ in range(4))
    group, out = make_group(workspace, alice, brian), make_group(workspace, brian)

    campaign = write(
        workspace,
        groups=[group.pk],
        picked=[carol.pk, david.pk, carol.pk],
        excluded_groups=[out.pk],
        excluded=[david.pk],
    )

    assert set(campaign.audience()) == {alice, carol}


@pytest.mark.parametrize("field", ["groups", "picked", "excluded_groups", "excluded"])
def test_nobody_of_another_workspace_can_be_chosen(field):
    workspace, other = make_workspace(), make_workspace()
    stranger = make_group(other) if "groups" in field else make_recipient(other)

    assert "cannot be found" in refusal(workspace, **{field: [stranger.pk]}).errors[field][0]


@pytest.mark.parametrize("number", [0, -1, 2**63, 10**40])
def test_ids_no_row_can_have_are_refused_with_a_sentence(number):
    assert "groups" in refusal(make_workspace(), groups=[number]).errors


def test_unknown_placeholders_are_refused_by_name_beside_those_that_can_be_used():
    workspace = make_workspace()
    AttributeName.objects.create(workspace=workspace, name="points")

    refused = refusal(workspace, subject="{shoe_size}", body="{points} {bogus} {first_name}")

    assert isinstance(refused, UnknownPlaceholders)
    assert "{shoe_size}" in refused.errors["subject"][0]
    assert refused.errors["body"][0].startswith("Nobody here has {bogus}. You can use {first_name}")
    assert "{points}" in refused.errors["body"][0]


def test_every_fault_is_told_at_once():
    refused = refusal(make_workspace(), name=" ", subject="", body="{bogus}\x07")

    assert set(refused.errors) == {"name", "subject", "body"}
    assert len(refused.errors["body"]) == 2
    assert not isinstance(refused, UnknownPlaceholders)


@pytest.mark.parametrize("code", FORBIDDEN)
def test_control_characters_never_get_into_a_name_or_subject(code):
    assert check_line(f"a{chr(code)}b", "subject", missing="")


@pytest.mark.parametrize("code", FORBIDDEN)
def test_a_message_may_hold_line_breaks_and_tabs_and_no_other_control_character(code):
    assert bool(check_body(Channel.EMAIL, f"a{chr(code)}b")) == (chr(code) not in "\n\r\t")


@given(text=st.text(st.characters(exclude_categories=["Cc", "Cs", "Zl", "Zp"]), min_size=1, max_size=50))
def test_any_other_character_of_any_script_is_welcome(text):
    if text.strip():
        assert check_line(text, "name", missing="") == check_body(Channel.SMS, text) == []


@pytest.mark.parametrize(
    ("channel", "most"), [(Channel.EMAIL, 100_000), (Channel.SMS, 1_600), (Channel.WHATSAPP, 1_600)]
)
def test_a_message_holds_as_much_as_its_channel_carries(channel, most):
    assert check_body(channel, "x" * most) == []
    assert f"{most:,} at most" in check_body(channel, "x" * (most + 1))[0]


def test_only_an_email_has_a_subject():
    workspace = make_workspace()

    assert write(workspace, channel=Channel.SMS, subject="{bogus}").subject == ""
    assert "An email needs a subject." in refusal(make_workspace(), subject="  ").errors["subject"]


def test_a_change_leaves_alone_what_it_does_not_name():
    workspace = make_workspace()
    group = make_group(workspace)
    campaign = write(workspace, groups=[group.pk])

    changed = update_campaign(campaign, by=None, name="Autumn", channel=Channel.SMS)

    changed.refresh_from_db()
    assert (changed.name, changed.body, changed.subject) == ("Autumn", "Dear {first_name|friend}", "")
    assert list(changed.groups.all()) == [group]


def test_a_refused_change_changes_nothing():
    workspace = make_workspace()
    campaign = write(workspace)
    stranger = make_group(make_workspace())

    with pytest.raises(InvalidContent):
        update_campaign(campaign, by=None, name="Autumn", groups=[stranger.pk])

    campaign.refresh_from_db()
    assert campaign.name == "Spring"


@pytest.mark.parametrize("status", [status for status in Status if status > Status.SCHEDULED])
def test_what_is_launched_can_be_neither_changed_nor_deleted(status):
    campaign = make_campaign(status=status)
    stale = Campaign(pk=campaign.pk, status=Status.DRAFT)  # as a page opened before the launch holds it

    with pytest.raises(NotEditable, match=status.label):
        update_campaign(stale, by=None, name="Other")
    with pytest.raises(NotEditable):
        delete_campaign(stale, by=None)

    campaign.refresh_from_db()
    assert campaign.name != "Other"


def test_a_draft_can_be_deleted_and_its_people_stay():
    campaign = make_campaign(people=2)

    delete_campaign(campaign, by=None)

    assert not Campaign.objects.exists()
    assert campaign.workspace.recipients.count() == 2
