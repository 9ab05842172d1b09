"""Writing a campaign in several variants: how its people are divided, until it is launched."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.db import transaction

from accounts import audit_log
from accounts.models import Actor
from campaigns.authoring import editable
from campaigns.faults import InvalidContent
from campaigns.models import Campaign, Split
from campaigns.splitting import wrong_with
from campaigns.wordings import begin_variants, give_wordings, touch, wordings_of

CHOICES = ("weights", "tested", "hold_out", "measure", "after_hours", "at_least")


@transaction.atomic
def set_up_variants(
    campaign: Campaign,
    *,
    by: Actor | None,
    weights: Sequence[int],
    tested: int = 100,
    hold_out: int = 0,
    measure: str = "",
    after_hours: int = 4,
    at_least: int = 0,
    only_drafts: bool = False,
) -> Split:
    """Divide the people of a campaign among this many variants. New ones begin with the words of A.

    Raises InvalidContent, NotEditable, or Scheduled where only drafts may be changed.
    """
    if sentence := wrong_with(weights):
        raise InvalidContent({"weights": [sentence]})
    campaign = editable(campaign, only_drafts=only_drafts)
    before = Split.of(campaign)
    split = before or Split(campaign=campaign)
    was = told(split) if before else {}
    split.weights, split.tested, split.hold_out = list(weights), tested, hold_out
    # Where nobody waits there is nothing to choose.
    split.measure = measure if split.waits else ""
    split.after_hours, split.at_least = after_hours, at_least
    split.save()
    begin_variants(campaign, split.variants)
    touch(campaign, by=by, what="variants")
    audit_log.record(campaign.workspace, "set_up_variants", campaign, by=by, before=was, after=told(split))
    return split


@transaction.atomic
def remove_variants(campaign: Campaign, *, by: Actor | None, only_drafts: bool = False) -> None:
    """Everybody gets A again; what the others said is gone. Raises NotEditable or Scheduled."""
    campaign = editable(campaign, only_drafts=only_drafts)
    split = Split.of(campaign)
    if split is None:
        return
    before = told(split)
    split.delete()
    begin_variants(campaign, range(1, 2))
    touch(campaign, by=by, what="variants")
    audit_log.record(campaign.workspace, "remove_variants", campaign, by=by, before=before)


def told(split: Split) -> dict[str, Any]:
    """What the audit log keeps of it."""
    return {"variants": split.words} | audit_log.fields_of(split, CHOICES[1:])


def others_of(campaign: Campaign) -> dict[str, Any]:
    """How its people are divided and all it says but its main words, as JSON; empty where there is nothing of it."""
    split = Split.of(campaign)
    others = {"split": audit_log.fields_of(split, CHOICES) if split else {}, "wordings": wordings_of(campaign)}
    return {name: value for name, value in others.items() if value}


def give_others(campaign: Campaign, others: Mapping[str, Any]) -> None:
    """Let a new campaign say what `others_of` told of another one; nothing of what became of it."""
    if split := others.get("split"):
        Split.objects.create(campaign=campaign, **split)
    give_wordings(campaign, others.get("wordings", ()))
