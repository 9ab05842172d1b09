"""What needs a person, as programs read it: dead letters tried again or dismissed, and the rest of Attention."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from campaigns.models import Campaign
from dispatcher import dead_letters, letters_at_once, operations
from dispatcher.api import letters
from dispatcher.models import Category
from tests.api.calls import Program, error_of
from tests.dispatcher.outcomes import failed, launched, unknown
from tests.make import make_campaign, make_workspace

pytestmark = pytest.mark.django_db


@pytest.fixture
def program() -> Program:
    return Program(make_workspace())


def failing(program: Program, bounced: int = 2, timeouts: int = 1) -> Campaign:
    campaign = make_campaign(program.workspace, people=bounced + timeouts)
    total = program.workspace.recipients.count()
    outcomes = [*failed(Category.BOUNCED, bounced), *failed(Category.TIMEOUT, total - bounced)]
    return launched(campaign, *outcomes)


def test_they_are_listed_by_campaign_and_cause_and_one_by_one(program):
    campaign = failing(program)

    told = program.get("/api/dead-letters").json()
    rows = program.get(f"/api/dead-letters/{campaign.pk}", category="bounced").json()

    assert (told["messages"], told["worth_a_try"]) == (3, 1)
    letters = told["data"][0]
    assert letters["campaign_id"] == campaign.pk
    assert [(cause["category"], cause["messages"]) for cause in letters["causes"]] == [("bounced", 2), ("timeout", 1)]
    assert [(row["number"], row["category"]) for row in rows["data"]] == [(1, "bounced"), (2, "bounced")]
    assert program.get(f"/api/dead-letters/{campaign.pk}", cursor="2").json()["data"][0]["number"] == 3
    assert program.get("/api/dead-letters", cursor="x").status_code == 400


def test_they_are_walked_like_every_list(program, monkeypatch):
    campaigns = [failing(program) for _ in range(3)]
    monkeypatch.setattr(letters, "SIZE", 2)
    monkeypatch.setattr(dead_letters, "SIZE", 2)

    assert [row["campaign_id"] for row in program.walk("/api/dead-letters")] == [c.pk for c in reversed(campaigns)]
    assert [row["number"] for row in program.walk(f"/api/dead-letters/{campaigns[0].pk}")] == [1, 2, 3]


def test_some_causes_of_one_campaign_are_tried_again(program):
    campaign, other = failing(program), failing(program)

    done = program.post("/api/dead-letters/retry", {"campaign_id": campaign.pk, "categories": ["timeout"]}).json()

    assert done == {"messages": 1, "campaigns": 1, "refused": [], "left": 0}
    assert campaign.messages.filter(status=1).count() == 1
    assert not other.messages.filter(status=1).exists()


def test_all_there_is_is_tried_again_a_number_of_campaigns_at_a_time(program, monkeypatch):
    monkeypatch.setattr(letters_at_once, "AT_ONCE", 1)
    first, second = failing(program, 1, 0), failing(program, 1, 1)
    operations.cancel(make_campaign(program.workspace), by=None)

    once, twice = (program.post("/api/dead-letters/retry").json() for _ in range(2))

    assert (once["campaigns"], once["left"], twice["left"]) == (1, 1, 0)
    assert not Campaign.objects.get(pk=first.pk).messages.filter(status=3).exists()
    assert not Campaign.objects.get(pk=second.pk).messages.filter(status=3).exists()


def test_what_was_dismissed_is_off_the_list_and_can_be_put_back(program):
    campaign = failing(program)

    dismissed = program.post("/api/dead-letters/dismiss", {"campaign_id": campaign.pk}).json()
    then = program.get("/api/dead-letters").json()
    back = program.post(f"/api/dead-letters/{campaign.pk}/undismiss", {"categories": ["timeout"]}).json()

    assert (dismissed["messages"], then["messages"]) == (3, 0)
    assert [cause["messages"] for cause in then["data"][0]["dismissed"]] == [2, 1]
    assert back == {"messages": 1}
    assert program.get("/api/dead-letters").json()["messages"] == 1


def test_a_campaign_of_which_nothing_failed_has_none(program):
    campaign = make_campaign(program.workspace)

    answers = [
        program.get(f"/api/dead-letters/{campaign.pk}"),
        program.post("/api/dead-letters/retry", {"campaign_id": campaign.pk}),
    ]

    assert [error_of(answer)["code"] for answer in answers] == ["DEAD_LETTERS_NOT_FOUND"] * 2
    assert error_of(program.get("/api/dead-letters/999999"))["code"] == "CAMPAIGN_NOT_FOUND"
    assert program.get("/api/dead-letters").json()["data"] == []


def test_what_needs_a_person_is_told_until_it_is_seen_to(program):
    campaign = make_campaign(program.workspace, people=1)
    operations.schedule(campaign, at=timezone.now() + timedelta(days=1), by=None)
    operations.unschedule(campaign, by=None, reason="Could not start: nobody is chosen")
    launched(make_campaign(program.workspace), *unknown())

    told = program.get("/api/attention").json()
    seen = program.post(f"/api/campaigns/{campaign.pk}/dismiss-launch")

    assert [item["id"].partition("-")[0] for item in told["items"]] == ["launch", "unknown"]
    assert (told["count"], told["more"]) == (2, 0)
    assert (told["items"][0]["campaign_id"], told["items"][0]["sentence"]) == (
        campaign.pk,
        "Could not start: nobody is chosen",
    )
    assert seen.status_code == 200
    assert program.get("/api/attention").json()["count"] == 1
    assert program.post(f"/api/campaigns/{campaign.pk}/dismiss-launch").status_code == 409


@pytest.mark.parametrize("path", ["/api/dead-letters", "/api/attention"])
def test_many_campaigns_need_no_more_queries_than_one(program, path):
    def queries() -> int:
        with CaptureQueriesContext(connection) as context:
            assert program.get(path).status_code == 200
        return len(context)

    failing(program)
    queries()  # notes that the key was used
    one = queries()
    for _ in range(4):
        failing(program)

    assert queries() == one
