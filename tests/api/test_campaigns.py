from datetime import UTC, datetime, timedelta

import pytest
from django.core.cache import cache
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import Role
from campaigns.models import Campaign
from dispatcher import stats
from dispatcher.models import Batch
from dispatcher.stats import Question, reached_by_many, stats_of_many
from tests.api.calls import Program, error_of
from tests.make import make_campaign, make_group, make_recipient, make_recipients, make_workspace
from tests.people.describing import make_segment

pytestmark = pytest.mark.django_db

KEYS = {
    "id", "name", "channel", "status", "base_template", "subject", "format", "preheader", "scheduled_at", "priority",
    "generated_words", "brief", "whatsapp_template_id", "whatsapp_values", "series_id", "archived", "recipients",
    "created_at", "stats"
}  # fmt: skip
NEXT_YEAR = datetime.now(UTC).year + 1
STATS = {"total", "pending", "sending", "sent", "failed", "skipped", "cancelled", "unknown"}


@pytest.fixture
def program() -> Program:
    return Program(make_workspace())


def ahead(**how_long) -> str:
    """A time in the future, as JavaScript's toISOString writes it."""
    return (datetime.now(UTC) + timedelta(**how_long)).strftime("%Y-%m-%dT%H:%M:%S.000Z")


def test_a_campaign_is_a_draft_with_every_documented_key(program):
    answer = program.post("/api/campaigns", {"name": "Sale", "channel": "sms", "base_template": "Hi {first_name}!"})

    assert answer.status_code == 201
    campaign = answer.json()
    assert set(campaign) == KEYS
    assert set(campaign["stats"]) == STATS
    assert campaign["name"] == "Sale"
    assert campaign["channel"] == "sms"
    assert campaign["status"] == "draft"
    assert campaign["base_template"] == "Hi {first_name}!"
    assert campaign["priority"] == "normal"
    assert Campaign.objects.get().workspace == program.workspace


def test_the_other_words_of_old_clients_are_understood(program):
    campaign = program.post("/api/campaigns/", {"title": "Welcome Campaign", "message": "Welcome!"}).json()

    assert (campaign["name"], campaign["base_template"]) == ("Welcome Campaign", "Welcome!")
    assert campaign["channel"] == "email"
    assert campaign["subject"] == "Welcome Campaign"


def test_an_email_can_be_written_as_markdown_html_or_mjml(program):
    fields = {"title": "News", "format": "markdown", "preheader": "For you", "message": "# Hi {first_name}"}

    campaign = program.post("/api/campaigns", fields).json()

    assert (campaign["format"], campaign["preheader"]) == ("markdown", "For you")
    assert campaign["base_template"] == "# Hi {first_name}"
    assert "Hi {first_name}</h1>" in Campaign.objects.get().html


@pytest.mark.parametrize(
    ("fields", "named", "sentence"),
    [
        ({"format": "rtf"}, "format", "'text', 'markdown', 'html' or 'mjml'"),
        ({"format": "html", "channel": "sms"}, "format", "only an email can be HTML"),
        ({"format": "html", "message": "<p>\n<script>"}, "base_template", "Line 2: <script> cannot be sent"),
        ({"preheader": "a\nb"}, "preheader", "remove the line break at position 2"),
        ({"preheader": "{frist_name}"}, "preheader", "Nobody here has {frist_name}"),
    ],
)
def test_what_no_email_can_be_is_refused_with_a_sentence(program, fields, named, sentence):
    answer = program.post("/api/campaigns", {"title": "News", "message": "Hi"} | fields)

    assert answer.status_code == 400
    assert sentence in str(error_of(answer)["details"][named])
    assert not Campaign.objects.exists()


def test_a_name_that_only_colleagues_see_never_becomes_the_subject(program):
    answer = program.post("/api/campaigns", {"name": "Draft for the boss", "base_template": "Welcome!"})

    assert answer.status_code == 400
    assert error_of(answer)["code"] == "VALIDATION_ERROR"
    assert list(error_of(answer)["details"]) == ["subject"]
    assert not Campaign.objects.exists()


