"""Series: campaigns that come again on certain days; the next one always waits as a campaign of its own.

Locks are taken in this order: campaign, then series. The clock, which only adds campaigns, takes the series alone.
"""

from datetime import date

from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet
from django.utils import timezone

from accounts import audit_log
from accounts.models import Actor, User
from campaigns.copying import SeriesEnded, copy_audience, shared_by, written_like
from campaigns.half_linked import refuse_half_linked
from campaigns.models import Campaign, Recurrence, StatusChange
from campaigns.rules import DAY, Rule
from campaigns.variants import give_others
from campaigns.when import InvalidTime, Wall, columns_of, day_in_words
from dispatcher import operations
from wires import live

Status = Campaign.Status
SKIPPED = "skipped"  # the reason by which the history of an occurrence tells it from one that was cancelled


class NextChanged(Exception):
    """What was asked was meant for another occurrence than the one that is next now."""

    def __init__(self) -> None:
        super().__init__("The next one is another by now. See how the series stands and press again.")


class SeriesChanged(Exception):
    """The series is not as whoever asks has seen it."""

    def __init__(self, series: Recurrence) -> None:
        super().__init__(f"Somebody changed the series meanwhile, or it went on. It is now: {standing(series)}.")


@transaction.atomic
def repeat(
    campaign: Campaign,
    rule: Rule,
    first: Wall,
    *,
    by: Actor | None,
    until: date | None = None,
    count: int | None = None,
) -> Campaign:
    """Schedule a draft as the first of a series.

    Raises StillLinking, or InvalidTime when no day is left, beside what `schedule` raises.
    """
    campaign = operations.schedule(campaign, at=first, by=by)
    refuse_half_linked(campaign)
    day = first.shows.date()
    series = Recurrence(
        workspace=campaign.workspace,
        **columns_of_rule(rule, first),
        until=until,
        count=count,
        made=1,
        made_on=day,
        created_by=by if isinstance(by, User) else None,
        **shared_by(campaign),
    )
    if not series.allows(1, day):
        raise InvalidTime(until=f"The first would be on {day_in_words(day)}; end the series on that day or later.")
    series.save()
    copy_audience(campaign, series)
    Campaign.objects.filter(pk=campaign.pk).update(series=series, nth=1)
    campaign.series, campaign.nth = series, 1
    audit_log.record(campaign.workspace, "repeat", campaign, by=by, after=told(series))
    return campaign


def columns_of_rule(rule: Rule, first: Wall) -> dict:
    return {
        "unit": rule.unit,
        "weekdays": list(rule.weekdays),
        "number": rule.number,
        "starts": rule.starts,
        "time": first.shows.time(),
        "zone": first.zone,
    }


def told(series: Recurrence) -> dict:
    """What the audit log keeps of the rule."""
    return {"rule": series.words, "until": series.until, "count": series.count}


# --- the following one ---


def without_a_next() -> QuerySet[Recurrence]:
    """The series that go on but whose newest occurrence does not wait any more."""
    waits = Campaign.objects.filter(series=OuterRef("pk"), nth=OuterRef("made"), status=Status.SCHEDULED)
    return Recurrence.objects.filter(ended_at=None).exclude(Exists(waits))


@transaction.atomic
def carry_on(pk: int) -> Campaign | None:
    """Make the following occurrence of a series that has none waiting; None if there is nothing to make."""
    rows = Recurrence.objects.select_for_update(of=("self",), skip_locked=True)
    series = rows.select_related("workspace", "created_by").filter(pk=pk).first()
    # A statement of its own: it sees what another clock, or a person, committed before the lock was had.
    if series is None or not without_a_next().filter(pk=pk).exists():
        return None
    return make_following(series, by=None)


def make_following(series: Recurrence, *, by: Actor | None) -> Campaign | None:
    """The first day of the rule that is still ahead becomes a campaign; past the last day the series ends.

    Days that went by unheeded count, and are not made up for. The caller holds the series' row.
    """
    nth, day = following(series)
    if not series.allows(nth, day):
        close(series)
        return None
    wall = series.wall_on(day)
    author = series.created_by
    campaign = written_like(series, by=author, series=series, nth=nth, **columns_of(wall))
    give_others(campaign, series.others)
    StatusChange.write(campaign, None, Status.DRAFT, by=None, reason=f"number {nth:,} of a series")
    campaign.move_to(Status.SCHEDULED, by=None, reason=f"for {wall.words}")
    before = series.occurrences.filter(nth=series.made).values_list("pk", flat=True)
    for pk in [*before]:  # its page says which one is next
        live.changed(pk, series.workspace_id)
    series.made, series.made_on = nth, day
    series.save(update_fields=["made", "made_on"])
    audit_log.record(
        series.workspace, "repeat", campaign, by=by, after={"series": series.pk, "nth": nth, "for": wall.words}
    )
    live.changed(campaign.pk, campaign.workspace_id)
    return campaign


