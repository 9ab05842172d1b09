"""The page of a person: what is known of them, what they wish, and what became of every message."""

import json

import pytest
from asgiref.sync import async_to_sync
from django.db.models.functions import Now
from django.test import Client
from django.urls import reverse

from accounts.models import AuditEntry, Role
from campaigns.library import add_template
from campaigns.models import Campaign, WhatsAppTemplate, Wording
from dispatcher import received
from dispatcher.erase import erase
from dispatcher.models import Attempt, Erasure, Message
from people import consent
from people.channels import Channel
from people.models import Import, Recipient, Suppression
from people.suppression import suppress
from people.wishes import told_of
from tests.dispatcher.filing import archive, long_over
from tests.dispatcher.outcomes import failed, launched, sent
from tests.make import logged_in, make_campaign, make_group, make_recipient, make_workspace
from tests.people.describing import make_segment
from tests.people.listing import bring_in

pytestmark = pytest.mark.django_db


@pytest.fixture
def workspace():
    return make_workspace()


@pytest.fixture
def grace(workspace) -> Recipient:
    return make_recipient(
        workspace, first_name="Grace", email="grace@example.com", phone="+254712345678", attributes={"tier": "gold"}
    )


@pytest.fixture
def client(workspace) -> Client:
    return logged_in(workspace, Role.VIEWER)


def read(client: Client, person: Recipient, query: str = "") -> str:
    answer = client.get(reverse("person", args=[person.pk]) + query)
    assert answer.status_code == 200
    return answer.content.decode()


def test_it_tells_what_is_known_and_what_she_wishes_and_how_that_came(client, workspace, grace):
    make_group(workspace, grace, name="Customers")
    told = {"how": consent.How.REPLY, "by": None, "reason": "asked for it", "evidence": {"text": "STOP please"}}
    consent.opt_out(grace, channel=Channel.SMS, **told)
    suppress(workspace, grace.email, reason=Suppression.Reason.BOUNCED, by=None, note="550 unknown")

    html = read(client, grace)

    for words in ("gold", "Customers", "Opted out of SMS by a reply", "asked for it", "STOP please", "550 unknown"):
        assert words in html, words


@pytest.mark.parametrize(
    ("evidence", "words"),
    [
        ({"import": 12, "line": 1234}, "Line 1,234 of import 12"),
        ({"reply": 3, "text": "STOP please"}, "They wrote “STOP please”"),
        ({"complaint": "abc-1"}, "The provider calls the complaint abc-1"),
        ({"campaign": 3, "name": "Spring", "link": "email", "program": "Mozilla/5.0"}, "By the link in “Spring”"),
        ({"link": "email", "program": ""}, "By the link in a message"),
        ({}, ""),
    ],
)
def test_how_a_wish_came_is_told_in_words(workspace, grace, evidence, words):
    consent.opt_out(grace, how=consent.How.REPLY, by=None, evidence=evidence)

    (told,) = told_of(grace)

    assert (told.evidence, told.program) == (words, evidence.get("program", ""))


def test_every_message_is_there_with_its_outcome_whatever_page_it_is_on(client, workspace, grace, monkeypatch):
    monkeypatch.setattr(received, "SIZE", 3)
    campaigns = [launched(make_campaign(workspace), *outcome) for outcome in [sent(), failed()] * 4]
    seen, query = [], ""

    while True:
        page = client.get(reverse("person-messages", args=[grace.pk]) + query).context["page"]
        seen += [(row.message.campaign_id, row.status) for row in page.rows]
        if not page.older:
            break
        query = f"?before={page.older}"

    ends = ["sent", "failed"] * 4
    assert seen == [(campaign.pk, end) for campaign, end in reversed(list(zip(campaigns, ends, strict=True)))]
    back = client.get(reverse("person-messages", args=[grace.pk]) + f"?after={campaigns[1].pk}").context["page"]
    assert [row.message.campaign_id for row in back.rows] == [campaign.pk for campaign in campaigns[4:1:-1]]
    assert reverse("message", args=[campaigns[-1].pk, 1]) in read(client, grace)


