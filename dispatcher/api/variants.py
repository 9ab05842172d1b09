"""The variants of a campaign over the API: how its people are divided among them, how they do, and which one wins."""

from typing import Annotated, Any, Literal

from ninja import Router, Schema, Status
from pydantic import Field, StrictInt

from accounts.access import KeyRequest, may
from campaigns.models import Campaign, Split
from campaigns.splitting import LETTERS, even_weights
from campaigns.variants import CHOICES, remove_variants, set_up_variants
from dispatcher.api.answers import CampaignOut, VariantsOut, compared
from dispatcher.api.campaigns import campaign_of, draw
from dispatcher.api.shapes import Letter
from dispatcher.variants import comparison_of
from dispatcher.winner import choose_winner
from people.api.shapes import Change

router = Router(tags=["variants"])
MeasureWord = Literal["accepted", "bounced"]
Weights = Annotated[list[StrictInt], Field(description="Percents for A, B and so on; together 100.")]
Tested = Annotated[StrictInt, Field(ge=1, le=100, description="Percent who get a variant at once; the rest wait.")]
HoldOut = Annotated[StrictInt, Field(ge=0, le=50, description="Percent who get nothing, to compare with.")]
USUAL = {"tested": 100, "hold_out": 0, "measure": "", "after_hours": 4, "at_least": 0}


class RuleIn(Schema, extra="forbid"):
    """By what, when and by how much a variant has to lead to be sent to those who wait."""

    measure: MeasureWord = "accepted"
    after_hours: Annotated[StrictInt, Field(ge=1, le=336)] = 4
    at_least: Annotated[StrictInt, Field(ge=0, le=50, description="Points by which the winner has to lead.")] = 0


Rule = Annotated[
    RuleIn | None, Field(description="null: a person chooses. Where tested is 100 nobody waits and there is none.")
]


class SplitIn(Schema, extra="forbid"):
    """How the people are divided; what is not named is as usual."""

    weights: Weights
    tested: Tested = 100
    hold_out: HoldOut = 0
    rule: Rule = None


class SplitChange(Change):
    """Only what is given is changed; a campaign without variants begins with two equal ones."""

    weights: Weights | None = None
    tested: Tested | None = None
    hold_out: HoldOut | None = None
    rule: Rule = None


class WinnerIn(Schema, extra="forbid"):
    variant: Letter


class ChosenOut(Schema):
    campaign: CampaignOut
    messages_queued: int = Field(description="People who waited for the winner and get it now.")


@router.get("campaigns/{campaign_id}/variants", response=VariantsOut, summary="Compare the variants of a campaign")
@may("read")
def show_variants(request: KeyRequest, campaign_id: int) -> dict[str, Any]:
    """How its people are divided, how each variant does, and whether one is better.

    `split` is null for a campaign that has none; before the launch each variant has zeros.
    """
    return variants_of(campaign_of(request, campaign_id))


@router.put("campaigns/{campaign_id}/variants", response=VariantsOut, summary="Divide the people among variants")
@may("write")
def write_variants(request: KeyRequest, campaign_id: int, split: SplitIn) -> dict[str, Any]:
    """Of a draft or a scheduled campaign. New variants begin with the words of A; what one less said is gone."""
    return divide(request, campaign_id, chosen(split.model_dump()))


@router.patch("campaigns/{campaign_id}/variants", response=VariantsOut, summary="Change how the people are divided")
@may("write")
def change_variants(request: KeyRequest, campaign_id: int, split: SplitChange) -> dict[str, Any]:
    now = Split.of(campaign_of(request, campaign_id))
    kept = {name: getattr(now, name) for name in CHOICES} if now else USUAL | {"weights": even_weights(2)}
    named = split.model_dump(include=split.model_fields_set)
    given = {name: value for name, value in named.items() if name == "rule" or value is not None}
    return divide(request, campaign_id, kept | chosen(given))


@router.delete("campaigns/{campaign_id}/variants", response={204: None}, summary="Send A to everybody again")
@may("write")
def delete_variants(request: KeyRequest, campaign_id: int) -> Status[None]:
    """What the other variants said is gone."""
    only_drafts = not request.auth.may("send")
    remove_variants(campaign_of(request, campaign_id), by=request.auth, only_drafts=only_drafts)
    return Status(204, None)


@router.post(
    "campaigns/{campaign_id}/choose-winner",
    response=ChosenOut,
    summary="Send a variant to all who wait",
    operation_id="choose_winner",
)
@may("send")
def choose_variant(request: KeyRequest, campaign_id: int, winner: WinnerIn) -> dict[str, Any]:
    """Once and for good; of two who choose at once one is refused."""
    campaign = campaign_of(request, campaign_id)
    count = choose_winner(campaign, variant=LETTERS.index(winner.variant) + 1, by=request.auth)
    return {"campaign": draw(campaign_of(request, campaign_id)), "messages_queued": count}


def divide(request: KeyRequest, campaign_id: int, choices: dict[str, Any]) -> dict[str, Any]:
    campaign, only_drafts = campaign_of(request, campaign_id), not request.auth.may("send")
    set_up_variants(campaign, by=request.auth, only_drafts=only_drafts, **choices)
    return variants_of(campaign)


def chosen(given: dict[str, Any]) -> dict[str, Any]:
    """As `set_up_variants` takes it: the rule is three choices of their own, and no measure is no rule."""
    choices = {name: value for name, value in given.items() if name != "rule"}
    if "rule" in given:
        choices |= given["rule"] or {"measure": ""}
    return choices


def variants_of(campaign: Campaign) -> dict[str, Any]:
    split = Split.of(campaign)
    return compared(split, comparison_of(campaign, split) if split else None)
