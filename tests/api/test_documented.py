"""Every request of the source documents, as it stands there, on the demo: what is answered, and what comes of it."""

from collections.abc import Callable

import pytest
from django.utils import timezone

from accounts.models import Workspace
from campaigns.linking import link_on
from campaigns.models import Campaign
from dispatcher.api_demo.examples import EXAMPLES, Example
from dispatcher.api_demo.play import Player, differences
from dispatcher.models import Message
from people.channels import Channel
from people.models import ConsentEvent, Group, Recipient
from tests.api.calls import Program
from tests.api.served import asking, on_its_first_day
from tests.make import make_campaign, make_recipient, make_workspace

pytestmark = pytest.mark.django_db

Status = Campaign.Status
FIRST_BY_HAND = 7  # the demo brings six campaigns


@pytest.fixture
def acme(monkeypatch) -> Workspace:
    """The demo after a few campaigns by hand, so that the documents' campaigns 10 and 14 are what they speak of."""
    workspace = on_its_first_day(monkeypatch)
    sms = {"channel": Channel.SMS, "subject": "", "everyone": False}
    for number in range(FIRST_BY_HAND, 10):
        make_campaign(workspace, name=f"Campaign {number}", **sms)
    make_campaign(workspace, pk=14, body="Hello {first_name}!", **sms)
    return workspace


def campaign(number: int) -> Campaign:
    return Campaign.objects.get(pk=number)


def pending(number: int) -> list[int]:
    """Who gets a message of the campaign that waits."""
    messages = Message.objects.filter(campaign=number, status=Message.Status.PENDING)
    return sorted(messages.values_list("recipient", flat=True))


def emails_in_group_1() -> set[str]:
    return set(Group.objects.get(pk=1).recipients.values_list("email", flat=True))


def wish_of_user() -> list[tuple[bool, str]]:
    return list(
        ConsentEvent.objects.filter(recipient__email="user@example.com").order_by("pk").values_list("wish", "reason")
    )


# What has to be true once the request was answered.
EFFECTS: dict[str, Callable[[], bool]] = {
    "Write a campaign that starts in three minutes": lambda: campaign(10).scheduled_at > timezone.now(),
    "Add people to it; it stays scheduled": lambda: (
        campaign(10).status == Status.SCHEDULED
        and set(campaign(10).picked.values_list("pk", flat=True)) == {1, 2, 3}
        and not Message.objects.exists()
    ),
    "See it as one customer reads it": lambda: not campaign(14).messages.exists(),
    "See other words as one customer reads them": lambda: campaign(14).body == "Hello {first_name}!",
    "Add a customer": lambda: Recipient.objects.filter(first_name="Alice", last_name="Mwangi").exists(),
    "Send a campaign to three customers": lambda: pending(1) == [1, 2, 3] and campaign(1).status == Status.SENDING,
    "Write a campaign to two addresses": lambda: campaign(11).subject == "Welcome Campaign",
    "Send it to them": lambda: len(pending(11)) == Recipient.objects.filter(email__startswith="user").count() == 2,
    "Make a group": lambda: Group.objects.get(name="VIP Customers").description == "High-value customers",
    "Change a group": lambda: Group.objects.get(pk=1).name == "Updated VIP Customers",
    "Put people into a group": lambda: {"user1@example.com", "user2@example.com"} < emails_in_group_1(),
    "Add a recipient, or find one": lambda: Recipient.objects.filter(email="user1@example.com").count() == 1,
    "Change a recipient": lambda: Recipient.objects.get(pk=1).full_name == "John Doe",
    "Somebody wants no more messages": lambda: Recipient.objects.get(email="user@example.com").opted_out,
    "Somebody wants messages again": lambda: (
        not Recipient.objects.get(email="user@example.com").opted_out
        and wish_of_user() == [(ConsentEvent.Wish.OUT, "No longer interested"), (ConsentEvent.Wish.IN, "")]
    ),
    "Send a campaign to its saved audience": lambda: pending(2) == list(range(1, 11)),
    "Try again what failed": lambda: len(pending(2)) == 10,  # nothing failed yet
    "Cancel a campaign": lambda: campaign(10).status == Status.CANCELLED,
}  # fmt: skip


def test_every_documented_request_is_answered_and_has_its_effect(acme):
    player = Player(asking(acme), {}, wait=lambda seconds: link_on(11))  # as a chores worker does meanwhile
    sent_before = Message.objects.count()

    for example in EXAMPLES:
        played = player.play(example)
        assert played.faults == [], (example.about, played.answer)
        if example.status:
            assert Message.objects.count() == sent_before, example.about
        assert EFFECTS.get(example.about, lambda: True)(), example.about
        sent_before = Message.objects.count()

    assert all(here == number for (kind, number), here in player.numbers.items() if kind == "campaign")


def test_the_demo_has_the_people_and_campaigns_the_documents_begin_with(acme):
    assert acme.recipients.filter(email__startswith="customer").count() == 10
    assert str(acme.recipients.get(pk=3)) == "Alice Johnson"
    begun_with = acme.campaigns.filter(name__in=["Welcome Campaign", "Product Promotion"], status=Status.DRAFT)
    assert set(begun_with.values_list("channel", flat=True)) == {Channel.SMS, Channel.WHATSAPP}


def test_the_overview_s_template_reads_as_it_says():
    program = Program(make_workspace())
    alice = make_recipient(program.workspace, first_name="Alice", preferred_product="Shoes")
    body = {"name": "Sale", "channel": "sms", "base_template": "Hi {first_name}, check {preferred_product}!"}
    place = f"/api/campaigns/{program.post('/api/campaigns', body).json()['id']}"

    program.post(f"{place}/send", {"customer_ids": [alice.pk]})

    message = program.get(f"{place}/messages").json()["data"][0]
    assert message["rendered_content"].splitlines()[0] == "Hi Alice, check Shoes!"
    assert (message["status"], message["retry_count"], message["customer_id"]) == ("pending", 0, alice.pk)


def test_a_cursor_meets_every_campaign_once_while_others_are_written():
    program = Program(make_workspace())
    made = [make_campaign(program.workspace).pk for _ in range(5)]
    met, cursor = [], ""

    while cursor is not None:
        page = program.get("/api/campaigns", cursor=cursor, page_size="2").json()
        met += [campaign["id"] for campaign in page["data"]]
        cursor = page["pagination"]["next_cursor"]
        make_campaign(program.workspace)

    assert met == made[::-1]


def test_what_every_writing_request_has_to_cause_is_written_here():
    writing = {each.about for each in EXAMPLES if not each.text.startswith(("GET", "curl -s")) and not each.status}

    assert set(EFFECTS) == writing


def test_an_answer_that_is_not_as_documented_is_told():
    documented = {"id": int, "data": [{"name": "A"}], "status": "sent"}

    told = list(differences(documented, {"id": "1", "data": [{"name": "A"}, {"name": "B"}, {}], "more": 1}))

    assert sorted(told) == [
        "row 2 of “data” has no “name”",
        "the answer has no “status”",
        "“id” is '1', documented is int",
        "“name” is 'B', documented is 'A'",
    ]


def test_an_example_with_another_status_than_documented_is_told(acme):
    example = Example("A", 1, "a", "GET /campaigns/999999999", dict)

    assert Player(asking(acme), {}).play(example).faults == [
        "the status is 404, documented is success: Campaign with ID 999999999 not found"
    ]