def test_campaigns_whose_messages_are_in_files_are_named_and_not_passed_over(client, workspace, grace):
    campaign = launched(make_campaign(workspace), *sent())
    Campaign.objects.filter(pk=campaign.pk).update(
        status=Campaign.Status.SENT, stored_at=Now(), launched_at=Now(), finished_at=Now()
    )
    Message.objects.all().delete()

    assert "The messages of 1 older campaign were moved to files and are not listed here" in read(client, grace)


def test_each_role_sees_the_buttons_it_may_press(workspace, grace):
    buttons = {
        "person-edit": Role.EDITOR,
        "opt_out": Role.EDITOR,
        "export-person": Role.MARKETER,
        "erase": Role.ADMIN,
    }
    for role in Role:
        html = read(logged_in(workspace, role), grace)
        for name, least in buttons.items():
            assert (reverse(name, args=[grace.pk]) in html) == (role >= least), (role, name)


def test_the_message_of_somebody_who_was_erased_claims_no_exact_text(client, workspace, grace):
    campaign = launched(make_campaign(workspace, body="Dear {first_name}"), *sent())
    plain = launched(make_campaign(workspace, subject="Hi", body="Dear all"), *sent())
    erase(grace, by=None)

    page = client.get(reverse("message", args=[campaign.pk, 1])).content.decode()
    assert "The text, without what it said of the person" in page and "The exact text" not in page
    assert "The exact text that was sent" in client.get(reverse("message", args=[plain.pk, 1])).content.decode()


def test_erasing_takes_the_typed_address(workspace, grace):
    admin = logged_in(workspace, Role.ADMIN)
    address = reverse("erase", args=[grace.pk])

    for typed in ("", "grace", "bob@example.com"):
        assert admin.post(address, {"address": typed}).status_code == 422
    assert Recipient.objects.filter(pk=grace.pk).exists()

    answer = admin.post(address, {"address": " GRACE@example.com "}, follow=True)

    assert not Recipient.objects.filter(pk=grace.pk).exists()
    assert "The person is erased." in answer.content.decode()
    assert f"No. {grace.pk}" in answer.content.decode() and "under way" in answer.content.decode()


def test_erasing_waits_for_a_list_that_is_being_imported(workspace, grace):
    Import.objects.create(workspace=workspace, name="customers.csv", status=Import.Status.RUNNING)

    answer = logged_in(workspace, Role.ADMIN).post(reverse("erase", args=[grace.pk]), {"address": grace.phone})

    assert answer.status_code == 409
    assert "“customers.csv” is not over yet" in answer.content.decode()


def test_the_page_names_every_place_where_colleagues_typed_an_address_of_theirs(workspace, grace):
    campaign = make_campaign(workspace, name="Greeting", body=f"Write to {grace.email.upper()}.")
    make_campaign(workspace, name="Other", body=f"Write to x{grace.email}.")
    german = make_campaign(workspace, name="In German", body="Hello")
    Wording.objects.create(campaign=german, language="de", body=f"Schreib {grace.phone}")
    make_campaign(make_workspace(), name="Elsewhere", body=grace.email)
    add_template(workspace, by=None, name="Footer", channel=Channel.SMS, body=f"Ask {grace.email}")
    WhatsAppTemplate.objects.create(workspace=workspace, name="hello", language="en", body=f"Call {grace.phone}")
    make_segment(workspace, ("email", "is", grace.email), name="Only her")
    make_segment(workspace, ("email", "is", f"x{grace.email}"), name="Somebody else")
    make_segment(workspace, ("location", "is", "x"), name=f"For {grace.email}")

    page = logged_in(workspace, Role.ADMIN).get(reverse("erase", args=[grace.pk])).content.decode()

    assert f'<a href="/campaigns/{campaign.pk}/">Campaign “Greeting” (draft)</a>: stays' in page
    assert "Segment “Only her”</a>: erased there, too" in page
    assert "Campaign “In German” (draft)" in page
    assert "Template “Footer”" in page and "WhatsApp template “hello" in page
    assert "</a>: stays as it is written" in page.split("Segment “For")[1]
    assert not any(name in page for name in ("Other", "Elsewhere", "Somebody else"))


