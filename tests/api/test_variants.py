"""Programs read how the variants of a campaign compare."""

import pytest

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
