"""The ledger: what was handed over to whom, and what became of it. Written by freeze, the engine and rewrite only."""

import uuid

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now

from accounts.models import User
from campaigns.models import Campaign
from dispatcher.models.reasons import Category, SkipReason
from people.models import Recipient


def zeros(length: int) -> list[int]:
    return [0] * length


def no_failures() -> list[int]:
    return zeros(len(Category))


def no_skips() -> list[int]:
    return zeros(len(SkipReason))


class Batch(models.Model):
    """A fixed slice of a campaign's audience, by message number: what a worker leases. Carries its own books."""

    campaign = models.ForeignKey(Campaign, models.CASCADE, related_name="batches", db_index=False)
    first = models.IntegerField()
    last = models.IntegerField()
    variant = models.SmallIntegerField("of all its messages; 0 for none", db_default=0)
    is_rest = models.BooleanField("of those who wait for the winner, or got it", db_default=False)

    # Claimable when past, the end of the lease while owned, null once closed.
    due_at = models.DateTimeField(null=True)
    epoch = models.IntegerField(default=0)
    owner = models.CharField(max_length=100, blank=True)
    pass_no = models.IntegerField("pass", default=0)
    handed_up_to = models.IntegerField(default=0)
    first_intent_at = models.DateTimeField(null=True)
    in_flight = models.IntegerField(default=0)
    lapses = models.IntegerField(default=0)
    account = models.CharField("sender and account it was handed to last", max_length=64, blank=True, db_default="")
    changed_hands = models.BooleanField("handed over to several accounts", db_default=False)
    settled_at = models.DateTimeField(null=True)

    total = models.IntegerField()
    pending = models.IntegerField()
    sent = models.IntegerField(default=0)
    failed = models.IntegerField(default=0)
    skipped = models.IntegerField(default=0)
    cancelled = models.IntegerField(default=0)
    unknown = models.IntegerField(default=0)
    failed_by = ArrayField(models.IntegerField(), default=no_failures)
    skipped_by = ArrayField(models.IntegerField(), default=no_skips)

    class Meta:
        verbose_name_plural = "batches"
        constraints = [
            models.UniqueConstraint(fields=["campaign", "first"], name="batch_once"),
            models.CheckConstraint(
                condition=Q(
                    total=F("pending") + F("sent") + F("failed") + F("skipped") + F("cancelled") + F("unknown")
                ),
                name="books_balance",
            ),
            models.CheckConstraint(
                condition=Q(
                    pending__gte=0,
                    sent__gte=0,
                    failed__gte=0,
                    skipped__gte=0,
                    cancelled__gte=0,
                    unknown__gte=0,
                ),
                name="no_count_below_zero",
            ),
            models.CheckConstraint(
                condition=Q(due_at__isnull=False) | Q(pending=0), name="closed_batch_has_nothing_pending"
            ),
        ]
        indexes = [
            models.Index(fields=["campaign", "due_at"], condition=Q(due_at__isnull=False), name="batch_open"),
        ]

    def __str__(self) -> str:
        return f"{self.campaign_id}: {self.first} to {self.last}"


