"""What the simulated provider remembers: its own ledger, kept apart from ours; calls go only with a campaign."""

import uuid

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from accounts.models import Workspace


class Call(models.Model):
    """One message the provider accepted, or refused for good. Calls it could not take leave no trace."""

    key = models.UUIDField()
    honours_key = models.BooleanField()
    accepted = models.BooleanField()
    category = models.CharField(max_length=20, blank=True)
    provider_id = models.UUIDField(default=uuid.uuid4)
    channel = models.CharField(max_length=10)
    address = models.CharField(max_length=320)
    subject = models.TextField(blank=True)
    text = models.TextField()
    # A mail may have 100 kB of HTML and a million readers: what it was is told by this, and kept nowhere twice.
    html_digest = models.CharField("blake2b of its HTML", max_length=32, blank=True, db_default="")
    at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        constraints = [
            # With keys honoured the second call of a key finds the first; without, every call counts.
            models.UniqueConstraint(fields=["key"], condition=Q(honours_key=True), name="simulated_key_once"),
        ]
        indexes = [models.Index(fields=["key"], name="simulated_key")]

    def __str__(self) -> str:
        return f"{'accepted' if self.accepted else 'refused'} {self.key}"


class Outage(models.Model):
    """Until when the simulated provider of a workspace refuses everything, so that a bad day can be rehearsed."""

    workspace = models.OneToOneField(Workspace, models.CASCADE, primary_key=True, related_name="outage")
    until = models.DateTimeField()

    def __str__(self) -> str:
        return f"until {self.until}"
