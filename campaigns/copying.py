"""Copies of what was written and for whom: of a campaign, or between a series and its occurrences."""

from typing import Any

from django.db import connection, transaction
from django.utils import timezone

from accounts import audit_log
from accounts.models import Actor, User
from campaigns.authoring import AUDIENCE, COLUMNS, update_campaign
from campaigns.faults import LONGEST_LINE
from campaigns.half_linked import refuse_half_linked
from campaigns.models import Campaign, Recurrence, StatusChange
from campaigns.variants import give_others, others_of
from wires import live

Written = Campaign | Recurrence


class SeriesEnded(Exception):
    """Nothing of the series is still to come."""

    def __init__(self, series: Recurrence) -> None:
        super().__init__(f"The series “{series}” has ended; nothing of it is still to come.")


@transaction.atomic
def duplicate(campaign: Campaign, *, by: Actor | None) -> Campaign:
    """A new draft with the same text, channel, audience and priority, and nothing of what became of the other.

    Raises StillLinking.
    """
    refuse_half_linked(campaign)
    name = f"Copy of {campaign.name}"[:LONGEST_LINE]
    copy = written_like(campaign, by=by, name=name)
    give_others(copy, others_of(campaign))
    StatusChange.write(copy, None, Campaign.Status.DRAFT, by=by)
    audit_log.record(campaign.workspace, "duplicate", copy, by=by, after={"copy of": campaign.pk, "name": name})
    live.changed(copy.pk, copy.workspace_id)
    return copy


def written_like(other: Written, *, by: Actor | None, **fields: Any) -> Campaign:
    """A new campaign with the text and the audience of the other."""
    author = by if isinstance(by, User) else None
    campaign = Campaign.objects.create(
        workspace_id=other.workspace_id,
        created_by=author,
        written_by=author,
        written_at=timezone.now(),
        **(content_of(other) | fields),
    )
    copy_audience(other, campaign)
    return campaign


def content_of(other: Written) -> dict[str, Any]:
    return {column: getattr(other, column) for column in COLUMNS}


def shared_by(other: Written) -> dict[str, Any]:
    """All that the occurrences of a series say alike: the main words, and those of variants and languages."""
    others = other.others if isinstance(other, Recurrence) else others_of(other)
    return content_of(other) | {"others": others}


def copy_audience(source: Written, target: Written) -> None:
    """Make the target's choice of groups and people that of the source; one statement for each kind, however many."""
    for field in AUDIENCE:
        copy_links(source, target, field)


def copy_links(source: Written, target: Written, field: str) -> None:
    theirs, ours = (getattr(type(row), field) for row in (source, target))
    ours.through.objects.filter(**{ours.field.m2m_field_name(): target.pk}).delete()
    linked = ours.field.m2m_reverse_name()
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {ours.through._meta.db_table} ({ours.field.m2m_column_name()}, {linked})"  # noqa: S608
            f" SELECT %s, {linked} FROM {theirs.through._meta.db_table} WHERE {theirs.field.m2m_column_name()} = %s",
            [target.pk, source.pk],
        )


@transaction.atomic
def update_with_following(
    campaign: Campaign, *, by: Actor | None, over: str = "", only_drafts: bool = False, **changes: Any
) -> Campaign:
    """Change an occurrence of a series and let all that follow say the same to the same people.

    Raises SeriesEnded beside what `update_campaign` raises.
    """
    campaign = update_campaign(campaign, by=by, over=over, only_drafts=only_drafts, **changes)
    rows = Recurrence.objects.select_for_update(of=("self",)).select_related("workspace")
    series = rows.get(occurrences=campaign)
    if series.ended_at:
        raise SeriesEnded(series)
    before, after = shared_by(series), shared_by(campaign)
    for column, value in after.items():
        setattr(series, column, value)
    series.save(update_fields=[*after])
    copy_audience(campaign, series)
    audience = {"audience": f"as of campaign {campaign.pk}: {campaign.audience_words}"}
    audit_log.record(series.workspace, "update_following", series, by=by, before=before, after=after | audience)
    return campaign
