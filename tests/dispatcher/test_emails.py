"""From the editor to the message page: what is compiled is what is checked, sent and shown."""

from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import Role, Workspace
from campaigns.authoring import create_campaign, update_campaign
from campaigns.faults import InvalidContent
from campaigns.mail.compiling import compiled
from campaigns.models import Campaign, Format
from campaigns.wordings import write_wording
from dispatcher import clock, operations
from dispatcher.models import Message
from dispatcher.readiness import LaunchRefused
from tests.dispatcher.outcomes import launched, sent
from tests.make import logged_in, make_member, make_recipient, make_workspace

pytestmark = pytest.mark.django_db

TYPED = {"name": "News", "channel": "email", "subject": "Hi {first_name}", "audience": "everyone", "then": "campaign"}


@pytest.fixture
def workspace() -> Workspace:
    return make_workspace()


@pytest.fixture
def ann(workspace) -> Client:
    return logged_in(workspace, Role.MARKETER)


def write(workspace: Workspace, body: str, *, format: Format = Format.HTML, **fields) -> Campaign:
    fields = {"name": "News", "subject": "Hi", "everyone": True, "may_be_unfinished": True} | fields
    return create_campaign(workspace, by=make_member(workspace), body=body, format=format, **fields)


def test_a_draft_may_hold_what_no_email_can_and_is_not_launched_with_it(workspace, ann):
    make_recipient(workspace)

    answer = ann.post(reverse("campaign-new"), TYPED | {"format": "html", "body": "<p>\n<form>x</form>"}, follow=True)

    assert "It is saved, and cannot be sent like this. Line 2: &lt;form&gt; cannot be sent" in answer.content.decode()
    campaign = Campaign.objects.get()
    assert (campaign.format, campaign.body) == (Format.HTML, "<p>\n<form>x</form>")
    with pytest.raises(LaunchRefused, match="Line 2: <form> cannot be sent in an email"):
        operations.launch(campaign, by=None)
    assert "Line 2: &lt;form&gt;" in ann.get(reverse("check", args=[campaign.pk])).content.decode()


def test_a_scheduled_campaign_cannot_be_given_what_no_email_can(workspace):
    campaign = write(workspace, "<p>x</p>", scheduled_at=timezone.now() + timedelta(days=1))

    with pytest.raises(InvalidContent) as refused:
        update_campaign(campaign, by=None, body="<script>x</script>")

    assert refused.value.errors == {"body": ["Line 1: <script> cannot be sent in an email; remove it."]}
    assert Campaign.objects.get().body == "<p>x</p>"


def test_html_that_no_value_can_be_written_into_stops_neither_pages_nor_the_clock(workspace, ann):
    make_recipient(workspace)
    campaign = write(workspace, "<p>Hi</p>", scheduled_at=timezone.now() + timedelta(days=1))
    Campaign.objects.update(html='<p style="color:{first_name}">Hi</p>', scheduled_at=timezone.now())

    clock.start_schedules()

    campaign.refresh_from_db()
    assert campaign.status == Campaign.Status.DRAFT
    assert (
        "A placeholder stands inside a tag, where no value can be safe. Save the text again."
        in campaign.history.first().reason
    )
    for name in ("campaign", "campaign-edit", "campaign-mail", "check", "reading", "dry_run", "send_test"):
        assert ann.get(reverse(name, args=[campaign.pk])).status_code == 200
    assert "where no value can be safe" in ann.get(reverse("check", args=[campaign.pk])).content.decode()


def test_what_is_saved_is_compiled_anew_whatever_of_it_changed(workspace):
    campaign = write(workspace, "# Hi", format=Format.MARKDOWN)

    update_campaign(campaign, by=None, preheader="For you")
    with_preheader = Campaign.objects.get()
    update_campaign(campaign, by=None, format=Format.TEXT)
    as_text = Campaign.objects.get()

    assert "For you" in with_preheader.html and "Hi</h1>" in with_preheader.html
    assert (as_text.html, as_text.source.text) == ("", "# Hi")


