"""By whom and how fast a workspace writes, and how the processes that see to it get on."""

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from accounts.models import Workspace
from people.channels import Channel


class ChosenSender(models.Model):
    """By which sender a workspace writes on a channel, in whose name, and with what settings of that sender."""

    workspace = models.ForeignKey(Workspace, models.CASCADE, related_name="chosen_senders")
    channel = models.SmallIntegerField(choices=Channel)
    sender = models.CharField(max_length=40)
    from_name = models.CharField("sender's name", max_length=100, blank=True)
    from_address = models.CharField("sender's address", max_length=320, blank=True)
    options = models.JSONField(default=dict, blank=True)  # each sender says what it takes; secrets are encrypted
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["workspace", "channel"], name="one_sender_a_channel")]

    def __str__(self) -> str:
        return f"{self.sender} for {self.get_channel_display()} of {self.workspace}"


class Pace(models.Model):
    """How fast one workspace may hand over to one sender: a bucket of tokens that survives an emptied Redis."""

    workspace = models.ForeignKey(Workspace, models.CASCADE, related_name="paces")
    sender = models.CharField(max_length=40)
    channel = models.SmallIntegerField(choices=Channel)
    limit = models.FloatField("messages per second, at most", null=True, blank=True)
    rate = models.FloatField("messages per second, now", null=True, editable=False)
    tokens = models.FloatField(default=0, editable=False)
    refilled_at = models.DateTimeField(db_default=Now(), editable=False)
    closed_until = models.DateTimeField(null=True, editable=False)
    slowed_at = models.DateTimeField(null=True, editable=False)
    trouble = models.CharField("why the sender cannot be reached", max_length=300, db_default="", editable=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["workspace", "channel", "sender"], name="pace_once"),
            models.CheckConstraint(condition=Q(limit__isnull=True) | Q(limit__gt=0), name="limit_above_zero"),
        ]

    def __str__(self) -> str:
        return f"{self.sender} of {self.workspace}"


class Heartbeat(models.Model):
    """When a process that has no other way to show its life was last heard of."""

    name = models.CharField(max_length=100, primary_key=True)
    at = models.DateTimeField(db_default=Now())

    def __str__(self) -> str:
        return f"{self.name} at {self.at}"


class Bookmark(models.Model):
    """How far something that goes over a growing table has come."""

    name = models.CharField(max_length=40, primary_key=True)
    last = models.BigIntegerField()

    def __str__(self) -> str:
        return f"{self.name} up to {self.last}"
