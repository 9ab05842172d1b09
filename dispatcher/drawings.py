"""The live pages as they look now: the only code that draws a fragment, for page, button answer and socket alike."""

from collections.abc import Collection
from dataclasses import dataclass, field
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.template.loader import render_to_string
from django.utils import timezone

from accounts.models import Role, Workspace
from campaigns.models import Campaign, Recurrence, Split
from dispatcher.cards import cards_of
from dispatcher.picture import picture_of
from dispatcher.place import SIZE, Place, chips_of
from dispatcher.variants import comparison_of
from dispatcher.why import why
from wires import live


@dataclass(frozen=True)
class Drawing:
    """Fragments by id. `frame` holds them together on a page where they come and go."""

    fragments: dict[str, str]
    is_open: bool
    frame: str = ""
    cards: dict[int, str] = field(default_factory=dict)

    def __str__(self) -> str:
        return "".join(self.fragments.values())


def zone_of(workspace: Workspace) -> ZoneInfo:
    """The time zone times are shown in; an unknown name counts as UTC."""
    try:
        return ZoneInfo(workspace.time_zone)
    except (ZoneInfoNotFoundError, ValueError):
        return ZoneInfo("UTC")


@dataclass(frozen=True)
class CampaignPage:
    """The page of one campaign, the same for all who may do the same with it."""

    campaign_id: int
    role: Role

    PARTS = (
        *("headline", "badge", "controls", "questions", "why", "series", "progress", "counts"),
        *("causes", "unknown", "left_out", "text", "history", "variants", "winner"),
    )

    @classmethod
    def seen_by(cls, campaign_id: int, role: int) -> "CampaignPage":
        return cls(campaign_id, Role(min(role, Role.ADMIN)))  # an owner sees what an admin sees

    @property
    def group(self) -> str:
        return live.group_of(self.campaign_id)

    def draw(self, last: Drawing | None = None, changed: Collection[int] = ()) -> Drawing | None:
        """How it looks now; None when there is no such campaign any more."""
        campaigns = Campaign.objects.select_related("workspace", "created_by", "series")
        campaign = campaigns.filter(pk=self.campaign_id).first()
        if campaign is None:
            return None
        picture = picture_of(campaign, self.role)
        with timezone.override(zone_of(campaign.workspace)):
            about = {"picture": picture, "why": why(picture), "place": place_in_series(campaign)}
            split = Split.of(campaign)
            about |= {"split": split, "comparison": comparison_of(campaign, split) if split else None}
            parts: dict[str, str] = {part: render_to_string(f"dispatcher/_{part}.html", about) for part in self.PARTS}
        return Drawing(parts, picture.is_open)


@dataclass(frozen=True)
class PlaceInSeries:
    """Where an occurrence stands in its series, and the one that comes next."""

    series: Recurrence
    nth: int | None
    next: Campaign | None

    @property
    def number(self) -> str:
        """3 of 10, or just 3 where there is no last one."""
        nth = f"{self.nth or 0:,}"
        return f"{nth} of {self.series.count:,}" if self.series.count else nth


def place_in_series(campaign: Campaign) -> PlaceInSeries | None:
    series = campaign.series
    return PlaceInSeries(series, campaign.nth, None if series.ended_at else series.next_one()) if series else None


@dataclass(frozen=True)
class ListPage:
    """One page of a workspace's campaigns, the same for everybody in it."""

    workspace_id: int
    place: Place

    group = live.EVERYTHING

    def draw(self, last: Drawing | None = None, changed: Collection[int] = ()) -> Drawing | None:
        """How it looks now. From `last` the cards of campaigns that are not among the changed are taken over."""
        workspace = Workspace.objects.filter(pk=self.workspace_id).first()
        if workspace is None:
            return None
        found = list(self.place.campaigns(workspace))
        campaigns, older = found[:SIZE], len(found) > SIZE
        kept = {pk: html for pk, html in last.cards.items() if pk not in changed} if last else {}
        with timezone.override(zone_of(workspace)):
            fresh = cards_of([campaign for campaign in campaigns if campaign.pk not in kept])
            kept |= {int(card.id): render_to_string("dispatcher/_card.html", {"card": card}) for card in fresh}
            chips = render_to_string("dispatcher/_chips.html", {"chips": chips_of(workspace, self.place)})
        cards = {campaign.pk: kept[campaign.pk] for campaign in campaigns}
        about = {
            "chips": chips,
            "cards": cards,
            "place": self.place,
            "older": self.place.older(campaigns) if older else "",
        }
        return Drawing(
            fragments={"chips": chips} | {str(pk): card for pk, card in cards.items()},
            is_open=any(campaign.phase == "processing" for campaign in campaigns),
            frame=render_to_string("dispatcher/_cards.html", about),
            cards=cards,
        )
