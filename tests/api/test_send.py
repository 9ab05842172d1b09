from collections import Counter
from datetime import timedelta
from threading import Barrier, Thread

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import Workspace
from campaigns.models import Campaign
from dispatcher import freeze
from dispatcher.models import Message
from tests.api.calls import Program, error_of
from tests.make import make_campaign, make_group, make_recipient, make_recipients, make_workspace

pytestmark = pytest.mark.django_db

Status = Campaign.Status


@pytest.fixture
def program() -> Program:
    return Program(make_workspace())


def draft(workspace: Workspace, **fields) -> Campaign:
    """A campaign as the API makes it: nobody is chosen yet."""
    return make_campaign(workspace, **({"everyone": False} | fields))


def scheduled(workspace: Workspace, **fields) -> Campaign:
    tomorrow = timezone.now() + timedelta(days=1)
    return draft(workspace, **({"status": Status.SCHEDULED, "scheduled_at": tomorrow} | fields))


def standing(campaign: Campaign) -> tuple:
    """All that a send may change."""
    campaign.refresh_from_db()
    ids = [sorted(m2m.values_list("pk", flat=True)) for m2m in (campaign.groups, campaign.picked, campaign.excluded)]
    return campaign.status, campaign.everyone, *ids, campaign.messages.count(), campaign.history.count()


def test_a_draft_is_launched_to_the_people_named(program):
    people = make_recipients(program.workspace, 4)
    campaign = draft(program.workspace)

    answer = program.post(f"/api/campaigns/{campaign.pk}/send", {"customer_ids": [p.pk for p in people[:3]]})

    assert answer.status_code == 200
    sent = answer.json()
    assert (sent["campaign_id"], sent["messages_queued"], sent["status"]) == (campaign.pk, 3, "sending")
    assert set(sent["skipped"]) == {
        "opted_out", "suppressed", "duplicate_address", "no_address", "invalid_address", "erased", "expired", "held_out"
    }  # fmt: skip
    assert set(Message.objects.values_list("recipient", flat=True)) == {p.pk for p in people[:3]}
    assert program.get(f"/api/campaigns/{campaign.pk}").json()["stats"]["pending"] == 3


def test_people_named_twice_get_one_message(program):
    ann, bob, cy = (p.pk for p in make_recipients(program.workspace, 3))
    campaign = draft(program.workspace)

    answer = program.post(f"/api/campaigns/{campaign.pk}/send", {"customer_ids": [ann, bob, bob, cy]})

    assert answer.json()["messages_queued"] == 3


def test_who_is_left_out_is_counted_by_reason(program):
    reached = make_recipient(program.workspace)
    opted_out = make_recipient(program.workspace, opted_out=True)
    no_email = make_recipient(program.workspace, email="")
    campaign = draft(program.workspace)

    answer = program.post(f"/api/campaigns/{campaign.pk}/send", {"target": "all"}).json()

    assert answer["messages_queued"] == 1
    assert {reason: n for reason, n in answer["skipped"].items() if n} == {"opted_out": 1, "no_address": 1}
    statuses = dict(Message.objects.values_list("recipient", "status"))
    assert statuses == {reached.pk: 1, opted_out.pk: 4, no_email.pk: 4}


def test_each_selector_reaches_its_people(program):
    ann = make_recipient(program.workspace, location="Nairobi", preferred_product="Shoes")
    bob = make_recipient(program.workspace, location="NAIROBI", preferred_product="Hats")
    cy = make_recipient(program.workspace, location="Mombasa")
    make_recipient(make_workspace(), location="Nairobi")
    group = make_group(program.workspace, bob, cy)

    def reached(**whom) -> set[int]:
        campaign = draft(program.workspace)
        assert program.post(f"/api/campaigns/{campaign.pk}/send", whom).status_code == 200
        return set(campaign.messages.values_list("recipient", flat=True))

    assert reached(target="all") == {ann.pk, bob.pk, cy.pk}
    assert reached(group_ids=[group.pk]) == {bob.pk, cy.pk}
    assert reached(segment={"location": "Nairobi"}) == {ann.pk, bob.pk}
    assert reached(segment={"location": "nairobi", "preferred_product": "shoes"}) == {ann.pk}
    assert reached(target="all", exclude_ids=[ann.pk]) == {bob.pk, cy.pk}
    assert reached(customer_ids=[ann.pk, cy.pk], exclude_ids=[cy.pk]) == {ann.pk}


