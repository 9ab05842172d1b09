"""Until all addresses that were named for a campaign are linked, its people are not those that are meant."""

from campaigns.faults import InvalidContent
from campaigns.models import Campaign, Linking


class StillLinking(InvalidContent):
    """Its people cannot be copied or chosen anew yet: the others would be missing, or be added afterwards."""

    def __init__(self, begun: Linking) -> None:
        super().__init__({"picked": [f"{begun} named for it are linked so far; try again when all are."]})


def under_way(campaign: Campaign) -> Linking | None:
    """The linking of which something is left, without the addresses themselves."""
    return Linking.objects.filter(campaign=campaign, done_at=None).defer("addresses").first()


def refuse_half_linked(campaign: Campaign) -> None:
    """Raises StillLinking."""
    if begun := under_way(campaign):
        raise StillLinking(begun)