@pytest.mark.parametrize("text", ["", "  "])
def test_a_program_cannot_write_half_a_campaign(program, text):
    answer = program.post("/api/campaigns", {"title": "A", "base_template": text})

    assert answer.status_code == 400
    assert list(error_of(answer)["details"]) == ["base_template"]


@pytest.mark.parametrize("twice", [{"title": "B"}, {"message": "B"}])
def test_a_field_given_under_both_its_names_is_refused(program, twice):
    answer = program.post("/api/campaigns", {"name": "A", "base_template": "A"} | twice)

    assert answer.status_code == 400
    assert "not both" in error_of(answer)["message"]


@pytest.mark.parametrize(("missing", "named"), [("name", "name"), ("base_template", "base_template")])
def test_name_and_text_are_needed(program, missing, named):
    body = {"name": "A", "channel": "sms", "base_template": "A"}
    del body[missing]

    answer = program.post("/api/campaigns", body)

    assert answer.status_code == 400
    assert named in error_of(answer)["details"]


def test_an_unknown_placeholder_is_named_beside_the_valid_ones(program):
    answer = program.post("/api/campaigns", {"name": "A", "channel": "sms", "message": "Hi {frist_name}"})

    assert answer.status_code == 400
    assert error_of(answer)["code"] == "INVALID_TEMPLATE"
    assert "{frist_name}" in error_of(answer)["message"]
    assert "{first_name}, {last_name}" in error_of(answer)["message"]
    assert list(error_of(answer)["details"]) == ["base_template"]
    assert not Campaign.objects.exists()


def test_the_old_spelling_of_the_product_is_understood(program):
    body = {"name": "A", "channel": "sms", "message": "Your {prefered_product}"}

    assert program.post("/api/campaigns", body).status_code == 201


def test_a_time_ahead_schedules_the_campaign(program):
    at = ahead(hours=3)

    campaign = program.post(
        "/api/campaigns", {"name": "A", "channel": "sms", "base_template": "B", "scheduled_at": at}
    ).json()

    assert campaign["status"] == "scheduled"
    assert campaign["scheduled_at"] == at.replace(".000Z", "Z")


def test_a_time_without_an_offset_is_kept_as_the_clocks_of_its_zone_show_it(program):
    at = {"scheduled_at": f"{NEXT_YEAR}-06-01T09:00", "timezone": "Europe/Athens"}

    program.post("/api/campaigns", {"name": "A", "channel": "sms", "message": "B"} | at)

    campaign = Campaign.objects.get()
    assert campaign.wall and campaign.wall.words.endswith(f"1 June {NEXT_YEAR} at 09:00 Europe/Athens (06:00 UTC)")
    assert campaign.history.first().reason == f"for {campaign.wall.words}"


@pytest.mark.parametrize(
    "at",
    [
        {"scheduled_at": "9999-12-31T23:59:59Z"},
        {"scheduled_at": "9999-12-31T23:59", "timezone": "Europe/Athens"},
        {"scheduled_at": ahead(days=733)},
    ],
)
def test_a_time_more_than_two_years_ahead_is_refused(program, at):
    refused = program.post("/api/campaigns", {"name": "A", "channel": "sms", "message": "B"} | at)

    assert refused.status_code == 400 and "two years" in error_of(refused)["details"]["scheduled_at"][0]
    assert not Campaign.objects.exists()


def test_only_who_may_send_lets_a_campaign_start_by_itself(program):
    editor = Program(program.workspace, Role.EDITOR)
    body = {"name": "A", "channel": "sms", "message": "B", "everyone": True}

    for at in (
        {"scheduled_at": ahead(hours=1)},
        {"scheduled_at": f"{NEXT_YEAR}-06-01T09:00", "timezone": "Asia/Tokyo"},
    ):
        refused = editor.post("/api/campaigns", body | at)
        assert (refused.status_code, error_of(refused)["code"]) == (403, "FORBIDDEN")

    assert not Campaign.objects.exists()
    draft = editor.post("/api/campaigns", body | {"scheduled_at": "2025-12-04T10:34:00Z"})
    assert (draft.status_code, draft.json()["status"]) == (201, "draft")


