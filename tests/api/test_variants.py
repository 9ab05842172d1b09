"""Programs read how the variants of a campaign compare."""

import pytest

from campaigns.models import Split
from dispatcher import operations
from dispatcher.models import Message
from dispatcher.winner import choose_winner
from tests.api.calls import Program, error_of
from tests.dispatcher.outcomes import settle
from tests.make import make_campaign, make_workspace
from tests.test_roles import with_variants

pytestmark = pytest.mark.django_db


def test_the_results_are_those_of_the_page():
    workspace = make_workspace()
    campaign = operations.launch(with_variants(workspace), by=None)
    of_a = campaign.messages.filter(variant=1).count()
    of_b = campaign.messages.filter(variant=2).count()
    waiting = campaign.messages.filter(variant=0).count()
    campaign.messages.filter(variant=1).update(status=Message.Status.SENT)
    settle(campaign, [])
    choose_winner(campaign, variant=1, by=None)

    told = Program(workspace).get(f"/api/campaigns/{campaign.pk}/variants").json()

    assert (told["measure"], told["winner"], told["waiting"], told["better"]) == ("accepted", "A", 0, None)
    assert [(one["variant"], one["weight"], one["total"], one["sent"]) for one in told["variants"]] == [
        ("A", 50, of_a, of_a),
        ("B", 50, of_b, 0),
    ]
    assert told["variants"][0]["share"] == 1 and told["variants"][0]["low"] < 1
    assert waiting + of_a + of_b == 20


def test_a_program_chooses_the_winner_once():
    workspace = make_workspace()
    campaign = operations.launch(with_variants(workspace), by=None)
    waiting = campaign.messages.filter(variant=0).count()
    program, path = Program(workspace), f"/api/campaigns/{campaign.pk}/choose-winner"

    assert program.post(path, {"variant": "F"}).status_code == 409
    assert program.post(path, {"variant": "B"}).json()["messages_queued"] == waiting
    again = program.post(path, {"variant": "A"})

    assert again.status_code == 409 and "B was already chosen" in error_of(again)["message"]


def test_a_campaign_without_variants_has_none_to_compare():
    workspace = make_workspace()

    told = Program(workspace).get(f"/api/campaigns/{make_campaign(workspace).pk}/variants").json()

    nothing = dict.fromkeys(("split", "measure", "verdict", "better", "winner"))
    assert told == nothing | {"waiting": 0, "variants": []}


def test_people_are_divided_changed_and_put_together_again():
    program = Program(make_workspace())
    campaign = make_campaign(program.workspace, people=1)
    path = f"/api/campaigns/{campaign.pk}/variants"

    first = program.put(path, {"weights": [60, 40], "tested": 20, "rule": {"after_hours": 2}}).json()["split"]
    second = program.patch(path, {"hold_out": 10}).json()["split"]
    third = program.patch(path, {"rule": None, "weights": [30, 30, 40]}).json()["split"]

    rule = {"measure": "accepted", "after_hours": 2, "at_least": 0}
    assert first == {"weights": [60, 40], "tested": 20, "hold_out": 0, "rule": rule}
    assert second == first | {"hold_out": 10}
    assert third == second | {"rule": None, "weights": [30, 30, 40]}
    assert campaign.wordings.filter(variant__gt=1).count() == 2
    assert program.delete(path).status_code == 204
    assert program.get(path).json()["split"] is None and not campaign.wordings.exists()


def test_a_campaign_without_variants_begins_with_two_equal_ones():
    program = Program(make_workspace())

    told = program.patch(f"/api/campaigns/{make_campaign(program.workspace).pk}/variants", {"tested": 50}).json()

    assert (told["split"]["weights"], told["split"]["tested"]) == ([50, 50], 50)
    assert [(each["variant"], each["weight"], each["total"]) for each in told["variants"]] == [
        ("A", 50, 0),
        ("B", 50, 0),
    ]


@pytest.mark.parametrize(
    "split",
    [
        {},
        {"weights": [50, 60]},
        {"weights": [100]},
        {"weights": [10**30, 1]},
        {"weights": [50, 50], "tested": 0},
        {"weights": [50, 50], "hold_out": 51},
        {"weights": [50, 50], "tested": 50, "rule": {"after_hours": 337}},
        {"weights": [50, 50], "tested": 50, "rule": {"measure": "luck"}},
        {"weights": [True, 50]},
    ],
)
def test_what_cannot_be_divided_like_this_is_refused(split):
    program = Program(make_workspace())
    campaign = make_campaign(program.workspace)

    assert program.put(f"/api/campaigns/{campaign.pk}/variants", split).status_code == 400
    assert not Split.objects.exists()


def test_the_variants_of_what_is_sent_stay_as_they_are():
    program = Program(make_workspace())
    campaign = operations.launch(with_variants(program.workspace), by=None)
    path = f"/api/campaigns/{campaign.pk}/variants"

    answers = [program.put(path, {"weights": [50, 50]}), program.patch(path, {"tested": 100}), program.delete(path)]

    assert [answer.status_code for answer in answers] == [409, 409, 409]
    assert "is sending" in error_of(answers[0])["message"]


def test_the_words_of_a_variant_are_written_without_a_language():
    program = Program(make_workspace())
    campaign = with_variants(program.workspace)
    path = f"/api/campaigns/{campaign.pk}/wordings"

    written = program.patch(path, {"variant": "B", "base_template": "Hey, {first_name}"}).json()

    assert (written["variant"], written["language"], written["base_template"]) == ("B", "", "Hey, {first_name}")
    refused = program.patch(path, {"base_template": "Main words"})
    assert refused.status_code == 400 and "those of the campaign" in error_of(refused)["message"]
    assert error_of(program.patch(path, {"variant": "C"}))["message"] == "The campaign has no variant C"
