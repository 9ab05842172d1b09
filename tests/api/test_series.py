"""Programs let a campaign come again: they begin a series, read it, change its rule, skip one and end it."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import Role
from campaigns.models import Recurrence
from dispatcher import operations, recurring
from tests.api.calls import Program, error_of
from tests.make import make_campaign, make_series, make_workspace

pytestmark = pytest.mark.django_db


@pytest.fixture
def program() -> Program:
    return Program(make_workspace())


def soon(days: int = 2) -> str:
    return (timezone.localdate() + timedelta(days=days)).isoformat()


def daily(**rule) -> dict:
    return {"repeat": "daily", "starts": soon(), "time": "09:00", "timezone": "Europe/Athens"} | rule


def test_a_draft_becomes_the_first_of_a_series(program):
    campaign = make_campaign(program.workspace, people=1)

    answer = program.post(f"/api/campaigns/{campaign.pk}/repeat", daily(every=3, times=4))

    told = answer.json()
    assert (answer.status_code, told["repeat"], told["every"], told["count"]) == (200, "daily", 3, 4)
    assert told["rule"] == "Every 3 days at 09:00 Europe/Athens"
    assert (told["next"]["campaign_id"], told["next"]["nth"]) == (campaign.pk, 1)
    assert program.get(f"/api/series/{told['id']}").json() == told
    assert program.get("/api/series").json()["data"] == [told]
    assert program.get(f"/api/campaigns/{campaign.pk}").json()["series_id"] == told["id"]


def test_what_follows_in_a_series_is_changed_only_by_who_may_send(program):
    series = make_series(make_campaign(program.workspace, people=1))
    campaign = series.next_one()
    operations.unschedule(campaign, by=None)
    editor, path = Program(program.workspace, Role.EDITOR), f"/api/campaigns/{campaign.pk}"

    refused = editor.patch(path, {"base_template": "For all", "and_following": True})

    assert (refused.status_code, error_of(refused)["code"]) == (403, "FORBIDDEN")
    series.refresh_from_db()
    assert series.body != "For all"
    assert editor.patch(path, {"base_template": "For one"}).status_code == 200


@pytest.mark.parametrize(
    ("rule", "field"),
    [
        (daily(starts="soon"), "starts"),
        (daily(starts="2020-01-01"), "starts"),
        (daily(starts="9999-12-31"), "starts"),
        (daily(time="25:00"), "time"),
        (daily(timezone="Mars/Base"), "timezone"),
        (daily(until="2020-01-01"), "until"),
        (daily(until=soon(9), times=3), "times"),
        (daily(every=0), "every"),
        (daily(day=32), "day"),
        (daily(repeat="yearly"), "repeat"),
        ({"repeat": "daily"}, "starts"),
    ],
)
def test_a_rule_that_cannot_be_is_refused_and_names_the_field(program, rule, field):
    campaign = make_campaign(program.workspace, people=1)

    refused = program.post(f"/api/campaigns/{campaign.pk}/repeat", rule)

    assert refused.status_code == 400
    assert field in str(error_of(refused)["details"])
    assert not Recurrence.objects.exists()


def test_what_could_not_be_sent_begins_no_series(program):
    nobody, sent = make_campaign(program.workspace, everyone=False), make_campaign(program.workspace, people=1)
    program.post(f"/api/campaigns/{sent.pk}/enqueue")

    refused = [program.post(f"/api/campaigns/{campaign.pk}/repeat", daily()) for campaign in (nobody, sent)]

    assert [error_of(answer)["code"] for answer in refused] == ["NO_RECIPIENTS", "CONFLICT"]


def test_the_rule_is_changed_in_part_and_the_rest_stays(program):
    series = make_series(make_campaign(program.workspace, people=1))
    path = f"/api/series/{series.pk}"

    first = program.patch(path, {"time": "10:30", "until": soon(90)}).json()
    second = program.patch(path, {"repeat": "monthly", "day": 5}).json()
    third = program.patch(path, {"times": 3}).json()
    fourth = program.patch(path, {"times": None}).json()

    assert (first["rule"], first["until"]) == ("Every Monday at 10:30 Europe/Athens", soon(90))
    assert (second["rule"], second["until"]) == ("Every month on the 5th at 10:30 Europe/Athens", soon(90))
    assert (third["count"], third["until"], third["day"]) == (3, None, 5)
    assert (fourth["count"], fourth["until"]) == (None, None)
    assert program.patch(path, {}).status_code == 400


def test_one_is_skipped_unless_another_one_is_meant(program):
    series = make_series(make_campaign(program.workspace, people=1))
    path = f"/api/series/{series.pk}"

    told = program.post(f"{path}/skip", {"nth": 1}).json()
    refused = program.post(f"{path}/skip", {"nth": 1})

    assert told["next"]["nth"] == 2
    assert (refused.status_code, error_of(refused)["code"]) == (409, "CONFLICT")
    rows = program.get(f"{path}/campaigns").json()["data"]
    assert [(row["nth"], row["status"]) for row in rows] == [(2, "scheduled"), (1, "cancelled")]


def test_an_ended_series_is_over(program):
    series = make_series(make_campaign(program.workspace, people=1))
    path = f"/api/series/{series.pk}"

    told = program.post(f"{path}/end").json()

    assert told["ended_at"] and told["next"] is None
    answers = [program.post(f"{path}/end"), program.post(f"{path}/skip"), program.patch(path, {"time": "10:00"})]
    assert [answer.status_code for answer in answers] == [409, 409, 409]
    assert "has ended" in error_of(answers[0])["message"]


def test_those_that_follow_say_the_same_when_asked_to(program):
    series = make_series(make_campaign(program.workspace, people=1))
    campaign = series.next_one()
    path = f"/api/campaigns/{campaign.pk}"

    program.patch(path, {"base_template": "For this one"})
    series.refresh_from_db()
    assert series.body != "For this one" and recurring.is_changed(series.next_one(), series)
    program.patch(path, {"base_template": "For all", "and_following": True})

    series.refresh_from_db()
    assert series.body == "For all"


def test_a_list_of_many_series_needs_no_more_queries_than_one(program):
    def queries() -> int:
        with CaptureQueriesContext(connection) as context:
            assert program.get("/api/series").status_code == 200
        return len(context)

    make_series(make_campaign(program.workspace, people=1))
    queries()  # notes that the key was used
    one = queries()
    for _ in range(5):
        make_series(make_campaign(program.workspace))

    assert queries() == one