def test_a_time_in_the_past_makes_a_draft(program):
    body = {"name": "A", "channel": "sms", "message": "B", "scheduled_at": "2025-12-04T10:34:00.000Z"}

    assert program.post("/api/campaigns", body).json()["status"] == "draft"


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        ({"scheduled_at": f"{NEXT_YEAR}-06-01T10:00:00+03:00"}, f"{NEXT_YEAR}-06-01T07:00:00Z"),
        ({"scheduled_at": f"{NEXT_YEAR}-06-01T10:00+03:00"}, f"{NEXT_YEAR}-06-01T07:00:00Z"),
        ({"scheduled_at": f"{NEXT_YEAR}-06-01t10:00:00z"}, f"{NEXT_YEAR}-06-01T10:00:00Z"),
        ({"scheduled_at": f"{NEXT_YEAR}-06-01T10:00:00", "timezone": "Africa/Nairobi"}, f"{NEXT_YEAR}-06-01T07:00:00Z"),
        (
            {"scheduled_at": f"{NEXT_YEAR}-06-01T10:00:00Z", "timezone": "Africa/Nairobi"},
            f"{NEXT_YEAR}-06-01T10:00:00Z",
        ),
    ],
)
def test_times_are_understood_with_their_offset_and_shown_in_utc(program, given, meant):
    answer = program.post("/api/campaigns", {"name": "A", "channel": "sms", "message": "B"} | given)

    assert answer.json()["scheduled_at"] == meant


@pytest.mark.parametrize(
    "given",
    [
        {"scheduled_at": f"{NEXT_YEAR}-06-01T10:00:00"},
        {"scheduled_at": f"{NEXT_YEAR}-06-01"},
        {"scheduled_at": "tomorrow"},
        {"scheduled_at": 4085000000},
        {"scheduled_at": f"{NEXT_YEAR}-02-30T10:00:00Z"},
        {"scheduled_at": "0001-01-01T00:00:00+03:00"},
        {"scheduled_at": "9999-12-31T23:59:59-03:00"},
        {"scheduled_at": f"{NEXT_YEAR}-06-01T10:00:00+99:00"},
        {"scheduled_at": f"{NEXT_YEAR}-06-01T10:00:00", "timezone": "Mars/Olympus"},
        {"scheduled_at": f"{NEXT_YEAR}-06-01T10:00:00", "timezone": "../etc/passwd"},
        {"scheduled_at": f"{NEXT_YEAR}-06-01T10:00:00", "timezone": "Africa"},
        {"scheduled_at": f"{NEXT_YEAR}-06-01T10:00:00", "timezone": ""},
        {"scheduled_at": f"{NEXT_YEAR}-06-01T10:00:00", "timezone": 3},
    ],
)
def test_a_time_that_cannot_be_understood_is_refused(program, given):
    answer = program.post("/api/campaigns", {"name": "A", "channel": "sms", "message": "B"} | given)

    assert answer.status_code == 400
    assert error_of(answer)["code"] == "VALIDATION_ERROR"
    assert not Campaign.objects.exists()


@pytest.mark.parametrize(
    "field", ["status", "workspace_id", "everyone", "created_by", "launched_at", "recipient_emails", "stats", "id"]
)
def test_a_field_that_does_not_exist_is_refused(program, field):
    answer = program.post("/api/campaigns", {"name": "A", "message": "B", field: 1})

    assert answer.status_code == 400
    assert list(error_of(answer)["details"]) == [field]


def test_groups_of_another_workspace_cannot_be_chosen(program):
    theirs = make_group(make_workspace())

    answer = program.post("/api/campaigns", {"name": "A", "channel": "sms", "message": "B", "group_ids": [theirs.pk]})

    assert answer.status_code == 400
    sentence = f"1 of the groups chosen cannot be found ({theirs.pk}); choose again."
    assert error_of(answer)["details"] == {"group_ids": [sentence]}
    assert not Campaign.objects.exists()


