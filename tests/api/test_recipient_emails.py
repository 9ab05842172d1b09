"""Programs name email addresses for a campaign: they are linked in the background, and the bad ones are told."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from accounts.models import AuditEntry, Role
from campaigns import linking
from campaigns.models import Campaign, Linking, Recurrence
from dispatcher import clock, erase, operations, workers
from people.models import Recipient
from people.patterns import Finder
from tests.api.calls import Program, error_of
from tests.campaigns.test_pages import TYPED
from tests.dispatcher.athens import press
from tests.make import logged_in, make_recipient, make_workspace
from wires import queue

pytestmark = pytest.mark.django_db
WORDS = {"title": "Welcome", "message": "Welcome!"}


@pytest.fixture
def program() -> Program:
    return Program(make_workspace())


@pytest.fixture
def rung(monkeypatch) -> list[int]:
    """For which campaigns a worker was rung."""
    calls: list[int] = []
    monkeypatch.setattr(queue, "ask_to_link", calls.append)
    return calls


def named(program: Program, *emails: str, **fields) -> Campaign:
    answer = program.post("/api/campaigns", WORDS | {"recipient_emails": [*emails]} | fields)
    assert answer.status_code == 201, answer.content
    return Campaign.objects.get(pk=answer.json()["id"])


def told(program: Program, campaign: Campaign) -> dict:
    return program.get(f"/api/campaigns/{campaign.pk}").json()["recipients"]


def test_addresses_become_people_of_the_campaign_and_bad_ones_are_told(program):
    known = make_recipient(program.workspace, email="grace@example.com")
    make_recipient(program.workspace, email="stop@example.com", opted_out=True)
    emails = ("Grace@Example.com ", "grace@example.com", "new@example.com", "stop@example.com", "nobody", "")

    campaign = named(program, *emails)
    before = told(program, campaign)
    linking.link_on(campaign.pk)
    after = told(program, campaign)

    assert before == {"processed": 0, "skipped": 0, "errors": [], "error_count": 0, "waiting": 6}
    assert (after["processed"], after["skipped"], after["error_count"], after["waiting"]) == (2, 3, 1, 0)
    assert after["errors"][0]["email"] == "nobody" and "not an email address" in after["errors"][0]["error"]
    assert set(campaign.picked.all()) == {known, Recipient.objects.get(email="new@example.com")}
    assert program.get("/api/campaigns").json()["data"][0]["recipients"] == after
    entry = AuditEntry.objects.latest("pk")
    assert (entry.verb, entry.actor, entry.changes["linked"]) == ("link_addresses", str(program.key), [None, 2])


def test_a_campaign_of_nobody_named_has_nothing_to_link(program):
    campaign = Campaign.objects.get(pk=program.post("/api/campaigns", WORDS).json()["id"])

    assert told(program, campaign) is None
    assert not Linking.objects.exists()


def test_five_thousand_addresses_are_taken_with_as_many_queries_as_one(program, rung):
    def queries(how_many: int) -> int:
        with CaptureQueriesContext(connection) as context:
            named(program, *(f"person{n}@example.com" for n in range(how_many)))
        return len(context)

    queries(1)  # notes that the key was used
    assert queries(1) == queries(5_000)
    assert len(rung) == 3 and not Recipient.objects.exists()


def test_nothing_is_sent_before_all_are_linked(program):
    campaign = named(program, "grace@example.com", "ann@example.com")
    path = f"/api/campaigns/{campaign.pk}"

    early = program.post(f"{path}/enqueue")
    assert (early.status_code, error_of(early)["code"]) == (409, "ADDRESSES_LINKING")
    assert error_of(early)["message"] == "0 of 2 addresses named for it are linked so far; send when all are."
    linking.link_on(campaign.pk)

    assert program.post(f"{path}/enqueue").json()["created"] == 2


def test_people_who_are_linked_in_part_are_neither_copied_nor_chosen_anew(program):
    campaign = named(program, "grace@example.com", "ann@example.com")
    path = f"/api/campaigns/{campaign.pk}"
    rule = {"repeat": "daily", "starts": f"{timezone.localdate() + timedelta(days=2)}", "time": "09:00"}

    early = [program.post(f"{path}/duplicate"), program.post(f"{path}/repeat", rule)]
    early += [program.patch(path, {"customer_ids": []})]
    assert [(answer.status_code, error_of(answer)["code"]) for answer in early] == [(409, "ADDRESSES_LINKING")] * 3
    assert {answer["Retry-After"] for answer in early} == {"1"}
    assert program.patch(path, {"name": "Another"}).status_code == 200
    page = logged_in(program.workspace, Role.MARKETER).post(reverse("duplicate", args=[campaign.pk]), follow=True)
    assert "0 of 2 addresses named for it are linked so far; try again when all are." in page.content.decode()
    assert Campaign.objects.count() == 1 and not Recurrence.objects.exists()
    linking.link_on(campaign.pk)

    copy = Campaign.objects.get(pk=program.post(f"{path}/duplicate").json()["id"])
    assert copy.picked.count() == 2
    assert program.post(f"{path}/repeat", rule).status_code == 200
    assert Recurrence.objects.get().picked.count() == 2


def test_a_page_says_that_its_people_are_still_linked(program):
    campaign = named(program, "grace@example.com")
    make_recipient(program.workspace)
    Campaign.objects.update(everyone=True)
    client = logged_in(program.workspace, Role.MARKETER)
    sentence = "0 of 1 addresses named for it are linked so far"

    edited = client.post(reverse("campaign-edit", args=[campaign.pk]), TYPED | {"audience": "everyone"})
    begun = press(client, campaign, repeat="daily", every="1")

    assert sentence in edited.content.decode()
    assert begun.status_code == 409 and f"{sentence}; try again" in begun.content.decode()


def test_a_campaign_that_is_due_waits_for_its_addresses(program):
    at = timezone.now() + timedelta(hours=1)
    campaign = named(program, "grace@example.com", scheduled_at=at.isoformat())
    Campaign.objects.filter(pk=campaign.pk).update(scheduled_at=timezone.now())

    clock.start_schedules()
    campaign.refresh_from_db()
    assert campaign.get_status_display() == "scheduled"
    linking.link_on(campaign.pk)
    clock.start_schedules()

    campaign.refresh_from_db()
    assert campaign.get_status_display() == "sending"


def test_a_worker_that_dies_half_way_links_each_address_once(program, monkeypatch):
    monkeypatch.setattr(linking, "CHUNK", 2)
    campaign = named(program, *(f"p{n}@example.com" for n in range(5)), "bad")
    linking.link_next(campaign.pk)

    def die(*arguments, **named):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(linking, "_end", die)
        linking.link_on(campaign.pk)
    assert told(program, campaign)["waiting"] == 2
    linking.link_on(campaign.pk)
    linking.link_on(campaign.pk)

    assert told(program, campaign) | {"errors": []} == {
        "processed": 5, "skipped": 0, "errors": [], "error_count": 1, "waiting": 0
    }  # fmt: skip
    assert campaign.picked.count() == Recipient.objects.count() == 5


def test_a_bell_that_was_lost_is_rung_again_by_the_clock(program, rung):
    campaign = named(program, "grace@example.com")

    clock.ring_to_link()
    Linking.objects.update(moved_at=timezone.now() - timedelta(minutes=1))
    clock.ring_to_link()
    clock.ring_to_link()
    linking.link_on(campaign.pk)
    Linking.objects.update(moved_at=timezone.now() - timedelta(minutes=1))
    clock.ring_to_link()

    assert rung == [campaign.pk, campaign.pk]  # by the request, and by the clock once


def test_without_a_worker_attention_says_who_is_missing(program, rung, monkeypatch):
    monkeypatch.setattr(workers, "known", lambda: [])
    campaign = named(program, "grace@example.com")
    Campaign.objects.update(created_at=timezone.now() - timedelta(minutes=1))

    def missing() -> list[str]:
        return [item["id"] for item in program.get("/api/attention").json()["items"]]

    assert missing() == ["no-chores"]
    linking.link_on(campaign.pk)
    assert missing() == []


def test_who_is_erased_meanwhile_does_not_come_back(program):
    grace = make_recipient(program.workspace, email="grace@example.com")
    campaign = named(program, "grace@example.com", "not grace@example.com", "ann@example.com")
    other = named(program, "bad grace@example.com")
    linking.link_on(other.pk)

    erase.erase(grace, by=None)
    linking.link_on(campaign.pk)

    assert set(campaign.picked.values_list("email", flat=True)) == {"ann@example.com"}
    assert not Recipient.objects.filter(email="grace@example.com").exists()
    assert not any("grace" in str(row) for row in Linking.objects.values_list("addresses", "errors"))


def test_an_erasure_looks_only_at_what_may_name_the_person(program):
    done = named(program, "bad grace@example.com"), named(program, "0712 345 678"), named(program, "no ann@example.com")
    clean, waiting = named(program, "bob@example.com"), named(program, "bob@example.com")
    for campaign in (*done, clean):
        linking.link_on(campaign.pk)

    finder = Finder(["grace@example.com", "+254712345678"])

    looked_at = linking.that_may_name(program.workspace, finder).values_list("campaign", flat=True)
    assert set(looked_at) == {done[0].pk, done[1].pk, waiting.pk}


def test_what_is_cancelled_meanwhile_gets_nobody(program):
    campaign = named(program, "grace@example.com")
    operations.cancel(campaign, by=None)

    linking.link_on(campaign.pk)

    assert told(program, campaign)["skipped"] == 1
    assert not Recipient.objects.exists()


@pytest.mark.parametrize("emails", ["grace@example.com", [1], [None], {"a": 1}])
def test_what_is_no_list_of_texts_is_refused(program, emails):
    refused = program.post("/api/campaigns", WORDS | {"recipient_emails": emails})

    assert (refused.status_code, error_of(refused)["code"]) == (400, "VALIDATION_ERROR")
    assert not Campaign.objects.exists()
