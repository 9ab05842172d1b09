"""What messages cost: so much for each part on a channel, as it was when the campaign was launched."""

from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from accounts.models import Workspace
from campaigns.models import Campaign
from people.channels import Channel

CENT = Decimal("0.01")


@dataclass(frozen=True)
class Price:
    """An amount of money; exact, and shown in hundredths unless it is smaller than one."""

    amount: Decimal
    currency: str

    def __str__(self) -> str:
        return f"{self.currency} {in_digits(self.amount)}"

    def times(self, parts: int) -> "Price":
        return Price(self.amount * parts, self.currency)


def price_of(workspace: Workspace, channel: Channel | int, parts: int) -> Price | None:
    """What so many parts cost now; None where nobody has said."""
    row = workspace.part_prices.filter(channel=channel).first()
    return Price(row.amount, row.currency).times(parts) if row else None


def price_for(campaign: Campaign, parts: int) -> Price | None:
    """The same for this campaign: once it is launched by the price of its launch, whatever it is now."""
    if campaign.launched_at is None:
        return price_of(campaign.workspace, campaign.channel, parts)
    return None if campaign.part_price is None else Price(campaign.part_price, campaign.currency).times(parts)


def frozen(campaign: Campaign) -> dict[str, Any]:
    """The columns that keep the price at the launch."""
    price = price_of(campaign.workspace, campaign.channel, 1)
    return {"part_price": price and price.amount, "currency": price.currency if price else ""}


def in_digits(amount: Decimal) -> str:
    """1,234.50; a part of a hundredth with all its places: 0.0004."""
    rounded = amount.quantize(CENT, ROUND_HALF_UP)
    if amount and abs(amount) < CENT or abs(amount) < 1 and amount != rounded:
        return f"{amount.normalize():f}"
    return f"{rounded:,}"
