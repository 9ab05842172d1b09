"""A campaign, its audience, and the history of its statuses."""

from collections.abc import Collection, Iterator
from functools import reduce
from operator import or_

from django.db import models
from django.db.models import Exists, F, OuterRef, Q
from django.db.models.functions import Now

from accounts.models import Actor, ApiKey, User, Workspace
from campaigns.models.whatsapp import Templated
from campaigns.models.words import Words
from campaigns.when import Wall, in_words
from people.channels import Channel
from people.models import MEMBERSHIP, Group, Recipient, Segment
from people.segments import EVERYBODY, NOBODY, described_by


class IllegalMove(Exception):
    """The campaign cannot go where it was asked to go from where it is now."""

    def __init__(self, campaign: "Campaign", wanted: "Campaign.Status") -> None:
        self.campaign = campaign
        status = campaign.get_status_display()
        refused = "already" if campaign.status == wanted else f"and cannot become {wanted.label}"
        super().__init__(f"“{campaign}” is {status} {refused}.")


class Campaign(Words, Templated):
    """One text to many people over one channel. Its status changes only in `move_to`."""

    class Status(models.IntegerChoices):
        DRAFT = 1, "draft"
        SCHEDULED = 2, "scheduled"
        PREPARING = 3, "preparing"
        SENDING = 4, "sending"
        PAUSED = 5, "paused"
        SENT = 6, "sent"
        FAILED = 7, "failed"
        CANCELLED = 8, "cancelled"

        @property
        def phase(self) -> str:
            """pending, processing or completed: the three-state life that colours the badge."""
            return PHASES[self]

    class Priority(models.IntegerChoices):
        URGENT = 1, "urgent"
        NORMAL = 2, "normal"
        LOW = 3, "low"

    workspace = models.ForeignKey(Workspace, models.CASCADE, related_name="campaigns")
    name = models.CharField(max_length=200)
    channel = models.SmallIntegerField(choices=Channel, default=Channel.EMAIL)
    status = models.SmallIntegerField(choices=Status, default=Status.DRAFT, editable=False)
    priority = models.SmallIntegerField(choices=Priority, default=Priority.NORMAL)
    generated_words = models.BooleanField("words generated for each person", default=False, db_default=False)
    brief = models.CharField("what it is about, for generated words", max_length=300, blank=True, db_default="")
    # Of the links to unsubscribe, as they were at the launch.
    footer = models.CharField("line below the message", max_length=200, blank=True, db_default="", editable=False)
    link_base = models.CharField("where links lead", max_length=200, blank=True, db_default="", editable=False)
    link_key = models.CharField("which key seals them", max_length=8, blank=True, db_default="", editable=False)

    everyone = models.BooleanField("everyone in the workspace", default=False)
    groups = models.ManyToManyField(Group, related_name="campaigns", blank=True)
    picked = models.ManyToManyField(Recipient, related_name="picked_for", blank=True)
    segments = models.ManyToManyField(Segment, related_name="campaigns", blank=True)
    excluded_groups = models.ManyToManyField(Group, related_name="excluded_from", blank=True)
    excluded_segments = models.ManyToManyField(Segment, related_name="excluded_from", blank=True)
    excluded = models.ManyToManyField(Recipient, related_name="excluded_from", blank=True)

    scheduled_at = models.DateTimeField(null=True, blank=True)
    # What the clock on the wall will show, and where; the instant above follows it when a zone changes its rules.
    # Empty where only an instant was named.
    scheduled_day = models.DateField(null=True, editable=False)
    scheduled_time = models.TimeField(null=True, editable=False)
    scheduled_zone = models.CharField(max_length=64, blank=True, editable=False)
    series = models.ForeignKey("Recurrence", models.SET_NULL, null=True, editable=False, related_name="occurrences")
    nth = models.IntegerField("number within its series", null=True, editable=False)
    # For information: what it began as.
    template = models.ForeignKey("Template", models.SET_NULL, null=True, editable=False, related_name="campaigns")
    template_version = models.PositiveIntegerField(null=True, editable=False)
    archived_at = models.DateTimeField(null=True, editable=False)
    stored_at = models.DateTimeField("messages moved to a file at", null=True, editable=False)
    restored_at = models.DateTimeField("messages brought back from a file at", null=True, editable=False)
    left_alone_at = models.DateTimeField("messages could not be moved to a file at", null=True, editable=False)
    frozen_up_to = models.BigIntegerField("last recipient frozen", default=0, editable=False)
    launched_at = models.DateTimeField(null=True, editable=False)
    held_until = models.DateTimeField("can be undone until", null=True, editable=False)
    # The price as it was at the launch; null where it was unknown, as is `parts` where nobody counted them.
    part_price = models.DecimalField("price of a part", max_digits=12, decimal_places=6, null=True, editable=False)
    currency = models.CharField(max_length=3, blank=True, db_default="", editable=False)
    parts = models.BigIntegerField("parts counted before", null=True, editable=False)
    finished_at = models.DateTimeField(null=True, editable=False)
    created_by = models.ForeignKey(User, models.SET_NULL, null=True, editable=False, related_name="+")
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    updated_at = models.DateTimeField(auto_now=True)
    # Apart from updated_at, which also tells of every change of status.
    written_by = models.ForeignKey(User, models.SET_NULL, null=True, editable=False, related_name="+")
    written_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        indexes = [
            models.Index(F("workspace"), F("id").desc(), name="campaign_page"),
            models.Index(fields=["scheduled_at"], condition=Q(status=2), name="campaign_due"),
            models.Index(fields=["status"], condition=Q(status__in=[3, 4, 5, 8]), name="campaign_open"),
            models.Index("workspace", "status", F("id").desc(), name="campaign_status_page"),
            models.Index("workspace", F("id").desc(), condition=Q(archived_at__isnull=False), name="campaign_archived"),
        ]
        constraints = [
            models.CheckConstraint(condition=~Q(status=2) | Q(scheduled_at__isnull=False), name="scheduled_has_a_time"),
            models.CheckConstraint(
                condition=Q(scheduled_day=None, scheduled_time=None, scheduled_zone="")
                | Q(scheduled_at__isnull=False, scheduled_day__isnull=False, scheduled_time__isnull=False)
                & ~Q(scheduled_zone=""),
                name="wall_clock_is_whole",
            ),
            models.CheckConstraint(
                condition=Q(archived_at=None) | Q(status__in=[6, 7, 8]), name="only_what_is_over_is_archived"
            ),
            models.CheckConstraint(
                condition=Q(stored_at=None) | Q(status__in=[6, 7, 8]), name="only_what_is_over_is_stored"
            ),
            models.UniqueConstraint(fields=["series", "nth"], name="occurrence_once"),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def phase(self) -> str:
        return Campaign.Status(self.status).phase

    @property
    def is_editable(self) -> bool:
        return self.status in (Campaign.Status.DRAFT, Campaign.Status.SCHEDULED)

    @property
    def is_over(self) -> bool:
        """Whether nothing of it is open any more: of a cancelled one, once the workers have closed its books."""
        return self.finished_at is not None and self.phase == "completed"

    @property
    def is_retryable(self) -> bool:
        """Whether its messages may become pending again: it was launched and not cancelled, and they are here."""
        S = Campaign.Status
        return self.stored_at is None and self.status in (S.SENDING, S.PAUSED, S.SENT, S.FAILED)

    @property
    def channel_word(self) -> str:
        return Channel(self.channel).word

    @property
    def wall(self) -> Wall | None:
        """When it starts on the clocks of the place it was scheduled for, if one was named."""
        if self.scheduled_day is None or self.scheduled_time is None:
            return None
        return Wall.at(self.scheduled_day, self.scheduled_time, self.scheduled_zone)

    @property
    def start_words(self) -> str:
        """When it starts, in its own zone, in UTC and in that of the workspace; empty without a time."""
        if wall := self.wall:
            return wall.words_for(self.workspace.zone)
        zone = self.workspace.zone
        return in_words(self.scheduled_at, zone, str(zone)) if self.scheduled_at else ""

    @property
    def version(self) -> str:
        """Names what is written now, so that a page can tell whether somebody saved another text meanwhile."""
        return self.written_at.isoformat()

    def can_become(self, status: "Campaign.Status") -> bool:
        return status in MOVES[Campaign.Status(self.status)]

    def move_to(self, status: "Campaign.Status", *, by: Actor | None, reason: str = "", **columns) -> None:
        """Change the status and write it into the history, with other columns that go with it.

        Raises IllegalMove when the move is not allowed, or when another process was faster.
        """
        if not self.can_become(status):
            raise IllegalMove(self, status)
        # The row decides: the old status is compared in the UPDATE itself and the changed rows are counted.
        here = Campaign.objects.filter(pk=self.pk, status=self.status)
        if not here.update(status=status, updated_at=Now(), **columns):
            self.refresh_from_db(fields=["status"])
            raise IllegalMove(self, status)
        StatusChange.write(self, self.status, status, by=by, reason=reason)
        self.status = status
        for name, value in columns.items():
            setattr(self, name, value)

    def chosen(self) -> models.QuerySet[Recipient]:
        """The people chosen now, those excluded again among them; each one once."""
        people = self.workspace.recipients.all()
        if self.everyone:
            return people
        return people.filter(reduce(or_, self._sets("groups", "segments", "picked", if_broken=NOBODY), NOBODY))

    def audience(self) -> models.QuerySet[Recipient]:
        """The people it is for, whether or not they can be written to: the chosen ones without the excluded.

        A segment that cannot be asked any more chooses nobody, and leaves everybody out.
        """
        people = self.chosen()
        # One by one: a NOT EXISTS of its own becomes a join, and inside an OR it is asked again for every person.
        for left_out in self._sets("excluded_groups", "excluded_segments", "excluded", if_broken=EVERYBODY):
            people = people.exclude(left_out)
        return people

    def _sets(self, groups: str, segments: str, people: str, *, if_broken: Q) -> Iterator[Q]:
        """The parts of a choice; what nothing was chosen of has no part."""
        named = getattr(Campaign, people).through
        if chosen := [group.pk for group in getattr(self, groups).all()]:
            yield Q(Exists(MEMBERSHIP.objects.filter(group__in=chosen, recipient=OuterRef("pk"))))
        if described := [*getattr(self, segments).all()]:
            # While it is being prepared, "in the last 7 days" goes on meaning those before the launch.
            now = self.launched_at if self.status == Campaign.Status.PREPARING else None
            yield described_by(described, self.workspace, now, if_broken=if_broken)
        names_people = getattr(self, f"names_{people}", None)
        if named.objects.filter(campaign=self).exists() if names_people is None else names_people:
            yield Q(Exists(named.objects.filter(campaign=self, recipient=OuterRef("pk"))))

    def all_segments(self) -> models.QuerySet[Segment]:
        """Those whose people it is for, and those whose people are left out."""
        used = Q(pk__in=self.segments.values("pk")) | Q(pk__in=self.excluded_segments.values("pk"))
        return Segment.objects.filter(used).select_related("workspace").order_by("pk")

    @property
    def audience_words(self) -> str:
        """Who is chosen, in words and without counting a million rows."""
        sets = [] if self.everyone else [str(each) for each in (*self.groups.all(), *self.segments.all())]
        picked = 0 if self.everyone else self.picked.count()
        without = [str(each) for each in (*self.excluded_groups.all(), *self.excluded_segments.all())]
        return audience_in_words(self.everyone, sets, picked, without, self.excluded.count())


def ask_for_choices(campaigns: Collection[Campaign]) -> None:
    """Read whom these campaigns are for, so that counting the audiences of many asks no more often than of one."""
    models.prefetch_related_objects([*campaigns], "groups", "segments", "excluded_groups", "excluded_segments", "split")
    names = {people: Exists(_named(people)) for people in ("picked", "excluded")}
    found = Campaign.objects.filter(pk__in=[campaign.pk for campaign in campaigns]).values_list("pk", *names.values())
    known = {pk: dict(zip(names, is_named, strict=True)) for pk, *is_named in found}
    for campaign in campaigns:
        campaign.split_is_read = True  # type: ignore[attr-defined]
        for people, is_named in known.get(campaign.pk, {}).items():
            setattr(campaign, f"names_{people}", is_named)


def ask_for_words(campaign: Campaign) -> None:
    """Read its words and its split once, so that telling many messages asks no more often than one."""
    models.prefetch_related_objects([campaign], "wordings", "split")
    campaign.split_is_read = True  # type: ignore[attr-defined]


def _named(people: str) -> models.QuerySet:
    return getattr(Campaign, people).through.objects.filter(campaign=OuterRef("pk"))


def audience_in_words(everyone: bool, sets: list[str], picked: int, without: list[str], excluded: int) -> str:
    """Everyone, without Staff and 2 people; groups and segments are named, people are counted."""
    chosen = ["everyone"] if everyone else [*sets, *([f"{picked:,} picked by hand"] if picked else [])]
    words = listed(chosen) or "no people chosen yet"
    left_out = [*without, *(["1 person" if excluded == 1 else f"{excluded:,} people"] if excluded else [])]
    return f"{words}, without {listed(left_out)}" if left_out else words


def listed(words: list[str]) -> str:
    """One, two and three."""
    *first, last = words or [""]
    return f"{', '.join(first)} and {last}" if first else last


S = Campaign.Status
MOVES: dict[Campaign.Status, set[Campaign.Status]] = {
    S.DRAFT: {S.SCHEDULED, S.PREPARING, S.CANCELLED},
    S.SCHEDULED: {S.DRAFT, S.PREPARING, S.CANCELLED},
    S.PREPARING: {S.SENDING, S.DRAFT, S.CANCELLED},
    S.SENDING: {S.PAUSED, S.SENT, S.FAILED, S.CANCELLED},
    S.PAUSED: {S.SENDING, S.SENT, S.FAILED, S.CANCELLED},
    S.SENT: {S.SENDING},
    S.FAILED: {S.SENDING, S.SENT},
    S.CANCELLED: set(),
}
PHASES = {
    **dict.fromkeys((S.DRAFT, S.SCHEDULED), "pending"),
    **dict.fromkeys((S.PREPARING, S.SENDING, S.PAUSED), "processing"),
    **dict.fromkeys((S.SENT, S.FAILED, S.CANCELLED), "completed"),
}


class StatusChange(models.Model):
    """One line of a campaign's history; never changed once written."""

    campaign = models.ForeignKey(Campaign, models.CASCADE, related_name="history")
    from_status = models.SmallIntegerField(choices=Campaign.Status, null=True)
    to_status = models.SmallIntegerField(choices=Campaign.Status)
    by = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")
    key = models.ForeignKey(ApiKey, models.SET_NULL, null=True, related_name="+")
    reason = models.CharField(max_length=300, blank=True)
    at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"{self.get_to_status_display()} at {self.at}"

    @classmethod
    def write(cls, campaign: Campaign, old: int | None, new: int, *, by: Actor | None, reason: str = "") -> None:
        """Append a line: from which status to which, by a person, by a program's key, or by the machine (None)."""
        who = {"by": by} if isinstance(by, User) else {"key": by}
        cls.objects.create(campaign=campaign, from_status=old, to_status=new, reason=reason[:300], **who)

    @property
    def actor(self) -> str:
        """Whom the history names: a person or a program; nobody for what the machine did."""
        return str(self.by) if self.by else f"API key {self.key}" if self.key else ""
