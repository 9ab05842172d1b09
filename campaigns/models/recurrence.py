"""The series a campaign may belong to."""

from datetime import date

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from accounts.models import User, Workspace
from campaigns.models.campaign import Campaign
from campaigns.models.whatsapp import Templated
from campaigns.models.words import Words
from campaigns.rules import Rule, Unit
from campaigns.when import Wall
from people.channels import Channel
from people.models import Group, Recipient, Segment


class Recurrence(Words, Templated):
    """A series: on which days, at what time of which zone, and what its next occurrence will say to whom.

    Each occurrence is a campaign of its own. `made` counts the days of the rule up to the newest occurrence, which
    stands for the day `made_on`; days that were skipped or missed count too.
    """

    workspace = models.ForeignKey(Workspace, models.CASCADE, related_name="series")
    unit = models.SmallIntegerField(choices=[(unit.value, unit.name.lower()) for unit in Unit])
    weekdays = ArrayField(models.SmallIntegerField(), default=list)
    number = models.SmallIntegerField("day of the month, or every so many days", default=1)
    starts = models.DateField()
    time = models.TimeField()
    zone = models.CharField(max_length=64)
    until = models.DateField(null=True)
    count = models.IntegerField(null=True)
    made = models.IntegerField(default=0)
    made_on = models.DateField()
    ended_at = models.DateTimeField(null=True)
    created_by = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    name = models.CharField(max_length=200)
    channel = models.SmallIntegerField(choices=Channel)
    priority = models.SmallIntegerField(choices=Campaign.Priority)
    generated_words = models.BooleanField("words generated for each person", default=False, db_default=False)
    brief = models.CharField("what it is about, for generated words", max_length=300, blank=True, db_default="")
    others = models.JSONField(
        "how its people are divided, words of variants and languages", default=dict, db_default={}, editable=False
    )
    everyone = models.BooleanField("everyone in the workspace", default=False)
    groups = models.ManyToManyField(Group, related_name="series")
    picked = models.ManyToManyField(Recipient, related_name="+")
    segments = models.ManyToManyField(Segment, related_name="series")
    excluded_groups = models.ManyToManyField(Group, related_name="series_without")
    excluded_segments = models.ManyToManyField(Segment, related_name="series_without")
    excluded = models.ManyToManyField(Recipient, related_name="+")

    class Meta:
        indexes = [models.Index(fields=["id"], condition=Q(ended_at=None), name="series_open")]
        constraints = [
            models.CheckConstraint(condition=Q(until=None) | Q(count=None), name="one_end_of_a_series"),
            models.CheckConstraint(condition=~Q(unit=1) | Q(weekdays__len__gt=0), name="weekly_has_weekdays"),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def rule(self) -> Rule:
        return Rule(Unit(self.unit), self.starts, tuple(self.weekdays), self.number)

    @property
    def words(self) -> str:
        """Every Monday at 09:00 Europe/Athens."""
        return f"{self.rule.words} at {self.time:%H:%M} {self.zone}"

    def wall_on(self, day: date) -> Wall:
        return Wall.at(day, self.time, self.zone)

    def allows(self, nth: int, day: date) -> bool:
        """Whether the series reaches as far as this."""
        return (self.until is None or day <= self.until) and (self.count is None or nth <= self.count)

    def next_one(self) -> Campaign | None:
        """The occurrence that waits for its time; none for a moment after one has started, and once it has ended."""
        waiting = self.occurrences.filter(nth=self.made, status=Campaign.Status.SCHEDULED)
        return waiting.select_related("workspace").first()
