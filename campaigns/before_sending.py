"""What a workspace sets for the moment before a campaign goes out: prices, seconds to undo, and typing the number."""

from collections.abc import Mapping
from typing import Any

from django.db import transaction

from accounts import audit_log
from accounts.models import Actor, Workspace
from campaigns.models import PartPrice
from campaigns.price import Price
from people.channels import Channel

FIELDS = ("undo_seconds", "typed_above")


@transaction.atomic
def change_before_sending(
    workspace: Workspace,
    *,
    by: Actor | None,
    undo_seconds: int,
    typed_above: int | None,
    prices: Mapping[Channel, Price | None],
) -> None:
    """A channel without a price has none any more. Campaigns that were launched keep theirs."""
    workspace = Workspace.objects.select_for_update(no_key=True).get(pk=workspace.pk)
    before = told(workspace)
    workspace.undo_seconds, workspace.typed_above = undo_seconds, typed_above
    workspace.save(update_fields=FIELDS)
    for channel, price in prices.items():
        change_price(workspace, channel, price)
    audit_log.record(workspace, "change_before_sending", workspace, by=by, before=before, after=told(workspace))


def change_price(workspace: Workspace, channel: Channel, price: Price | None) -> None:
    if price is None:
        workspace.part_prices.filter(channel=channel).delete()
        return
    kept = {"amount": price.amount, "currency": price.currency}
    PartPrice.objects.update_or_create(workspace=workspace, channel=channel, defaults=kept)


def told(workspace: Workspace) -> dict[str, Any]:
    """As the audit log tells it."""
    prices = {row.channel: f"{row.currency} {row.amount.normalize():f}" for row in workspace.part_prices.all()}
    by_channel = {f"price by {channel.label}": prices.get(channel, "unknown") for channel in Channel}
    return audit_log.fields_of(workspace, FIELDS) | by_channel
