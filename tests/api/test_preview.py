"""The preview of a campaign over the API: how many it reaches, what it costs, and whether it can be sent."""

from decimal import Decimal

import pytest

from campaigns.before_sending import change_price
from campaigns.price import Price
from dispatcher import operations
from people.channels import Channel
from tests.api.calls import Program
from tests.make import make_campaign, make_recipient, make_workspace

pytestmark = pytest.mark.django_db


@pytest.fixture
def program() -> Program:
    return Program(make_workspace())


def asked(program, campaign) -> dict:
    answer = program.get(f"/api/campaigns/{campaign.pk}/preview")
    assert answer.status_code == 200
    return answer.json()


def test_it_says_how_many_it_reaches_and_what_they_cost(program):
    change_price(program.workspace, Channel.SMS, Price(Decimal("0.8"), "KES"))
    make_recipient(program.workspace, opted_out=True)
    campaign = make_campaign(program.workspace, people=3, channel=Channel.SMS, body="x" * 161)

    told = asked(program, campaign)

    assert told.pop("skipped")["opted_out"] == 1
    assert told == {
        "recipientCount": 3, "estimatedCost": 4.8, "currency": "KES", "availableCredits": None, "canSend": True,
        "insufficientCredits": False, "missingCredits": 0,
    }  # fmt: skip


def test_without_a_price_the_cost_is_null_and_what_cannot_be_sent_says_so(program):
    told = asked(program, make_campaign(program.workspace))
    assert (told["recipientCount"], told["estimatedCost"], told["canSend"]) == (0, None, False)

    launched = operations.launch(make_campaign(program.workspace, people=1), by=None)
    assert asked(program, launched)["canSend"] is False


def test_a_campaign_of_others_is_not_found(program):
    assert program.get(f"/api/campaigns/{make_campaign().pk}/preview").status_code == 404
