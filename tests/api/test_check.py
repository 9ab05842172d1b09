"""What stands in the way of a campaign, as programs read it before they send: check, reading and dry run."""

import pytest
from django.utils import timezone

from campaigns.authoring import update_campaign
from dispatcher import dry_runs, left_out
from dispatcher.models import Message
from tests.api.calls import Program, error_of
from tests.dispatcher.outcomes import launched, sent
from tests.make import make_campaign, make_recipient, make_workspace

pytestmark = pytest.mark.django_db


@pytest.fixture
def program() -> Program:
    return Program(make_workspace())


def test_the_check_says_what_the_page_says(program):
    make_recipient(program.workspace, first_name="Ann")
    make_recipient(program.workspace, first_name="")
    make_recipient(program.workspace, opted_out=True)
    campaign = make_campaign(program.workspace, body="Dear {first_name}")

    told = program.get(f"/api/campaigns/{campaign.pk}/check").json()

    assert (told["can_send"], told["can_schedule"], told["problems"]) == (True, True, [])
    assert (told["chosen"], told["recipients"]) == (3, 2)
    assert [(part["reason"], part["people"]) for part in told["left_out"]] == [("opted_out", 1)]
    assert [(gap["placeholder"], gap["people"]) for gap in told["gaps"]][-1:] == [("first_name", 1)]
    assert any("unsubscribe_link" in one["message"] for one in told["advice"])
    assert (told["parts"], told["price"]) == (2, None)
    assert told["duration"]["unknown"]


def test_who_is_left_out_is_named_page_by_page(program, monkeypatch):
    monkeypatch.setattr(left_out, "PAGE", 2)
    gone = [make_recipient(program.workspace, opted_out=True).pk for _ in range(3)]
    excluded = make_recipient(program.workspace)
    campaign = make_campaign(program.workspace)
    campaign.excluded.add(excluded)
    path = f"/api/campaigns/{campaign.pk}/left-out"

    def asked(**query) -> tuple[list[int], str | None]:
        page = program.get(path, **query).json()
        return [row["customer_id"] for row in page["data"]], page["pagination"]["next_cursor"]

    assert asked(reason="opted_out") == (gone[:2], str(gone[1]))
    assert asked(reason="opted_out", cursor=gone[1]) == (gone[2:], None)
    assert asked(reason="choice") == asked() == ([excluded.pk], None)
    assert [row["customer_id"] for row in program.walk(path, reason="opted_out")] == gone
    assert asked(reason="mood") == ([], None)
    assert program.get(path, reason="opted_out", cursor="x").status_code == 400


def test_a_problem_has_the_code_a_send_would_answer(program):
    nobody = make_campaign(program.workspace, everyone=False)
    over = launched(make_campaign(program.workspace, people=1), *sent())

    def codes(campaign) -> list[str]:
        told = program.get(f"/api/campaigns/{campaign.pk}/check").json()
        assert not told["can_send"]
        return [problem["code"] for problem in told["problems"]]

    assert codes(nobody) == ["NO_RECIPIENTS"]
    assert codes(over) == ["CONFLICT"]


def test_it_is_read_as_one_person_after_another_gets_it(program):
    alice, brian = (make_recipient(program.workspace, first_name=name) for name in ("Alice", "Brian"))
    path = f"/api/campaigns/{make_campaign(program.workspace).pk}/reading"

    first = program.get(path).json()
    second = program.get(path, customer_id=first["next_id"]).json()

    assert (first["customer_id"], first["next_id"], first["previous_id"]) == (alice.pk, brian.pk, None)
    assert second["subject"] == "Hello Brian" and second["rendered_message"].startswith("Dear Brian")
    assert (second["next_id"], second["people"]) == (None, 2)
    assert program.get(path, customer_id="x" * 99).json()["customer_id"] == alice.pk
    assert program.get(path, by="mood").status_code == 400


def test_a_dry_run_is_begun_and_its_numbers_are_read(program):
    campaign = make_campaign(program.workspace, people=3)
    make_recipient(program.workspace, opted_out=True)
    path = f"/api/campaigns/{campaign.pk}/dry-run"

    none_yet = program.get(path)
    begun = program.post(path)
    again = program.post(path).json()
    dry_runs.carry_out(campaign.dry_runs.get().pk)
    told = program.get(path).json()

    assert error_of(none_yet)["code"] == "DRY_RUN_NOT_FOUND"
    assert (begun.status_code, begun.json()["state"], again["begun_at"]) == (202, "running", begun.json()["begun_at"])
    assert (told["state"], told["looked_at"], told["would_get_it"], told["changed"]) == ("done", 4, 3, "")
    assert told["skipped"]["opted_out"] == 1
    assert not Message.objects.exists()


def test_a_dry_run_says_what_changed_since_and_how_it_compares(program):
    campaign = make_campaign(program.workspace, people=2)
    path = f"/api/campaigns/{campaign.pk}/dry-run"
    program.post(path)
    dry_runs.carry_out(campaign.dry_runs.get().pk)
    launched(campaign, *sent(2))

    lines = {line["what"]: line for line in program.get(path).json()["compared"]}
    assert (lines["People chosen"]["predicted"], lines["People chosen"]["really"]) == ("2", "2")

    other = make_campaign(program.workspace)
    dry_runs.carry_out(dry_runs.dry_run(other, by=None).pk)
    update_campaign(other, by=None, body=f"Another text {timezone.now()}")
    assert "was changed" in program.get(f"/api/campaigns/{other.pk}/dry-run").json()["changed"]
    assert program.post(path).status_code == 409