def test_a_text_message_is_always_plain(workspace, ann):
    ann.post(
        reverse("campaign-new"), TYPED | {"channel": "sms", "format": "html", "body": "<b>x</b>", "preheader": "y"}
    )

    assert Campaign.objects.values_list("format", "html", "preheader").get() == (Format.TEXT, "", "")


def test_the_check_page_lists_what_was_found_as_long_as_it_can_be_changed(workspace, ann):
    make_recipient(workspace)
    campaign = write(workspace, '<a href="http://acme.co.ke/">Shop</a>', subject="RE: BUY THIS NOW")
    page = reverse("check", args=[campaign.pk])

    before = ann.get(page).content.decode()
    launched(campaign, *sent(1))

    assert "“Shop” leads to http://acme.co.ke; browsers warn of it" in before
    assert "all in capitals" in before and "begins with “RE:”" in before
    assert "all in capitals" not in ann.get(page).content.decode()


def test_the_frames_hold_what_was_sent_and_forbid_all_else(workspace, ann):
    person = make_recipient(workspace, first_name="<b>Bo</b>")
    campaign = write(workspace, '<p title="{first_name}">Hi {first_name}</p>', preheader="Psst")
    shown = ann.get(reverse("campaign-mail", args=[campaign.pk]), {"person": person.pk})
    typed = {"format": "html", "body": campaign.body, "preheader": "Psst", "person": person.pk}
    while_typing = ann.post(reverse("campaign-preview-mail"), TYPED | typed)
    launched(campaign, *sent(1))
    message = ann.get(reverse("message-mail", args=[campaign.pk, Message.objects.get().number]))

    for answer in (shown, while_typing, message):
        policy = answer["Content-Security-Policy"]
        assert "sandbox;" in policy and "default-src 'none'" in policy and "script-src" not in policy
        assert answer["X-Frame-Options"] == "SAMEORIGIN"
        assert '<p title="&lt;b&gt;Bo&lt;/b&gt;">Hi &lt;b&gt;Bo&lt;/b&gt;</p>' in answer.content.decode()
        assert "Psst" in answer.content.decode() and "unsubscribe</a>" in answer.content.decode()
    assert ann.get(reverse("campaign", args=[campaign.pk]))["X-Frame-Options"] == "DENY"


def test_the_html_that_a_provider_gets_is_the_compiled_one_filled_in(workspace):
    make_recipient(workspace, first_name="Bo")
    campaign = write(workspace, "# Hi {first_name}", format=Format.MARKDOWN)

    assert campaign.html == compiled(Format.MARKDOWN, "# Hi {first_name}").html
    assert campaign.plain == "Hi {first_name}"


def test_the_preheader_is_shown_beside_the_subject_wherever_the_mail_is(workspace, ann):
    make_recipient(workspace, first_name="Zoe")
    campaign = write(workspace, "<p>Dear</p>", preheader="New for {first_name} & you")
    beside = '<span class="muted">New for Zoe &amp; you</span>'

    typed = TYPED | {"format": "html", "preheader": campaign.preheader, "body": campaign.body}
    assert beside in ann.post(reverse("campaign-preview"), typed).content.decode()
    assert beside in ann.get(reverse("check", args=[campaign.pk])).content.decode()

    launched(campaign, *sent())
    assert beside in ann.get(reverse("message", args=[campaign.pk, 1])).content.decode()


def test_each_language_has_its_own_preheader_beside_the_subject(workspace, ann):
    make_recipient(workspace, attributes={"language": "el"})
    campaign = write(workspace, "<p>Dear</p>", preheader="News")
    write_wording(campaign, by=None, language="el", subject="Γεια", body="<p>Γεια</p>", preheader="Νέα")

    html = ann.get(reverse("check", args=[campaign.pk])).content.decode()

    assert '<b>Γεια</b> <span class="muted">Νέα</span>' in html