def test_a_draft_is_sent_to_the_people_named_and_no_longer_to_those_saved(program):
    ann, bob = make_recipients(program.workspace, 2)
    campaign = draft(program.workspace, everyone=True)
    campaign.excluded.add(ann)

    program.post(f"/api/campaigns/{campaign.pk}/send", {"customer_ids": [ann.pk]})

    assert list(campaign.messages.values_list("recipient", flat=True)) == [ann.pk]


@pytest.mark.parametrize(
    "whom", [{}, {"customer_ids": []}, {"group_ids": []}, {"segment": {}}, {"exclude_ids": [1]}, {"customer_ids": None}]
)
def test_nobody_named_is_refused(program, whom):
    campaign = draft(program.workspace, everyone=True)

    answer = program.post(f"/api/campaigns/{campaign.pk}/send", whom)

    assert answer.status_code == 400
    assert error_of(answer)["code"] == "EMPTY_CUSTOMER_IDS"


def test_an_empty_body_names_nobody(program):
    campaign = draft(program.workspace)

    assert error_of(program.post_raw(f"/api/campaigns/{campaign.pk}/send", b""))["code"] == "EMPTY_CUSTOMER_IDS"


@pytest.mark.parametrize(
    "whom",
    [
        {"customer_ids": [1], "target": "all"},
        {"segment": {"location": "Nairobi"}, "group_ids": [1]},
        {"customer_ids": ["1"]},
        {"customer_ids": [True]},
        {"customer_ids": [1.0]},
        {"customer_ids": [0]},
        {"customer_ids": [-1]},
        {"customer_ids": 1},
        {"customer_ids": {"id": 1}},
        {"target": "none"},
        {"target": "all", "send_now": "yes"},
        {"segment": {"location": ""}},
        {"segment": {"workspace": "1"}},
        {"segment": {"location__contains": "N"}},
        {"customer_list_id": 1},
    ],
)
def test_a_choice_that_cannot_be_understood_is_refused(program, whom):
    campaign = draft(program.workspace)
    before = standing(campaign)

    answer = program.post(f"/api/campaigns/{campaign.pk}/send", whom)

    assert answer.status_code == 400
    assert error_of(answer)["code"] == "VALIDATION_ERROR"
    assert standing(campaign) == before


@pytest.mark.parametrize("make", [draft, scheduled])
@pytest.mark.parametrize("selector", ["customer_ids", "group_ids", "exclude_ids"])
@pytest.mark.parametrize("stranger", ["another workspace's", "nobody's", "out of reach"])
def test_one_unknown_number_refuses_the_whole_send(program, make, selector, stranger):
    ours = make_recipient(program.workspace)
    elsewhere = make_recipient(make_workspace())
    number = {"another workspace's": elsewhere.pk, "nobody's": 10**9, "out of reach": 10**30}[stranger]
    if selector == "group_ids" and stranger == "another workspace's":
        number = make_group(elsewhere.workspace).pk
    good = {"exclude_ids": [ours.pk], "customer_ids": [ours.pk], "group_ids": [make_group(program.workspace, ours).pk]}
    campaign = make(program.workspace)
    before = standing(campaign)

    body = {selector: [*good[selector], number]} | ({"target": "all"} if selector == "exclude_ids" else {})
    answer = program.post(f"/api/campaigns/{campaign.pk}/send", body)

    what = "Group" if selector == "group_ids" else "Customer"
    assert answer.status_code == 404
    assert error_of(answer)["code"] == f"{what.upper()}_NOT_FOUND"
    assert error_of(answer)["message"] == f"{what} with ID {number} not found"
    assert standing(campaign) == before


def test_a_launch_that_is_refused_leaves_the_campaign_as_it_was(program):
    saved, opted_out = make_recipient(program.workspace), make_recipient(program.workspace, opted_out=True)
    campaign = draft(program.workspace)
    campaign.picked.add(saved)
    before = standing(campaign)

    answer = program.post(f"/api/campaigns/{campaign.pk}/send", {"customer_ids": [opted_out.pk]})

    assert answer.status_code == 400
    assert error_of(answer)["code"] == "NO_RECIPIENTS"
    assert standing(campaign) == before


