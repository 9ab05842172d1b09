"""Every mail, and every other message that was asked to, carries a link that works, and pages tell the same text."""

import re

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import Role
from campaigns.models import Campaign, Source
from campaigns.preview import preview, preview_of
from dispatcher import operations
from dispatcher.checks import settings_make_sense
from dispatcher.models import Message, SkipReason
from people import suppression
from people.channels import Channel
from people.links import Meant, Purpose, meant_by
from people.models import ConsentSettings, Recipient, Suppression
from tests.dispatcher.mail_server import mail_server
from tests.dispatcher.sending import send, work_off
from tests.dispatcher.test_pages_person import exported
from tests.dispatcher.test_smtp_campaign import by_smtp
from tests.make import logged_in, make_campaign, make_recipient, make_workspace

pytestmark = [pytest.mark.django_db, pytest.mark.filterwarnings("ignore:Requiring AUTH")]
LINK = re.compile(r"https?://\S+?/(u|o)/([0-9A-Za-z-]+)")


@pytest.fixture(autouse=True)
def _sure(settings):
    """A provider that fails nobody by chance."""
    settings.SIMULATOR_PROFILE = "perfect"


def meant(purpose: Purpose, text: str) -> Meant | None:
    found = LINK.search(text)
    return meant_by(purpose, found[2]) if found and found[1] == purpose else None


def promised_to(person: Recipient, campaign: Campaign) -> str:
    return preview_of(campaign, person, is_exact=True).body


def unsealed(text: str) -> str:
    return LINK.sub(lambda link: link[0].rpartition("-")[0], text)


def kept_text(browser: Client, message: Message) -> str:
    return browser.get(reverse("message", args=[message.campaign_id, message.number])).context["words"].text


def test_a_mail_carries_both_headers_and_the_link_and_the_pages_show_the_same_text():
    campaign = make_campaign(people=2)
    promised = {person.email: promised_to(person, campaign) for person in campaign.workspace.recipients.all()}
    with mail_server() as sink:
        send(by_smtp(campaign, sink.port))

    editor = logged_in(campaign.workspace, Role.EDITOR)
    for mail in sink.mails:
        person = Recipient.objects.get(email=mail["To"])
        text = mail.get_content().replace("\r\n", "\n")
        who = Meant(Channel.EMAIL, person.pk, campaign.pk)
        assert meant(Purpose.PAGE, text) == who
        assert meant(Purpose.ONE_CLICK, mail["List-Unsubscribe"]) == who
        assert mail["List-Unsubscribe"].startswith("<http") and mail["List-Unsubscribe"].endswith(">")
        assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
        assert text == promised[person.email]
        assert unsealed(text) == unsealed(kept_text(editor, Message.objects.get(recipient=person)))


def test_the_kept_text_stays_the_same_when_key_address_and_settings_change(settings):
    campaign = make_campaign(people=1, channel=Channel.SMS, body="Sale!")
    ConsentSettings.objects.create(workspace=campaign.workspace, sms_link=True)
    send(campaign)
    message, editor = campaign.messages.get(), logged_in(campaign.workspace, Role.EDITOR)
    was = kept_text(editor, message)

    settings.UNSUBSCRIBE_KEYS, settings.PUBLIC_URL = ["new"], "https://new.example.com"
    ConsentSettings.objects.update(sms_link=False)

    assert "\nStop: http" in was
    assert kept_text(editor, message) == was


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("role", [Role.VIEWER, Role.MARKETER, Role.OWNER])
def test_whoever_looks_or_downloads_sees_a_link_with_which_nobody_can_act_as_the_person(role):
    campaign = make_campaign(people=1)
    send(campaign)
    message, browser = campaign.messages.get(), logged_in(campaign.workspace, role)

    pages = [browser.get(reverse("message", args=[campaign.pk, 1])).content.decode()]
    pages.append(browser.get(reverse("check", args=[make_campaign(campaign.workspace).pk])).content.decode())
    if role != Role.VIEWER:
        pages.append(exported(browser, message.recipient))

    for page in pages:
        assert LINK.search(page)
        assert meant(Purpose.PAGE, page) is None


@pytest.mark.parametrize(
    ("channel", "body", "adds", "expected"),
    [
        (Channel.SMS, "Sale!", False, "Sale!"),
        (Channel.SMS, "Sale!", True, "Sale!\nStop: LINK"),
        (Channel.WHATSAPP, "Sale!", True, "Sale!\nStop: LINK"),
        (Channel.SMS, "Sale! No more: {unsubscribe_link}", True, "Sale! No more: LINK"),
        (Channel.EMAIL, "Sale! No more: {unsubscribe_link}.", False, "Sale! No more: LINK."),
    ],
)
def test_the_link_stands_where_the_author_or_the_workspace_wants_it(channel, body, adds, expected):
    workspace = make_workspace()
    ConsentSettings.objects.create(workspace=workspace, sms_link=adds, whatsapp_link=adds)
    campaign = make_campaign(workspace, people=1, channel=channel, body=body)
    promised = promised_to(workspace.recipients.get(), campaign)

    operations.launch(campaign, by=None)
    text = kept_text(logged_in(workspace, Role.EDITOR), campaign.messages.get())

    assert LINK.sub("LINK", text) == expected
    assert unsealed(text) == unsealed(promised)


def test_the_link_counts_in_the_parts_of_a_text_message():
    workspace = make_workspace()
    body = "x" * 140

    assert preview(workspace, None, Source("", body), channel=Channel.SMS).parts == 2
    ConsentSettings.objects.create(workspace=workspace, sms_link=False)
    assert preview(workspace, None, Source("", body), channel=Channel.SMS).parts == 1


def test_a_link_in_the_subject_is_refused_with_a_sentence():
    editor = logged_in(make_workspace(), Role.EDITOR)
    typed = {
        "name": "Spring",
        "channel": "email",
        "subject": "{unsubscribe_link}",
        "body": "Hi",
        "audience": "everyone",
    }

    answer = editor.post(reverse("campaign-new"), typed)

    assert answer.status_code == 422
    assert "belongs in the message, not in the subject" in answer.content.decode()


def test_a_suppressed_address_is_not_written_to_although_its_person_has_another_one_now():
    campaign = make_campaign()
    person = make_recipient(campaign.workspace, email="old@example.com")
    stays = make_recipient(campaign.workspace)
    operations.launch(campaign, by=None)
    Recipient.objects.filter(pk=person.pk).update(email="new@example.com")
    Recipient.objects.filter(pk=stays.pk).update(email="moved@example.com")

    suppression.suppress(campaign.workspace, "old@example.com", reason=Suppression.Reason.BOUNCED, by=None)
    work_off(campaign)

    assert campaign.messages.get(recipient=person).skip_reason == SkipReason.SUPPRESSED
    assert campaign.messages.get(recipient=stays).status == Message.Status.SENT


@pytest.mark.parametrize(
    ("address", "dev", "is_well"),
    [
        ("https://campaigns.example.com", False, True),
        ("https://campaigns.example.com:8443", False, True),
        ("http://127.0.0.1:8000", True, True),
        ("", False, False),
        ("http://campaigns.example.com", False, False),
        ("https://campaigns.example.com/app", False, False),
    ],
)
def test_outside_development_links_lead_to_an_https_address_or_nothing_starts(settings, address, dev, is_well):
    settings.PUBLIC_URL, settings.DEV = address, dev

    told = [finding for finding in settings_make_sense() if "set it to where people reach" in finding.msg]

    assert bool(told) is not is_well
