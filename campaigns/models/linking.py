"""Addresses that a program named for a campaign, while it is looked up who has them."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from accounts.models import ApiKey
from campaigns.models.campaign import Campaign


class Linking(models.Model):
    """How far the addresses named for a campaign have become people of its audience; forgotten when all have."""

    campaign = models.OneToOneField(Campaign, models.CASCADE, related_name="linking")
    key = models.ForeignKey(ApiKey, models.SET_NULL, null=True, related_name="+")
    addresses = ArrayField(models.TextField(blank=True), default=list)  # as they came; empty once all are linked
    total = models.IntegerField()
    up_to = models.IntegerField("addresses looked at", default=0)
    linked = models.IntegerField("of them, people of the audience now", default=0)
    skipped = models.IntegerField("opted out, erased, or named before", default=0)
    wrong = models.IntegerField("no email addresses", default=0)
    errors = models.JSONField("the first of them, and why", default=list)
    moved_at = models.DateTimeField(db_default=Now(), editable=False)
    done_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(up_to=models.F("linked") + models.F("skipped") + models.F("wrong")),
                name="every_address_is_accounted_for",
            ),
        ]
        indexes = [models.Index(fields=["moved_at"], condition=Q(done_at=None), name="linking_unfinished")]

    def __str__(self) -> str:
        return f"{self.up_to:,} of {self.total:,} addresses"

    @property
    def waiting(self) -> int:
        return self.total - self.up_to