@pytest.mark.parametrize("status", [s for s in Status if s not in (Status.DRAFT, Status.SCHEDULED)])
def test_a_campaign_is_not_sent_twice(program, status):
    person = make_recipient(program.workspace)
    campaign = draft(program.workspace, status=status)

    answer = program.post(f"/api/campaigns/{campaign.pk}/send", {"customer_ids": [person.pk]})

    assert answer.status_code == 409
    assert answer.json() == {
        "error": {
            "code": "CONFLICT",
            "message": f"campaign already processed (status: '{status.label}'). To prevent duplicate sends, "
            "campaigns in 'sending', 'sent', or 'failed' status cannot be sent again",
            "details": {},
        }
    }


def test_people_are_added_to_a_scheduled_campaign_which_stays_scheduled(program):
    ann, bob, cy, dan = (p.pk for p in make_recipients(program.workspace, 4))
    opted_out = make_recipient(program.workspace, opted_out=True).pk
    campaign = scheduled(program.workspace)
    send = f"/api/campaigns/{campaign.pk}/send"

    first = program.post(send, {"customer_ids": [ann, bob, cy]}).json()
    second = program.post(send, {"customer_ids": [ann, bob, cy, dan, opted_out]}).json()
    third = program.post(send, {"customer_ids": [dan]}).json()

    assert (first["messages_queued"], first["status"]) == (3, "scheduled")
    assert (second["messages_queued"], second["skipped"]["opted_out"]) == (1, 1)
    assert (third["messages_queued"], third["skipped"]["opted_out"]) == (0, 0)
    stats = program.get(f"/api/campaigns/{campaign.pk}").json()["stats"]
    assert (stats["total"], stats["pending"]) == (4, 4)
    assert not Message.objects.exists()


def test_a_scheduled_campaign_can_be_sent_now(program):
    ann, bob = (p.pk for p in make_recipients(program.workspace, 2))
    campaign = scheduled(program.workspace)
    send = f"/api/campaigns/{campaign.pk}/send"
    program.post(send, {"customer_ids": [ann]})

    answer = program.post(send, {"customer_ids": [bob], "send_now": True}).json()

    assert (answer["messages_queued"], answer["status"]) == (2, "sending")
    assert Message.objects.count() == 2


def test_a_scheduled_campaign_that_is_due_is_sent(program):
    ann = make_recipient(program.workspace)
    campaign = scheduled(program.workspace, scheduled_at=timezone.now() - timedelta(seconds=1))

    answer = program.post(f"/api/campaigns/{campaign.pk}/send", {"customer_ids": [ann.pk]}).json()

    assert (answer["messages_queued"], answer["status"]) == (1, "sending")


def test_a_large_audience_is_accepted_and_prepared_in_the_background(program, monkeypatch):
    monkeypatch.setattr(freeze, "CHUNK", 3)
    make_recipients(program.workspace, 5)
    campaign = draft(program.workspace)

    answer = program.post(f"/api/campaigns/{campaign.pk}/send", {"target": "all"})

    assert answer.status_code == 202
    assert answer.json() == {
        "campaign_id": campaign.pk, "messages_queued": None, "status": "preparing", "skipped": {}
    }  # fmt: skip
    assert program.get(f"/api/campaigns/{campaign.pk}").json()["stats"]["pending"] == 5


def test_ten_thousand_people_take_as_many_queries_as_one(program):
    people = [p.pk for p in make_recipients(program.workspace, 10_000)]
    program.get("/api/campaigns")  # notes the use of the key

    def queries(ids: list[int]) -> int:
        campaign = draft(program.workspace)
        with CaptureQueriesContext(connection) as captured:
            answer = program.post(f"/api/campaigns/{campaign.pk}/send", {"customer_ids": ids})
        assert answer.json()["messages_queued"] == len(ids)
        return len(captured)

    assert queries(people) == queries(people[:1])


@pytest.mark.django_db(transaction=True)
def test_of_six_who_send_at_once_one_wins_and_five_are_told(program):
    people = [p.pk for p in make_recipients(program.workspace, 50)]
    campaign = draft(program.workspace)
    start, answers = Barrier(6), []

    def send() -> None:
        start.wait()
        answers.append(program.post(f"/api/campaigns/{campaign.pk}/send", {"customer_ids": people}))
        connection.close()

    threads = [Thread(target=send) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert Counter(answer.status_code for answer in answers) == {200: 1, 409: 5}
    assert [a.json()["messages_queued"] for a in answers if a.status_code == 200] == [50]
    assert Message.objects.count() == 50
