"""What is said: a campaign, its audience, and the history of its statuses."""

from django.core.validators import MaxLengthValidator
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now

from accounts.models import Actor, ApiKey, User, Workspace
from people.models import Group, Recipient


class IllegalMove(Exception):
    """The campaign cannot go where it was asked to go from where it is now."""

    def __init__(self, campaign: "Campaign", wanted: "Campaign.Status") -> None:
        self.campaign = campaign
        super().__init__(f"“{campaign}” is {campaign.get_status_display()} and cannot become {wanted.label}.")


class Channel(models.IntegerChoices):
    EMAIL = 1, "email"
    SMS = 2, "SMS"
    WHATSAPP = 3, "WhatsApp"

    @property
    def word(self) -> str:
        """The name programs use: email, sms, whatsapp."""
        return self.name.lower()

    @property
    def address_field(self) -> str:
        return "email" if self is Channel.EMAIL else "phone"


class Campaign(models.Model):
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
    subject = models.CharField(max_length=200, blank=True)
    body = models.TextField("message", validators=[MaxLengthValidator(100_000)])

    everyone = models.BooleanField("everyone in the workspace", default=False)
    groups = models.ManyToManyField(Group, related_name="campaigns", blank=True)
    picked = models.ManyToManyField(Recipient, related_name="picked_for", blank=True)
    excluded_groups = models.ManyToManyField(Group, related_name="excluded_from", blank=True)
    excluded = models.ManyToManyField(Recipient, related_name="excluded_from", blank=True)

    scheduled_at = models.DateTimeField(null=True, blank=True)
    frozen_up_to = models.BigIntegerField("last recipient frozen", default=0, editable=False)
    launched_at = models.DateTimeField(null=True, editable=False)
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
        ]
        constraints = [
            models.CheckConstraint(condition=~Q(status=2) | Q(scheduled_at__isnull=False), name="scheduled_has_a_time"),
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
    def channel_word(self) -> str:
        return Channel(self.channel).word

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
        if not self.everyone:
            in_group = Recipient.groups.through.objects.filter(group__in=self.groups.all())
            picked = Campaign.picked.through.objects.filter(campaign=self)
            people = people.filter(Q(pk__in=in_group.values("recipient")) | Q(pk__in=picked.values("recipient")))
        return people

    def audience(self) -> models.QuerySet[Recipient]:
        """The people it is for, whether or not they can be written to: the chosen ones without the excluded."""
        left_out = Recipient.groups.through.objects.filter(group__in=self.excluded_groups.all())
        excluded = Campaign.excluded.through.objects.filter(campaign=self)
        people = self.chosen().exclude(pk__in=left_out.values("recipient"))
        return people.exclude(pk__in=excluded.values("recipient"))

    @property
    def audience_words(self) -> str:
        """Who is chosen, in words and without counting a million rows."""
        if self.everyone:
            chosen = ["everyone"]
        else:
            chosen = [group.name for group in self.groups.all()]
            if picked := self.picked.count():
                chosen.append(f"{picked:,} picked by hand")
        words = listed(chosen) or "no people chosen yet"
        without = [group.name for group in self.excluded_groups.all()]
        if excluded := self.excluded.count():
            without.append("1 person" if excluded == 1 else f"{excluded:,} people")
        return f"{words}, without {listed(without)}" if without else words


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
