"""The ledger: what was handed over to whom, and what became of it. Written by freeze, the engine and rewrite only."""

import uuid

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now

from accounts.models import User, Workspace
from campaigns.models import Campaign
from people.channels import Channel
from people.models import Recipient


class Category(models.IntegerChoices):
    """Why a message failed; the number is its place in `Batch.failed_by`."""

    INVALID_ADDRESS = 1, "invalid_address"
    BOUNCED = 2, "bounced"
    REJECTED = 3, "rejected"
    RATE_LIMITED = 4, "rate_limited"
    PROVIDER_DOWN = 5, "provider_down"
    TIMEOUT = 6, "timeout"
    NETWORK = 7, "network"
    TEMPLATE_ERROR = 8, "template_error"
    NO_CREDIT = 9, "no_credit"
    OTHER = 10, "other"


class SkipReason(models.IntegerChoices):
    """Why somebody was deliberately not written to; the number is its place in `Batch.skipped_by`."""

    OPTED_OUT = 1, "opted_out"
    SUPPRESSED = 2, "suppressed"
    DUPLICATE_ADDRESS = 3, "duplicate_address"
    NO_ADDRESS = 4, "no_address"
    INVALID_ADDRESS = 5, "invalid_address"
    ERASED = 6, "erased"
    EXPIRED = 7, "expired"


# For people: what happened, what to do about it, and whether trying again can help.
CATEGORY_WORDS = {
    Category.INVALID_ADDRESS: (
        "Address cannot be reached",
        "Trying again rarely helps; correct the address first.",
        False,
    ),
    Category.BOUNCED: ("Mailbox does not exist", "Trying again rarely helps; correct the address first.", False),
    Category.REJECTED: (
        "Refused by the provider",
        "The provider did not want this message; see the error.",
        False,
    ),
    Category.RATE_LIMITED: ("Too fast for the provider", "Worth another try, more slowly.", True),
    Category.PROVIDER_DOWN: ("Provider not available", "Worth another try in a while.", True),
    Category.TIMEOUT: ("No answer in time", "Worth another try in a while.", True),
    Category.NETWORK: ("Connection failed", "Worth another try; check the network if it stays.", True),
    Category.TEMPLATE_ERROR: (
        "Text could not be filled in",
        "Mend the text in a copy of the campaign.",
        False,
    ),
    Category.NO_CREDIT: ("No credit left", "Top up, then try again.", True),
    Category.OTHER: ("Something unexpected", "See the error of the message.", True),
}
SKIP_WORDS = {
    SkipReason.OPTED_OUT: "opted out",
    SkipReason.SUPPRESSED: "on the suppression list",
    SkipReason.DUPLICATE_ADDRESS: "same address twice",
    SkipReason.NO_ADDRESS: "no address for this channel",
    SkipReason.INVALID_ADDRESS: "address cannot receive",
    SkipReason.ERASED: "erased on request",
    SkipReason.EXPIRED: "too late to send",
}


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


class MessageFile(models.Model):
    """A file that holds the messages of a campaign, or may: written here before it is, and until it is removed."""

    campaign = models.ForeignKey(Campaign, models.SET_NULL, null=True, related_name="files")
    name = models.CharField("path below ARCHIVE_DIR", max_length=100, unique=True)
    messages = models.IntegerField(default=0)
    attempts = models.IntegerField(default=0)
    calls = models.IntegerField("calls of the simulated provider", default=0)
    bytes = models.BigIntegerField(default=0)
    checksum = models.CharField("SHA-256", max_length=64, blank=True)
    noted_at = models.DateTimeField(db_default=Now(), editable=False)
    kept_at = models.DateTimeField(null=True)  # it was read back and is whole: from here on the file is the truth
    moved_at = models.DateTimeField(null=True)  # none of the rows is left in the tables
    dropped_at = models.DateTimeField(null=True)  # to be removed

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["campaign"], condition=Q(kept_at__isnull=False, dropped_at=None), name="one_file_a_campaign"
            ),
            models.CheckConstraint(condition=Q(kept_at=None) | ~Q(checksum=""), name="kept_file_has_a_checksum"),
            models.CheckConstraint(
                condition=Q(moved_at=None) | Q(kept_at__isnull=False), name="only_what_is_kept_is_moved"
            ),
        ]

    def __str__(self) -> str:
        return self.name


class Erasure(models.Model):
    """A person who was erased, by the number of the row that is gone, and how far everything is that tells of them."""

    workspace = models.ForeignKey(Workspace, models.CASCADE, related_name="erasures")
    person = models.BigIntegerField("number the person had")
    messages = models.IntegerField("messages that tell nothing of the person any more", default=0)
    in_hand = ArrayField(models.BigIntegerField(), verbose_name="messages that were waiting", default=list)
    by = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")
    at = models.DateTimeField(db_default=Now(), editable=False)
    looked_at = models.DateTimeField(db_default=Now(), editable=False)
    out_of_files_at = models.DateTimeField(null=True, editable=False)
    done_at = models.DateTimeField(null=True, editable=False)
    trouble = models.CharField("why a file could not be written anew", max_length=300, db_default="", editable=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["workspace", "person"], name="erased_once")]
        indexes = [
            models.Index("workspace", F("id").desc(), name="erasure_page"),
            models.Index(fields=["looked_at"], condition=Q(done_at=None), name="erasure_unfinished"),
        ]

    def __str__(self) -> str:
        return f"person {self.person}"


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


class LinkHit(models.Model):
    """That somebody, or a machine in their place, followed the link to unsubscribe of a message, and how often."""

    class Kind(models.IntegerChoices):
        MACHINE = 1, "opened by a machine"
        OPENED = 2, "opened by a person"
        ONE_CLICK = 3, "unsubscribed with one click"
        CONFIRMED = 4, "unsubscribed on the page"
        UNSUBSCRIBED = 5, "unsubscribed"

    campaign = models.ForeignKey(Campaign, models.CASCADE, related_name="link_hits", db_index=False)
    recipient = models.ForeignKey(Recipient, models.SET_NULL, null=True, related_name="+")
    kind = models.SmallIntegerField(choices=Kind)
    times = models.IntegerField()
    first_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["campaign", "recipient", "kind"], name="link_hit_once")]

    def __str__(self) -> str:
        return f"campaign {self.campaign_id}: {self.get_kind_display()}"


class LinkCount(models.Model):
    """How many people of a campaign, and how often: kept beside the hits, so that no page counts a million of them."""

    campaign = models.ForeignKey(Campaign, models.CASCADE, related_name="link_counts", db_index=False)
    kind = models.SmallIntegerField(choices=LinkHit.Kind)
    part = models.SmallIntegerField(default=0, db_default=0)  # the sum of all parts counts
    people = models.IntegerField()
    times = models.IntegerField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["campaign", "kind", "part"], name="link_count_once")]

    def __str__(self) -> str:
        return f"campaign {self.campaign_id}: {self.people} {self.get_kind_display()}"


class Bookmark(models.Model):
    """How far something that goes over a growing table has come."""

    name = models.CharField(max_length=40, primary_key=True)
    last = models.BigIntegerField()

    def __str__(self) -> str:
        return f"{self.name} up to {self.last}"