def test_the_page_of_the_erased_says_how_far_each_is(workspace, grace):
    erase(grace, by=None)
    admin = logged_in(workspace, Role.ADMIN)

    for fields, words in (
        ({}, "written anew"),
        ({"out_of_files_at": Now()}, "calls that had begun"),
        ({"trouble": "x.zip was altered", "out_of_files_at": None}, "x.zip was altered"),
        ({"done_at": Now()}, ">done<"),
    ):
        Erasure.objects.update(**fields)
        assert words in admin.get(reverse("erasures")).content.decode()


def exported(client: Client, person: Recipient) -> str:
    answer = client.get(reverse("export-person", args=[person.pk]))
    assert answer.headers["Content-Type"].startswith("application/json")

    async def all_of() -> bytes:
        return b"".join([piece async for piece in answer.streaming_content])

    return async_to_sync(all_of)().decode()


@pytest.mark.django_db(transaction=True)
def test_an_export_looks_into_the_files_and_says_which_it_could_not_read(workspace, grace, place):
    make_recipient(workspace, first_name="Other", email="other@example.com")
    Recipient.objects.filter(pk=grace.pk).update(location="a\\b\tc, \\N")
    long_over(workspace, name="Filed", body="Dear {first_name} of {location}", people=4)
    Campaign.objects.update(launched_at=Now())
    before = json.loads(exported(logged_in(workspace, Role.MARKETER), grace))
    archive("--older-than", 30)

    after = json.loads(exported(logged_in(workspace, Role.MARKETER), grace))

    assert before["messages"] == after["messages"] and len(after["messages"]) == 1
    assert "Other" not in json.dumps(after)
    (file,) = place.rglob("*.zip")
    file.unlink()
    held = json.loads(exported(logged_in(workspace, Role.MARKETER), grace))
    assert held["messages"] == []
    assert held["campaigns_that_could_not_be_read"][0]["campaign"]["name"] == "Filed"


@pytest.mark.django_db(transaction=True)
def test_all_that_is_held_of_her_can_be_taken_along_and_that_is_written_down(workspace):
    bring_in(workspace, "email,phone,first_name,tier\ngrace@example.com,+254712345678,Grace,gold\n")
    grace = Recipient.objects.get()
    make_recipient(workspace, first_name="Other", email="other@example.com")
    make_group(workspace, grace, name="Customers")
    consent.opt_out(grace, how=consent.How.REPLY, by=None, channel=Channel.SMS, evidence={"text": "STOP"})
    campaign = launched(make_campaign(workspace, name="Spring", body="Dear {first_name}, {tier}"), *failed())
    message = campaign.messages.get(recipient=grace)
    Attempt.objects.create(message=message, key=message.key, outcome=2, category=2, error="550 no such user")

    left = make_group(workspace, grace, name="Left")
    consent.leave_group(grace, left, how=consent.How.PREFERENCES, by=None)
    left.delete()

    text = exported(logged_in(workspace, Role.MARKETER), grace)

    held = json.loads(text)
    assert (held["email"], held["attributes"], held["groups"]) == ("grace@example.com", {"tier": "gold"}, ["Customers"])
    assert held["consent"][0]["evidence"] == {"text": "STOP"}
    assert [(told["channel"], told["group"]) for told in held["consent"]] == [
        ("sms", None),
        (None, "a group that is deleted"),
    ]
    assert held["imports"][0]["verdict"] == "created"
    (told,) = held["messages"]
    assert told["campaign"]["name"] == "Spring" and told["text"].startswith("Dear Grace, gold")
    assert told["attempts"][0]["error"] == "550 no such user"
    assert "other@example.com" not in text
    assert AuditEntry.objects.get(verb="export").about == f"person {grace.pk}"
