"""Tests of campaigns, outside the books."""

from django.db import models
from django.db.models import F
from django.db.models.functions import Now

from accounts.models import ApiKey, User, Workspace
from campaigns.models import Campaign
from people.channels import Channel


class Trial(models.Model):
    """A test of a campaign to one address: noted before it is handed over, forgotten after a month."""

    class Outcome(models.IntegerChoices):
        NOT_HEARD = 0, "not heard"
        ACCEPTED = 1, "accepted"
        REFUSED = 2, "refused"

    workspace = models.ForeignKey(Workspace, models.CASCADE, related_name="trials")
    campaign = models.ForeignKey(Campaign, models.SET_NULL, null=True, related_name="trials")
    by = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")
    key = models.ForeignKey(ApiKey, models.SET_NULL, null=True, related_name="+")
    channel = models.SmallIntegerField(choices=Channel)
    address = models.CharField(max_length=320)
    outcome = models.SmallIntegerField(choices=Outcome, default=Outcome.NOT_HEARD)
    sentence = models.CharField("what became of it, in words", max_length=400, blank=True)
    at = models.DateTimeField(db_default=Now(), editable=False)  # the same of all that were sent together

    class Meta:
        indexes = [
            models.Index("workspace", F("at").desc(), name="trial_lately"),
            models.Index(fields=["at"], name="trial_old"),
        ]

    def __str__(self) -> str:
        return f"{self.get_outcome_display()} at {self.at}"
