"""Sending to whom somebody names: the choice becomes the campaign's audience, and the launch goes with it."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from django.db import connection, transaction
from django.db.models import Manager, Model, Q, Value
from django.utils import timezone

from accounts import audit_log
from accounts.models import Actor
from accounts.unknown import Unknown
from campaigns.authoring import AUDIENCE
from campaigns.models import Campaign, IllegalMove
from dispatcher import operations
from dispatcher.books import books_of
from dispatcher.freeze import Forecast, forecast
from dispatcher.models import SkipReason
from dispatcher.readiness import LaunchRefused
from wires import live

Status = Campaign.Status


class AlreadySent(IllegalMove):
    """The campaign was launched or cancelled before."""

    def __init__(self, campaign: Campaign) -> None:
        super().__init__(campaign, Status.SENDING)
        self.args = (
            f"campaign already processed (status: '{campaign.get_status_display()}'). To prevent duplicate sends, "
            "campaigns in 'sending', 'sent', or 'failed' status cannot be sent again",
        )


@dataclass(frozen=True)
class Choice:
    """Whom to send to: everyone, groups, segments, people, or those whose fields are as in `segment`.

    `without` these people, and those of the segments in `without_segments`.
    """

    everyone: bool = False
    groups: Collection[int] = ()
    people: Collection[int] = ()
    segment: Mapping[str, str] = field(default_factory=dict)
    segments: Collection[int] = ()
    without: Collection[int] = ()
    without_segments: Collection[int] = ()

    @property
    def is_empty(self) -> bool:
        return not (self.everyone or self.groups or self.segments or self.people or self.segment)


@dataclass(frozen=True)
class Sent:
    """How many messages a send added, and people left out by reason; None and nothing while being prepared."""

    campaign: Campaign
    queued: int | None
    skipped: Mapping[SkipReason, int]


@transaction.atomic
def send(campaign: Campaign, choice: Choice, *, by: Actor | None, now: bool = False) -> Sent:
    """Launch a draft to this choice alone; add the choice to a scheduled campaign, which waits unless `now`.

    Raises AlreadySent, Unknown or LaunchRefused, each of which leaves the campaign as it was.
    """
    if choice.is_empty:
        raise LaunchRefused("EMPTY_CUSTOMER_IDS", "Name at least one person, group or segment to send to.")
    campaign = operations.locked(campaign)
    if not campaign.is_editable:
        raise AlreadySent(campaign)
    if campaign.status == Status.DRAFT:
        empty_audience(campaign)
    elif not now and campaign.scheduled_at and campaign.scheduled_at > timezone.now():
        return add_to_scheduled(campaign, choice, by=by)
    add_to_audience(campaign, choice)
    campaign = operations.launch(campaign, by=by)
    if campaign.status == Status.PREPARING:
        return Sent(campaign, None, {})
    books = books_of(campaign)
    return Sent(campaign, books.pending, {reason: books.skipped_by[reason - 1] for reason in SkipReason})


def add_to_scheduled(campaign: Campaign, choice: Choice, *, by: Actor | None) -> Sent:
    was = campaign.audience_words
    leave_out(campaign, choice)
    before = forecast(campaign)
    add_to_audience(campaign, choice)
    after = forecast(campaign)
    audience = {"audience": campaign.audience_words}
    operations.note(campaign, by=by, reason="people changed")
    audit_log.record(campaign.workspace, "update", campaign, by=by, before={"audience": was}, after=audience)
    live.changed(campaign.pk, campaign.workspace_id)
    return Sent(campaign, after.reached - before.reached, newly_skipped(before, after))


def newly_skipped(before: Forecast, after: Forecast) -> dict[SkipReason, int]:
    return {reason: after.skipped.get(reason, 0) - before.skipped.get(reason, 0) for reason in SkipReason}


def empty_audience(campaign: Campaign) -> None:
    for kind in AUDIENCE:
        getattr(campaign, kind).clear()
    choose_everyone(campaign, False)


def choose_everyone(campaign: Campaign, everyone: bool) -> None:
    campaign.everyone = everyone
    campaign.save(update_fields=["everyone", "updated_at"])


def add_to_audience(campaign: Campaign, choice: Choice) -> None:
    """Raises Unknown."""
    leave_out(campaign, choice)
    if choice.everyone:
        choose_everyone(campaign, True)
    if choice.groups:
        refuse_unknown("Group", campaign.workspace.groups, choice.groups)
        campaign.groups.add(*choice.groups)
    if choice.segments:
        refuse_unknown("Segment", campaign.workspace.segments, choice.segments)
        campaign.segments.add(*choice.segments)
    if choice.people:
        refuse_unknown("Customer", campaign.workspace.recipients, choice.people)
        link(Campaign.picked.through, campaign, Q(pk__in=choice.people))
    if choice.segment:
        alike = Q(*((f"{name}__iexact", value) for name, value in choice.segment.items()))
        link(Campaign.picked.through, campaign, alike)


def leave_out(campaign: Campaign, choice: Choice) -> None:
    if choice.without:
        refuse_unknown("Customer", campaign.workspace.recipients, choice.without)
        link(Campaign.excluded.through, campaign, Q(pk__in=choice.without))
    if choice.without_segments:
        refuse_unknown("Segment", campaign.workspace.segments, choice.without_segments)
        campaign.excluded_segments.add(*choice.without_segments)


def refuse_unknown(what: str, rows: Manager, ids: Collection[int]) -> None:
    """Raises Unknown with the lowest number that is not in the workspace."""
    if missing := set(ids).difference(rows.filter(pk__in=ids).values_list("pk", flat=True)):
        raise Unknown(what, min(missing))


def link(through: type[Model], campaign: Campaign, whom: Q) -> None:
    """Link these people to the campaign in one statement, however many; those linked already stay so."""
    people = campaign.workspace.recipients.filter(whom)
    sql, params = people.values_list(Value(campaign.pk), "pk").query.sql_with_params()
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {through._meta.db_table} (campaign_id, recipient_id) {sql} ON CONFLICT DO NOTHING",  # noqa: S608
            params,
        )
