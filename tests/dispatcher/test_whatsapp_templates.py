"""A WhatsApp campaign starts only with a template that is approved, and only when everybody's words fit into it."""

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from accounts.models import Role
from campaigns.authoring import create_campaign
from campaigns.models import Campaign, WhatsAppTemplate
from campaigns.whatsapp import change_status, change_whatsapp_settings
from dispatcher import clock, freeze, operations
from dispatcher.books import books_of
from dispatcher.check import check_of
from dispatcher.readiness import LaunchRefused
from people.channels import Channel
from tests.dispatcher.outcomes import failed, settle
from tests.make import (
    logged_in,
    make_campaign,
    make_recipient,
    make_recipients,
    make_whatsapp_template,
    make_workspace,
)

pytestmark = pytest.mark.django_db
Status = WhatsAppTemplate.Status


@pytest.fixture
def workspace():
    return make_workspace()


def written_by(template: WhatsAppTemplate, value: str = "{first_name|there}") -> Campaign:
    return create_campaign(
        template.workspace,
        by=None,
        name="Sale",
        body="",
        channel=Channel.WHATSAPP,
        everyone=True,
        whatsapp_template=template,
        whatsapp_values={"1": value},
    )


def refused(campaign: Campaign) -> str:
    with pytest.raises(LaunchRefused) as refusal:
        operations.launch(campaign, by=None)
    campaign.refresh_from_db()
    assert campaign.status == Campaign.Status.DRAFT and books_of(campaign).total == 0
    return str(refusal.value)


def test_an_approved_template_goes_out_as_it_was_previewed(workspace):
    person = make_recipient(workspace, first_name="Ann")
    campaign = operations.launch(written_by(make_whatsapp_template(workspace)), by=None)

    message = campaign.messages.get(recipient=person)
    assert campaign.status == Campaign.Status.SENDING and campaign.footer == ""
    assert message.fields == {"first_name": "Ann"}


@pytest.mark.parametrize("status", [Status.DRAFT, Status.SUBMITTED, Status.REJECTED, Status.PAUSED])
def test_without_approval_nothing_starts(workspace, status):
    make_recipient(workspace)
    campaign = written_by(make_whatsapp_template(workspace, status=status))

    assert f"is {status.label}; only approved ones may be sent" in refused(campaign)


def test_an_approval_withdrawn_while_it_waits_sends_it_back_to_a_person(workspace):
    make_recipient(workspace)
    template = make_whatsapp_template(workspace)
    campaign = written_by(template)
    operations.schedule(campaign, at=timezone.now() + timedelta(seconds=1), by=None)
    change_status(template, to=Status.PAUSED, by=None, reason="complaints")
    Campaign.objects.update(scheduled_at=timezone.now() - timedelta(seconds=1))

    clock.start_schedules()

    campaign.refresh_from_db()
    assert campaign.status == Campaign.Status.DRAFT
    assert "is paused; only approved ones may be sent" in campaign.history.first().reason


@pytest.fixture
def rejected(workspace):
    """A campaign with a failed message that was paused before its template was rejected."""
    make_recipients(workspace, 2)
    template = make_whatsapp_template(workspace)
    campaign = operations.launch(written_by(template), by=None)
    settle(campaign, failed())
    operations.pause(campaign, by=None)
    change_status(template, to=Status.REJECTED, by=None, reason="complaints")
    return campaign


@pytest.mark.parametrize("verb", [operations.resume, operations.retry_failed, operations.send_again])
def test_nothing_more_is_sent_after_the_approval_was_withdrawn(rejected, verb):
    with pytest.raises(operations.NotApproved, match="is rejected; only approved ones may be sent"):
        verb(rejected, by=None)

    rejected.refresh_from_db()
    assert rejected.status == Campaign.Status.PAUSED and books_of(rejected).failed == 1

    change_status(WhatsAppTemplate.objects.get(), to=Status.APPROVED, by=None)
    verb(rejected, by=None)


def test_whoever_presses_resume_is_told_so(rejected):
    browser = logged_in(rejected.workspace, Role.OWNER)

    answer = browser.post(reverse("resume", args=[rejected.pk]), follow=True)
    at_once = browser.post(reverse("resume", args=[rejected.pk]), headers={"HX-Request": "true"})

    assert "only approved ones may be sent. Nothing more of" in answer.content.decode()
    assert at_once["HX-Refresh"] == "true"


def test_an_approval_withdrawn_while_it_can_be_undone_takes_it_back(workspace):
    make_recipient(workspace)
    template = make_whatsapp_template(workspace)
    campaign = operations.launch(written_by(template), by=None, undo_seconds=60)
    change_status(template, to=Status.PAUSED, by=None, reason="complaints")
    Campaign.objects.update(held_until=timezone.now() - timedelta(seconds=1))

    clock.carry_on_preparing()

    campaign.refresh_from_db()
    assert campaign.status == Campaign.Status.DRAFT and books_of(campaign).total == 0
    assert "is paused; only approved ones may be sent" in campaign.history.first().reason


def test_a_template_that_says_something_else_by_now_is_not_sent_under_the_old_words(workspace):
    make_recipient(workspace)
    template = make_whatsapp_template(workspace)
    campaign = written_by(template)
    WhatsAppTemplate.objects.filter(pk=template.pk).update(body="Hi {{1}}, it is autumn.")

    assert "says something else by now" in refused(campaign)


def test_a_free_text_is_sent_unless_the_workspace_wants_templates_only(workspace):
    make_recipient(workspace)
    change_whatsapp_settings(workspace, needs_template=True, by=None)
    campaign = make_campaign(workspace, channel=Channel.WHATSAPP, subject="", body="Hi there")
    assert "by approved templates only" in refused(campaign)

    change_whatsapp_settings(workspace, needs_template=False, by=None)
    assert operations.launch(campaign, by=None).status == Campaign.Status.SENDING


def test_words_that_do_not_fit_refuse_the_launch_with_their_number_unless_something_stands_in_their_place(workspace):
    make_recipients(workspace, 2)
    for name in ("", "A\nB"):
        make_recipient(workspace, first_name=name)
    make_recipient(workspace, first_name="", opted_out=True)
    template = make_whatsapp_template(workspace)

    sentence = refused(written_by(template, "{first_name}"))
    assert "to 2 people (nothing to put in {{1}}: 1; a line break or a tab in {{1}}: 1)" in sentence
    assert "to 1 person (a line break or a tab in {{1}}: 1)" in refused(written_by(template, "{first_name|there}"))

    shown = check_of(written_by(template, "{first_name}"), {})
    assert not shown.can_be_sent and shown.is_mended_by_editing
    assert [(each.words, [person.first_name for person in each.people]) for each in shown.misfits] == [
        ("nothing to put in {{1}}", [""]),
        ("a line break or a tab in {{1}}", ["A\nB"]),
    ]


def test_of_a_long_audience_each_chunk_is_looked_at_before_the_first_message(workspace, monkeypatch):
    monkeypatch.setattr(freeze, "CHUNK", 3)
    make_recipients(workspace, 7)
    make_recipient(workspace, first_name="")
    campaign = operations.launch(written_by(make_whatsapp_template(workspace), "{first_name}"), by=None)
    assert campaign.status == Campaign.Status.PREPARING

    clock.carry_on_preparing()

    campaign.refresh_from_db()
    assert campaign.status == Campaign.Status.DRAFT and books_of(campaign).total == 0
    assert "to 1 person (nothing to put in {{1}}: 1)" in campaign.history.first().reason
