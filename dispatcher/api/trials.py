"""Tests of a campaign over the API: its words to named addresses, outside the books."""

from typing import Annotated, Any, Literal

from ninja import Router, Schema
from ninja.errors import ValidationError
from pydantic import Field, StrictBool

from accounts.access import KeyRequest, may
from accounts.once import calls_out
from accounts.unknown import numbered
from campaigns.models import Campaign
from campaigns.whose import somebody
from dispatcher import freeze, trials
from dispatcher.api.campaigns import campaign_of
from dispatcher.api.shapes import Letter
from dispatcher.api.wordings import variant_of
from dispatcher.models import Trial
from people.api.shapes import Number
from people.channels import Channel
from people.models import Recipient

router = Router(tags=["before sending"])


class TrialIn(Schema, extra="forbid"):
    """Where a test goes, and which words it has."""

    addresses: Annotated[
        list[str],
        Field(min_length=1, max_length=trials.MOST, description="Email addresses, or numbers of SMS and WhatsApp."),
    ]
    customer_id: Annotated[
        Number | None, Field(description="As whose its placeholders are filled in; else the first who gets it.")
    ] = None
    variant: Annotated[Letter | None, Field(description="Else that of the person.")] = None
    is_marked: Annotated[StrictBool, Field(description="“[Test]” stands in front of the subject of an email.")] = True


class TriedOut(Schema):
    address: str
    outcome: Literal["accepted", "refused", "not heard"]
    message: str = Field(description="What became of it, in a sentence.")


class TrialOut(Schema):
    campaign_id: int
    customer_id: int | None
    accepted: int
    results: list[TriedOut]


@router.post("campaigns/{campaign_id}/test", response=TrialOut, summary="Send a test of a campaign")
@may("write")
@calls_out
def send_test(request: KeyRequest, campaign_id: int, trial: TrialIn) -> dict[str, Any]:
    """By the real sender to at most ten addresses, and waits for the answers.

    Nothing is counted in the books. Nobody who opted out or is suppressed gets one. A test whose answer was never
    heard is not sent again under its Idempotency-Key.
    """
    campaign = campaign_of(request, campaign_id)
    person, variant = reader(request, campaign, trial.customer_id), trial.variant
    number = variant_of(campaign, variant) if variant else 0
    addresses = checked(campaign, trial.addresses)
    sent = trials.send_test(campaign, addresses, person, by=request.auth, variant=number, is_marked=trial.is_marked)
    return {
        "campaign_id": campaign.pk,
        "customer_id": person.pk if person else None,
        "accepted": sum(one.outcome == Trial.Outcome.ACCEPTED for one in sent),
        "results": [trial_row(one) for one in sent],
    }


def reader(request: KeyRequest, campaign: Campaign, number: int | None) -> Recipient | None:
    """Whose words the test has. Raises Unknown."""
    if number is None:
        return somebody(freeze.candidates(campaign).filter(skip=None), 0)
    return numbered(request.workspace.recipients, "Customer", number)


def checked(campaign: Campaign, typed: list[str]) -> list[str]:
    """The addresses as they are stored. Raises ValidationError with what is wrong with them."""
    region = campaign.workspace.region or None
    known, faults = trials.normal_addresses(typed, Channel(campaign.channel), region)
    if faults:
        place = ("body", "trial", "addresses")
        raise ValidationError([{"type": "address", "loc": place, "msg": sentence} for sentence in faults])
    return known


def trial_row(trial: Trial) -> dict[str, str]:
    return {"address": trial.address, "outcome": trial.get_outcome_display(), "message": trial.sentence}
