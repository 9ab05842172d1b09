"""Dry runs: what a launch would do, found out without handing anything over."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from accounts.models import User
from campaigns.models import Campaign
from campaigns.price import Price
from campaigns.templated import Misfits
from campaigns.weighing import Weighed
from dispatcher.models.ledger import no_skips
from dispatcher.models.reasons import SkipReason


class DryRun(models.Model):
    """One dry run of a campaign, as far as it has come: everybody up to the person `up_to` is in its counts.

    `words` and `people` are seals of what it looked at: what was changed since has another one.
    """

    class State(models.IntegerChoices):
        RUNNING = 1, "running"
        DONE = 2, "done"
        OVERTAKEN = 3, "overtaken"  # by another text, or by the launch
        FAILED = 4, "failed"

    campaign = models.ForeignKey(Campaign, models.CASCADE, related_name="dry_runs")
    by = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")
    state = models.SmallIntegerField(choices=State, default=State.RUNNING)
    words = models.CharField(max_length=64)
    people = models.CharField(max_length=64, blank=True)
    expected = models.IntegerField("people to look at", null=True)
    up_to = models.BigIntegerField("last person looked at", default=0)
    looked_at = models.IntegerField("people looked at", default=0)
    skipped_by = ArrayField(models.IntegerField(), default=no_skips)
    weighed = models.JSONField(default=dict)
    unfitting = models.JSONField(default=dict, db_default={})  # whom WhatsApp would refuse the template
    # At what price and within what time, as far as that could be known then.
    amount = models.DecimalField(max_digits=20, decimal_places=6, null=True)
    currency = models.CharField(max_length=3, blank=True, db_default="")
    seconds = models.FloatField(null=True)
    begun_at = models.DateTimeField(db_default=Now(), editable=False)
    moved_at = models.DateTimeField(db_default=Now(), editable=False)
    ended_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["campaign"], condition=Q(state=1), name="one_dry_run_at_a_time"),
        ]
        indexes = [models.Index(fields=["moved_at"], condition=Q(state=1), name="dry_run_unfinished")]

    def __str__(self) -> str:
        return f"{self.get_state_display()}, {self.looked_at} looked at"

    @property
    def is_running(self) -> bool:
        return self.state == DryRun.State.RUNNING

    @property
    def reached(self) -> int:
        return self.looked_at - sum(self.skipped_by)

    @property
    def skips(self) -> dict[SkipReason, int]:
        """How many are left out by each reason; reasons that came later count nobody."""
        counts = [*self.skipped_by, *no_skips()]
        return {reason: counts[reason - 1] for reason in SkipReason}

    @property
    def price(self) -> Price | None:
        return None if self.amount is None else Price(self.amount, self.currency)

    @property
    def misfits(self) -> Misfits:
        return Misfits.of_json(self.unfitting) if self.unfitting else Misfits()

    @property
    def weights(self) -> Weighed:
        return Weighed.of_json(self.weighed) if self.weighed else Weighed()