def following(series: Recurrence) -> tuple[int, date]:
    """The number and the day of the next occurrence: the first after the newest whose time is still ahead."""
    now = timezone.now()
    for nth, day in enumerate(series.rule.after(series.made_on), start=series.made + 1):
        if series.wall_on(day).instant > now or not series.allows(nth, day):
            break
    return nth, day


def close(series: Recurrence) -> None:
    series.ended_at = timezone.now()
    series.save(update_fields=["ended_at"])


# --- what people may ask ---


@transaction.atomic
def skip_next(series: Recurrence, *, by: Actor | None, nth: int | None = None) -> Campaign | None:
    """Cancel the one that waits and make the following; returns that one, None at the end of the series.

    `nth` is the one that whoever asks has seen. Raises SeriesEnded or NextChanged.
    """
    series, campaign = held(series, nth)
    if campaign is None:
        raise NextChanged
    operations.cancel(campaign, by=by, reason=SKIPPED)
    audit_log.record(series.workspace, "skip_next", series, by=by, after={"skipped": campaign.start_words})
    return make_following(series, by=by)


def is_changed(campaign: Campaign, series: Recurrence) -> bool:
    """Whether this one says something else than those that follow."""
    return shared_by(campaign) != shared_by(series)


@transaction.atomic
def end_series(series: Recurrence, *, by: Actor | None) -> Recurrence:
    """Nothing more of it: the one that waits is cancelled. Raises SeriesEnded."""
    series, campaign = held(series)
    if campaign:
        operations.cancel(campaign, by=by, reason="the series was ended")
    close(series)
    last = {"ended_at": series.ended_at, "cancelled": campaign.start_words if campaign else None}
    audit_log.record(series.workspace, "end_series", series, by=by, after=last)
    for pk in series.occurrences.order_by("-nth").values_list("pk", flat=True)[:2]:
        live.changed(pk, series.workspace_id)
    return series


def passed(series: Recurrence) -> int:
    """How many came before the next one, those skipped or missed among them."""
    return series.made - 1 if series.next_one() else series.made


def standing(series: Recurrence) -> str:
    """The rule, the end and the next number as they are: when two who look see the same, nothing came between."""
    last = f" up to number {series.count:,}" if series.count else ""
    end = f" until {day_in_words(series.until)}" if series.until else last
    return f"{series.words} from {day_in_words(series.starts)}{end}, next number {passed(series) + 1:,}"


@transaction.atomic
def change_rule(
    series: Recurrence,
    rule: Rule,
    first: Wall,
    *,
    by: Actor | None,
    until: date | None = None,
    times: int | None = None,
    over: str = "",
) -> Campaign | None:
    """From now on other days, another time or another end; the one that waits moves to the first of the new days.

    `times` counts from now on; `over` is the standing that whoever asks has seen.
    Raises SeriesEnded, SeriesChanged, or InvalidTime when no day would be left.
    """
    series, campaign = held(series)
    if over and over != standing(series):
        raise SeriesChanged(series)
    before, day = told(series), first.shows.date()
    for name, value in columns_of_rule(rule, first).items():
        setattr(series, name, value)
    gone = series.made - 1 if campaign else series.made
    series.until, series.count = until, gone + times if times else None
    if not series.allows(gone + 1, day):
        raise InvalidTime(until=f"The next one would be on {day_in_words(day)}; let the series go on until then.")
    # Without one that waits the clock makes it, from the day before on.
    series.made_on = day if campaign else day - DAY
    series.save()
    if campaign:
        campaign = operations.change_time(campaign, at=first, by=by)
    audit_log.record(series.workspace, "change_rule", series, by=by, before=before, after=told(series))
    return campaign


def held(series: Recurrence, nth: int | None = None) -> tuple[Recurrence, Campaign | None]:
    """The series and the occurrence that waits, both locked. Raises SeriesEnded or NextChanged."""
    waiting = series.occurrences.filter(status=Status.SCHEDULED).order_by("-nth").first()
    campaign = operations.locked(waiting) if waiting else None
    rows = Recurrence.objects.select_for_update(of=("self",)).select_related("workspace", "created_by")
    series = rows.get(pk=series.pk)
    if series.ended_at:
        raise SeriesEnded(series)
    is_next = campaign is not None and campaign.nth == series.made and campaign.status == Status.SCHEDULED
    if nth is not None and (not is_next or campaign is None or campaign.nth != nth):
        raise NextChanged
    return series, campaign if is_next else None