class Message(models.Model):
    """One campaign to one recipient: the row that says what became of it. Numbered within its campaign."""

    class Status(models.IntegerChoices):
        PENDING = 1, "pending"
        SENT = 2, "sent"
        FAILED = 3, "failed"
        SKIPPED = 4, "skipped"
        CANCELLED = 5, "cancelled"
        UNKNOWN = 6, "unknown"

    class Delivery(models.IntegerChoices):
        """Later news from the provider; it only rises in rank."""

        NONE = 0, "none"
        DELIVERED = 1, "delivered"
        BOUNCED = 2, "bounced"
        COMPLAINED = 3, "complained"
        READ = 4, "read"

    campaign = models.ForeignKey(Campaign, models.CASCADE, related_name="messages", db_index=False)
    recipient = models.ForeignKey(Recipient, models.SET_NULL, null=True, related_name="messages", db_index=False)
    number = models.IntegerField()
    key = models.UUIDField(default=uuid.uuid4)
    address = models.CharField(max_length=320, null=True)  # noqa: DJ001 - null leaves the unique index, '' would not
    fields = models.JSONField(default=dict)
    variant = models.SmallIntegerField("which words, 1 is A; 0 where there is but one", db_default=0)
    digest = models.BigIntegerField("of the words that were sent", null=True, editable=False)

    status = models.SmallIntegerField(choices=Status, default=Status.PENDING)
    # Settled hand-overs since the launch; those whose `tries` is the batch's pass are its next, or suspects.
    tries = models.IntegerField(default=0)
    retry_count = models.SmallIntegerField(default=0)
    in_doubt_since = models.DateTimeField(null=True)
    doubt_of_old_key = models.BooleanField(default=False)
    gives_up_at = models.DateTimeField(null=True)
    category = models.SmallIntegerField(choices=Category, null=True)
    skip_reason = models.SmallIntegerField(choices=SkipReason, null=True)
    last_error = models.CharField(max_length=300, blank=True)
    provider_id = models.CharField(max_length=200, blank=True)
    assumed = models.BooleanField("delivery was assumed by a person", default=False)
    delivery = models.SmallIntegerField(choices=Delivery, default=Delivery.NONE)

    created_at = models.DateTimeField(db_default=Now(), editable=False)
    updated_at = models.DateTimeField(db_default=Now(), editable=False)
    sent_at = models.DateTimeField(null=True)

    class Meta:
        # No index on anything that changes: settling must stay a heap-only update. Pages of one status
        # find their rows through the counters of the batches (ledger.py).
        constraints = [
            models.UniqueConstraint(fields=["campaign", "number"], name="message_number_once"),
            models.UniqueConstraint(fields=["recipient", "campaign"], name="message_once"),
            models.UniqueConstraint(fields=["campaign", "address"], name="address_once"),
            models.CheckConstraint(condition=~Q(status=3) | Q(category__isnull=False), name="failed_has_category"),
            models.CheckConstraint(condition=~Q(status=4) | Q(skip_reason__isnull=False), name="skipped_has_reason"),
        ]

    def __str__(self) -> str:
        return f"{self.campaign_id}/{self.number}"

    @property
    def is_in_doubt(self) -> bool:
        return self.in_doubt_since is not None or self.doubt_of_old_key


class Attempt(models.Model):
    """A try that did not succeed: when, with which key, and what was heard."""

    class Outcome(models.IntegerChoices):
        BUSY = 1, "busy"
        REFUSED = 2, "refused"
        UNSURE = 3, "unsure"

    message = models.ForeignKey(Message, models.CASCADE, related_name="attempts")
    key = models.UUIDField()
    outcome = models.SmallIntegerField(choices=Outcome)
    category = models.SmallIntegerField(choices=Category)
    error = models.CharField(max_length=300, blank=True)
    at = models.DateTimeField(db_default=Now(), editable=False)

    def __str__(self) -> str:
        return f"{self.get_outcome_display()} at {self.at}"


class Settlement(models.Model):
    """How many outcomes one settle wrote: appended, read for the speed, forgotten after an hour."""

    campaign = models.ForeignKey(Campaign, models.CASCADE, related_name="+", db_index=False)
    at = models.DateTimeField(db_default=Now())
    settled = models.IntegerField()
    helped = models.IntegerField("sent by a try after the first", db_default=0)
    lapses = models.IntegerField("leases taken over from a worker that was lost", db_default=0)
    heard = models.BooleanField("an answer of the provider was among them", db_default=False)
    silence = models.IntegerField("answers never heard, after the last that was", db_default=0)

    class Meta:
        indexes = [models.Index(fields=["campaign", "at"], name="settlement_lately")]

    def __str__(self) -> str:
        return f"{self.settled} at {self.at}"


class Dismissal(models.Model):
    """Somebody has seen these failures and wants nothing done: they leave the list of dead letters, not the books."""

    campaign = models.ForeignKey(Campaign, models.CASCADE, related_name="dismissals")
    category = models.SmallIntegerField(choices=Category)
    at = models.DateTimeField(db_default=Now(), editable=False)  # failures up to here are dismissed
    count = models.IntegerField("how many of the failures of this cause", db_default=0)
    by = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["campaign", "category"], name="dismissed_once")]

    def __str__(self) -> str:
        return f"{self.get_category_display()} of campaign {self.campaign_id}"
