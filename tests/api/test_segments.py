"""/segments: saved, changed, counted, copied and deleted, with their rules as JSON."""

import pytest

from accounts.models import Role
from people.models import Segment
from tests.api.calls import Program, error_of
from tests.make import make_campaign, make_group, make_recipient, make_workspace
from tests.people.describing import make_segment

pytestmark = pytest.mark.django_db


@pytest.fixture
def program() -> Program:
    return Program(make_workspace(), Role.EDITOR)


def rules(*wanted: tuple, match: str = "all") -> dict:
    listed = [{"field": field, "comparison": comparison, "value": value} for field, comparison, value in wanted]
    return {"match": "all", "blocks": [{"match": match, "rules": listed}]}


NAIROBI = rules(("location", "is", "Nairobi"))


def test_a_segment_is_saved_looked_at_and_used_as_a_filter(program):
    ann = make_recipient(program.workspace, location="Nairobi")
    make_recipient(program.workspace, location="Mombasa")

    saved = program.post("/api/segments", {"name": "Here", "rules": NAIROBI})

    assert saved.status_code == 201
    segment = saved.json()
    assert (segment["name"], segment["rules"], segment["faults"]) == ("Here", NAIROBI, [])
    assert segment["sentence"] == "People whose location is “Nairobi”"
    assert program.get(f"/api/segments/{segment['id']}").json() == segment
    found = program.get("/api/customers", segment_id=segment["id"]).json()["data"]
    assert [row["id"] for row in found] == [ann.pk]


def test_values_are_kept_as_the_page_keeps_them(program):
    group = make_group(program.workspace)
    wanted = rules(("group", "in", str(group.pk)), ("created_at", "within", "30"), ("email", "known", None))

    segment = program.post("/api/segments", {"name": "Here", "rules": wanted}).json()

    kept = [rule["value"] for rule in segment["rules"]["blocks"][0]["rules"]]
    assert kept == [group.pk, 30, None]


@pytest.mark.parametrize(
    "rule",
    [
        ("shoe", "is", "38"),
        ("location", "above", "38"),
        ("location", "is", ""),
        ("created_at", "before", "yesterday"),
        ("created_at", "within", 10**30),
        ("group", "in", 999_999),
        ("consent", "reached", "pigeon"),
    ],
)
def test_each_rule_that_cannot_be_asked_is_named(program, rule):
    wanted = rules(("email", "known", None), rule)

    for path, body in (("segments", {"name": "Here", "rules": wanted}), ("segments/count", {"rules": wanted})):
        answer = program.post(f"/api/{path}", body)
        assert (answer.status_code, list(error_of(answer)["details"])) == (400, ["rules.blocks.0.rules.1"])
    assert not Segment.objects.exists()


@pytest.mark.parametrize(
    ("rule", "sentence"),
    [
        (("shoe_size", "is", "38"), "There is no field “shoe_size”; GET /segments/fields lists them."),
        (("group", "is", 1), "“group” has no comparison “is”; it has in, not_in."),
    ],
)
def test_what_a_rule_asks_for_and_there_is_not_is_named(program, rule, sentence):
    answer = program.post("/api/segments", {"name": "Here", "rules": rules(rule)})

    assert error_of(answer)["details"] == {"rules.blocks.0.rules.0": [sentence]}


@pytest.mark.parametrize(
    "wanted",
    [
        {},
        {"blocks": []},
        {"blocks": [{"rules": []}]},
        {"match": "none", "blocks": NAIROBI["blocks"]},
        {"blocks": NAIROBI["blocks"] * 11},
        {"blocks": [{"rules": NAIROBI["blocks"][0]["rules"] * 16}] * 2},
        rules(("location", "is", True)),
        rules(("location", "is", ["Nairobi"])),
    ],
)
def test_rules_of_another_shape_are_refused(program, wanted):
    answer = program.post("/api/segments", {"name": "Here", "rules": wanted})

    assert (answer.status_code, error_of(answer)["code"]) == (400, "VALIDATION_ERROR")


def test_people_are_counted_with_some_of_them_shown_before_anything_is_saved(program):
    people = [make_recipient(program.workspace, location="Nairobi") for _ in range(6)]

    told = program.post("/api/segments/count", {"rules": NAIROBI}).json()

    assert (told["people"], told["sentence"]) == (6, "People whose location is “Nairobi”")
    assert [row["id"] for row in told["sample"]] == [person.pk for person in people[:0:-1]]
    segment = make_segment(program.workspace, ("location", "is", "Nairobi"))
    assert program.get(f"/api/segments/{segment.pk}/count").json() == told


def test_a_segment_is_changed_in_what_is_given_alone_and_copied(program):
    segment = make_segment(program.workspace, ("location", "is", "Nairobi"), name="Here")
    path = f"/api/segments/{segment.pk}"

    renamed = program.patch(path, {"name": "There"}).json()
    changed = program.patch(path, {"rules": rules(("location", "is", "Mombasa"))}).json()
    copy = program.post(f"{path}/duplicate")

    assert (renamed["name"], renamed["rules"]) == ("There", NAIROBI)
    assert (changed["name"], changed["sentence"]) == ("There", "People whose location is “Mombasa”")
    assert (copy.status_code, copy.json()["name"], copy.json()["rules"]) == (201, "Copy of There", changed["rules"])


def test_a_name_that_is_taken_is_a_duplicate(program):
    make_segment(program.workspace, ("email", "known"), name="Here")

    answer = program.post("/api/segments", {"name": "here", "rules": NAIROBI})

    assert (answer.status_code, error_of(answer)["code"]) == (409, "DUPLICATE")


def test_a_segment_is_deleted_unless_a_campaign_waits_for_it(program):
    segment, needed = (make_segment(program.workspace, ("email", "known"), name=name) for name in ("One", "Two"))
    make_campaign(program.workspace, everyone=False, name="Spring").segments.add(needed)

    assert program.delete(f"/api/segments/{segment.pk}").status_code == 204
    refused = program.delete(f"/api/segments/{needed.pk}")

    assert (refused.status_code, error_of(refused)["code"]) == (409, "CONFLICT")
    assert "Spring" in error_of(refused)["message"]


def test_programs_are_told_what_can_be_asked(program):
    group = make_group(program.workspace, name="Friends")

    fields = {field["field"]: field for field in program.get("/api/segments/fields").json()}

    assert {"field", "label", "comparisons", "choices"} == set(fields["location"])
    assert {"comparison": "is", "label": "is", "value": "text"} in fields["location"]["comparisons"]
    assert fields["group"]["choices"] == [{"value": group.pk, "label": "Friends"}]


def test_segments_are_listed_in_as_many_queries_however_many_they_are(program, django_assert_max_num_queries):
    for number in range(5):
        make_segment(program.workspace, ("group", "in", make_group(program.workspace).pk), name=f"Segment {number}")

    with django_assert_max_num_queries(5):
        listed = program.get("/api/segments").json()["data"]
    assert [row["id"] for row in program.walk("/api/segments")] == [row["id"] for row in listed]
    assert len(listed) == 5