def test_a_draft_shows_as_pending_whom_it_would_reach(program):
    people = make_recipients(program.workspace, 3)
    make_recipient(program.workspace, opted_out=True)
    group = make_group(program.workspace, *people, make_recipient(program.workspace, email=""))

    campaign = program.post("/api/campaigns", {"title": "A", "message": "B", "group_ids": [group.pk]}).json()

    assert campaign["stats"]["total"] == campaign["stats"]["pending"] == 3


def test_a_campaign_that_is_not_there_is_named(program):
    answer = program.get("/api/campaigns/999999")

    assert answer.status_code == 404
    assert answer.json() == {
        "error": {"code": "CAMPAIGN_NOT_FOUND", "message": "Campaign with ID 999999 not found", "details": {}}
    }


def test_the_campaigns_of_others_are_not_there(program):
    theirs = make_campaign(people=1)

    assert program.get(f"/api/campaigns/{theirs.pk}").status_code == 404
    assert program.post(f"/api/campaigns/{theirs.pk}/send", {"target": "all"}).status_code == 404
    assert program.get("/api/campaigns").json()["data"] == []


def test_a_number_that_is_none_is_no_campaign(program):
    assert error_of(program.get("/api/campaigns/abc"))["code"] == "INVALID_CAMPAIGN_ID"
    assert error_of(program.get("/api/campaigns/" + "9" * 5000))["code"] == "INVALID_CAMPAIGN_ID"
    assert program.get("/api/campaigns/" + "9" * 40).status_code == 404
    assert program.get("/api/campaigns/-1").status_code == 404


def test_pages_are_newest_first_without_gaps(program):
    made = [make_campaign(program.workspace).pk for _ in range(12)]

    first = program.get("/api/campaigns", page=1, page_size=5).json()
    last = program.get("/api/campaigns/", page=3, page_size=5).json()

    assert [c["id"] for c in first["data"]] == made[:-6:-1]
    assert [c["id"] for c in last["data"]] == made[1::-1]
    assert first["pagination"] == {"page": 1, "page_size": 5, "total_count": 12, "total_pages": 3}


@pytest.mark.parametrize(
    ("asked", "page", "size"),
    [
        ({}, 1, 20),
        ({"page": "0", "page_size": "0"}, 1, 20),
        ({"page": "-5", "page_size": "-5"}, 1, 20),
        ({"page": "abc", "page_size": "abc"}, 1, 20),
        ({"page": "", "page_size": ""}, 1, 20),
        ({"page": "2", "page_size": "1000"}, 2, 100),
        ({"page": "１", "page_size": "²"}, 1, 20),
    ],
)
def test_a_page_that_cannot_be_read_is_the_first(program, asked, page, size):
    pagination = program.get("/api/campaigns", **asked).json()["pagination"]

    assert pagination == {"page": page, "page_size": size, "total_count": 0, "total_pages": 0}


@pytest.mark.parametrize("page", ["2", str(10**20), "9" * 5000])
def test_a_page_beyond_the_end_is_empty(program, page):
    make_campaign(program.workspace)

    answer = program.get("/api/campaigns", page=page)

    assert answer.status_code == 200
    assert answer.json()["data"] == []


def test_the_list_can_be_narrowed(program):
    sms = make_campaign(program.workspace, name="Summer 100% sale", channel=2)
    sent = make_campaign(program.workspace, status=Campaign.Status.SENT)

    def found(**query) -> list[int]:
        return [c["id"] for c in program.get("/api/campaigns", **query).json()["data"]]

    assert found(channel="sms") == [sms.pk]
    assert found(status="sent") == [sent.pk]
    assert found(q="100% SALE") == [sms.pk]
    assert found(q="_") == []
    assert found(channel="", status="", q="") == [sent.pk, sms.pk]
    assert program.get("/api/campaigns", channel="fax").status_code == 400


