"""What the chores workers are rung for."""

from campaigns import linking


def link_addresses(campaign_id: int) -> None:
    """Link the addresses named for this campaign, for a turn."""
    linking.link_on(campaign_id)
