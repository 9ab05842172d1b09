"""The variants of a campaign: how its people are divided among them, and how one is chosen for the rest."""

from datetime import datetime, timedelta

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from campaigns.models.campaign import Campaign
from campaigns.splitting import WAITS, Shares, letter, lot_of


class Split(models.Model):
    """Percents that a launch divides people by, and the rule or the person that chooses the winner."""

    campaign = models.OneToOneField(Campaign, models.CASCADE, related_name="split")
    weights = ArrayField(models.SmallIntegerField())
    tested = models.SmallIntegerField("percent who get a variant at once; the rest wait for the winner", default=100)
    hold_out = models.SmallIntegerField("percent who get nothing, to compare with", default=0)

    # The rule; without a measure a person chooses.
    measure = models.CharField(max_length=20, blank=True)
    after_hours = models.SmallIntegerField("hours after the launch", default=4)
    at_least = models.SmallIntegerField("points by which the winner has to lead", default=0)

    winner = models.SmallIntegerField(null=True, editable=False)
    chosen_at = models.DateTimeField(null=True, editable=False)
    undecided_at = models.DateTimeField("when the rule found no winner", null=True, editable=False)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(weights__len__gte=2), name="at_least_two_variants"),
            models.CheckConstraint(condition=Q(tested__range=(1, 100)), name="tested_is_a_percent"),
            models.CheckConstraint(condition=Q(hold_out__range=(0, 50)), name="no_more_than_half_held_out"),
            models.CheckConstraint(
                condition=Q(winner=None) | Q(chosen_at__isnull=False), name="winner_was_chosen_some_time"
            ),
        ]
        indexes = [models.Index(fields=["campaign"], condition=~Q(measure="") & Q(winner=None), name="split_by_rule")]

    def __str__(self) -> str:
        return f"{self.words} of {self.campaign}"

    @classmethod
    def of(cls, campaign: Campaign) -> "Split | None":
        """That of this campaign, if it has variants; of those that were asked for together, as it was then."""
        if getattr(campaign, "split_is_read", False):
            return getattr(campaign, "split", None)
        return cls.objects.filter(campaign=campaign.pk).first()

    @property
    def shares(self) -> Shares:
        return Shares(tuple(self.weights), self.tested, self.hold_out)

    @property
    def variants(self) -> range:
        """Their numbers, from 1."""
        return range(1, len(self.weights) + 1)

    @property
    def letters(self) -> list[str]:
        return [letter(variant) for variant in self.variants]

    def variant_of(self, person: int) -> int:
        """That of a person before a winner is chosen; 0 for those who wait, or get nothing."""
        return max(0, lot_of(self.shares, self.campaign_id, person))

    def keeps_waiting(self, person: int) -> bool:
        """Whether it is still open which variant this person gets."""
        return self.winner is None and lot_of(self.shares, self.campaign_id, person) == WAITS

    @property
    def waits(self) -> bool:
        """Whether some people get nothing before a winner is chosen."""
        return self.tested < 100

    @property
    def words(self) -> str:
        """A 50 %, B 50 %."""
        return ", ".join(f"{letter(n)} {weight} %" for n, weight in enumerate(self.weights, 1))

    def due_at(self, launched_at: datetime) -> datetime | None:
        """When the rule chooses; None where a person does."""
        return launched_at + timedelta(hours=self.after_hours) if self.measure else None
