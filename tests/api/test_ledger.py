"""What became of a campaign, as programs read it."""

from datetime import UTC, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from django.utils.dateformat import format as dated

from campaigns.models import Campaign, Split, Wording
from dispatcher import operations
from dispatcher.models import Category
from people.models import Recipient
from tests.api.calls import Program, error_of
from tests.dispatcher.outcomes import failed, launched, sent, unknown
from tests.make import make_campaign, make_workspace

pytestmark = pytest.mark.django_db


@pytest.fixture
def program() -> Program:
    return Program(make_workspace())


def over(program: Program) -> Campaign:
    outcomes = *sent(4), *failed(Category.BOUNCED, 3), *failed(Category.TIMEOUT, 1), *unknown(1)
    return launched(make_campaign(program.workspace, people=9, body="Dear {first_name}"), *outcomes)


def test_the_progress_adds_up_and_says_what_it_is_doing(program):
    campaign = over(program)

    progress = program.get(f"/api/campaigns/{campaign.pk}/progress").json()

    assert {"total", "sent", "failed", "pending", "processed", "progress", "rate_per_second", "eta", "why"} <= set(
        progress
    )
    assert (progress["total"], progress["sent"], progress["failed"], progress["unknown"]) == (9, 4, 4, 1)
    assert (progress["processed"], progress["progress"]) == (9, 100.0)
    assert progress["why"]


def test_a_draft_has_no_progress_yet(program):
    progress = program.get(f"/api/campaigns/{make_campaign(program.workspace).pk}/progress").json()

    assert (progress["total"], progress["progress"], progress["eta"]) == (0, 0, None)


def test_every_message_tells_its_text_and_its_outcome(program):
    campaign = over(program)

    page = program.get(f"/api/campaigns/{campaign.pk}/messages").json()

    assert page["pagination"] == {"page": 1, "page_size": 20, "total_count": 9, "total_pages": 1}
    assert [row["number"] for row in page["data"]] == list(range(1, 10))
    first = page["data"][0]
    person = Recipient.objects.get(pk=first["customer_id"])
    assert first["rendered_content"].startswith(f"Dear {person.first_name}\n")
    assert (first["status"], first["subject"]) == ("sent", f"Hello {person.first_name}")
    assert {(row["status"], row["category"]) for row in page["data"] if row["status"] in ("sent", "failed")} == {
        ("sent", None),
        ("failed", "bounced"),
        ("failed", "timeout"),
    }


@pytest.mark.parametrize(("status", "count"), [("", 9), ("failed", 4), ("sent", 4), ("unknown", 1), ("pending", 0)])
def test_pages_and_cursor_walk_over_each_status_without_a_gap(program, status, count):
    campaign = over(program)
    path = f"/api/campaigns/{campaign.pk}/messages"

    walked, cursor = [], ""
    while cursor is not None:
        page = program.get(path, status=status, page_size="2", cursor=cursor).json()
        walked += [row["number"] for row in page["data"]]
        cursor = page["pagination"]["next_cursor"]
    turned = [
        row["number"]
        for number in range(1, 7)
        for row in program.get(path, status=status, page_size="2", page=str(number)).json()["data"]
    ]

    assert walked == turned == sorted(set(walked))
    assert len(walked) == count


def test_a_cursor_or_status_that_is_none_is_refused(program):
    path = f"/api/campaigns/{over(program).pk}/messages"

    assert error_of(program.get(path, cursor="x"))["details"]["cursor"]
    assert program.get(path, status="asleep").status_code == 400


def test_it_tells_whom_it_could_not_reach_and_why(program):
    campaign = over(program)

    told = program.get(f"/api/campaigns/{campaign.pk}/failed-recipients", page_size="3").json()

    assert (told["campaignId"], told["failedCount"], len(told["recipients"])) == (campaign.pk, 4, 3)
    assert set(told["recipients"][0]) == {"id", "phone", "email", "error", "category", "failedAt"}
    timeouts = program.get(f"/api/campaigns/{campaign.pk}/failed-recipients", category="timeout").json()
    assert [row["category"] for row in timeouts["recipients"]] == ["timeout"]
    everybody = program.get(f"/api/campaigns/{campaign.pk}/failed-recipients").json()["recipients"]
    assert program.walk(f"/api/campaigns/{campaign.pk}/failed-recipients") == everybody, "and walked like every list"


def test_why_it_does_not_move_tells_times_with_their_zone(program):
    campaign = make_campaign(program.workspace, people=1)
    at = timezone.now() + timedelta(days=2)
    operations.schedule(campaign, at=at, by=None)

    told = program.get(f"/api/campaigns/{campaign.pk}/progress").json()["why"]

    assert f"at {dated(at.astimezone(UTC), 'j M')}" in told and " UTC." in told


def test_the_history_names_who_did_what(program):
    campaign = make_campaign(program.workspace, people=1)
    program.post(f"/api/campaigns/{campaign.pk}/enqueue")
    program.post(f"/api/campaigns/{campaign.pk}/pause")

    changes = program.get(f"/api/campaigns/{campaign.pk}/history").json()["data"]

    assert [change["to_status"] for change in changes] == ["paused", "sending", "preparing"]
    assert (changes[0]["from_status"], changes[0]["by"]) == ("sending", f"API key {program.key}")


def test_a_hundred_messages_need_no_more_queries_than_one(program):
    def queries(people: int) -> int:
        campaign = make_campaign(program.workspace, people=people)
        Wording.objects.create(campaign=campaign, language="el", subject="Γεια", body="Γεια {last_name}")
        operations.launch(campaign, by=None)
        with CaptureQueriesContext(connection) as asked:
            program.get(f"/api/campaigns/{campaign.pk}/messages", page_size="100")
        return len(asked)

    program.get("/api/campaigns")  # after which its key is known to be used

    assert queries(1) == queries(99)


def test_the_queue_and_the_day_are_told(program):
    over(program)

    queue = program.get("/api/queue/stats").json()
    day = program.get("/api/stats").json()

    assert queue["counts"] == {"waiting": 0, "due": 0, "in_flight": 0}
    assert queue["health"] in ("degraded", "unhealthy")  # nobody works here
    assert day["campaigns_today"] == 1
    assert (day["sent_today"], day["failed_today"], day["failure_rate"]) == (4, 4, 50.0)


def test_no_text_is_told_of_who_waits_for_the_winner(program):
    campaign = make_campaign(program.workspace, people=60)
    Split.objects.create(campaign=campaign, weights=[50, 50], tested=20)
    Wording.objects.create(campaign=campaign, variant=2, subject="B", body="B for {first_name}")
    operations.launch(campaign, by=None)

    rows = program.get(f"/api/campaigns/{campaign.pk}/messages", page_size="100").json()["data"]

    assert {bool(row["variant"]) for row in rows} == {True, False}
    assert all(bool(row["rendered_content"]) == bool(row["variant"]) for row in rows)