def test_the_list_takes_as_many_queries_for_a_hundred_as_for_one(program, django_assert_num_queries):
    make_recipients(program.workspace, 2)
    program.get("/api/campaigns")  # notes the use of the key
    make_campaign(program.workspace)
    with django_assert_num_queries(13):
        program.get("/api/campaigns", page_size=100)

    for _ in range(99):
        make_campaign(program.workspace)

    with django_assert_num_queries(13):
        rows = program.get("/api/campaigns", page_size=100).json()["data"]
    assert len(rows) == 100
    assert all(row["stats"]["pending"] == 2 for row in rows)


def test_the_list_and_the_campaign_say_the_same(program):
    make_recipients(program.workspace, 2)
    campaign = make_campaign(program.workspace, scheduled_at=timezone.now() + timedelta(days=1), status=2)

    listed = program.get("/api/campaigns").json()["data"][0]

    assert listed == program.get(f"/api/campaigns/{campaign.pk}").json()


def test_a_campaign_launched_while_it_is_being_read_shows_its_books(program):
    make_recipients(program.workspace, 2)
    campaign = make_campaign(program.workspace)
    program.post(f"/api/campaigns/{campaign.pk}/send", {"target": "all"})
    Batch.objects.update(pending=1, sent=1)

    assert stats_of_many([campaign])[campaign.pk]["sent"] == 1


def test_counting_a_draft_to_a_few_people_looks_at_no_others(program):
    few = make_recipients(program.workspace, 2_000)[1_000:1_005]
    draft = make_campaign(program.workspace, everyone=False)
    draft.groups.set([make_group(program.workspace, *few[:3])])
    draft.picked.set(few[2:])
    question = Question.of(draft)

    with connection.cursor() as cursor:
        cursor.execute("ANALYZE people_recipient, people_recipient_groups, campaigns_campaign_picked")
        cursor.execute(f"EXPLAIN (ANALYZE, FORMAT JSON) {question.sql}", question.values)
        plan = cursor.fetchone()[0][0]["Plan"]

    assert reached_by_many([draft]) == {draft.pk: 5}
    assert looked_at(plan) == 5


def looked_at(plan: dict) -> int:
    """How many people were read, taken or not."""
    read = sum(plan.get(rows, 0) for rows in ("Actual Rows", "Rows Removed by Filter")) * plan["Actual Loops"]
    own = read if plan.get("Relation Name") == "people_recipient" else 0
    return own + sum(map(looked_at, plan.get("Plans", [])))


def test_drafts_to_the_same_people_take_one_count(program):
    make_recipients(program.workspace, 2)
    drafts = [make_campaign(program.workspace) for _ in range(3)]

    with CaptureQueriesContext(connection) as queries:
        assert reached_by_many(drafts) == dict.fromkeys([draft.pk for draft in drafts], 2)

    assert sum(query["sql"].count("AS reached") for query in queries) == 1


def test_only_where_many_are_looked_at_a_number_may_be_of_seconds_ago(program, monkeypatch):
    monkeypatch.setattr(stats, "FEW", 3)
    ann, *_ = make_recipients(program.workspace, 3)
    everybody, to_group, to_segment = (make_campaign(program.workspace, everyone=n == 0) for n in range(3))
    to_group.groups.set([group := make_group(program.workspace, ann)])
    to_segment.segments.set([make_segment(program.workspace, ("location", "is", "Mombasa"))])

    def counted_after_one_more() -> list[int]:
        group.recipients.add(make_recipient(program.workspace, location="Mombasa"))
        reached = reached_by_many([everybody, to_group, to_segment])
        return [reached[draft.pk] for draft in (everybody, to_group, to_segment)]

    assert counted_after_one_more() == [4, 2, 1]
    assert counted_after_one_more() == [4, 3, 1]
    cache.clear()
    assert counted_after_one_more() == [6, 4, 3]


def test_a_segment_of_the_last_days_is_the_same_question_within_a_minute():
    keys = [
        Question("created_at > %s", [datetime(2026, 12, 1, 9, minute, second)], 1).key
        for minute, second in ((0, 1), (0, 59), (1, 0))
    ]

    assert keys[0] == keys[1] != keys[2]
