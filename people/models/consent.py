"""What people wish: every opt-out and opt-in as it came, and the addresses nobody may write to."""

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now

from accounts.models import ApiKey, User, Workspace
from people.channels import Channel
from people.models.person import Group, Recipient


class ConsentEvent(models.Model):
    """One wish as it came; appended and never changed. What holds now is kept on the person."""

    class Wish(models.IntegerChoices):
        OUT = 1, "opted out"
        IN = 2, "opted in"

    class How(models.IntegerChoices):
        PREFERENCES = 1, "on the preference page"
        ONE_CLICK = 2, "by one-click unsubscribe"
        REPLY = 3, "by a reply"
        COMPLAINT = 4, "by a complaint to the provider"
        IMPORT = 5, "by an import"
        API = 6, "over the API"
        COLLEAGUE = 7, "through a colleague"

    workspace = models.ForeignKey(Workspace, models.CASCADE, related_name="consent_events")
    recipient = models.ForeignKey(Recipient, models.SET_NULL, null=True, related_name="consent_events")
    wish = models.SmallIntegerField(choices=Wish)
    channel = models.SmallIntegerField(choices=Channel, null=True)  # None: every channel
    group = models.ForeignKey(Group, models.SET_NULL, null=True, related_name="+")  # the wish is about it alone
    # Said apart, as the wish stays what it was when the group is deleted.
    is_about_a_group = models.BooleanField(default=False, db_default=False)
    how = models.SmallIntegerField(choices=How)
    reason = models.CharField(max_length=300, blank=True)
    evidence = models.JSONField(default=dict, db_default=models.Value({}, models.JSONField()), blank=True)
    by = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")
    key = models.ForeignKey(ApiKey, models.SET_NULL, null=True, related_name="+")
    at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        indexes = [
            models.Index("recipient", F("id").desc(), name="consent_of_a_person"),
            models.Index("workspace", F("id").desc(), name="consent_of_a_workspace"),
        ]

    def __str__(self) -> str:
        return f"{self.get_wish_display()} {self.get_how_display()}"


class LeftGroup(models.Model):
    """Somebody asked not to be in this group any more; nobody else puts them into it again."""

    recipient = models.ForeignKey(Recipient, models.CASCADE, related_name="left_groups")
    group = models.ForeignKey(Group, models.CASCADE, related_name="left_by")
    at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["recipient", "group"], name="group_left_once")]

    def __str__(self) -> str:
        return f"person {self.recipient_id} left group {self.group_id}"


class Suppression(models.Model):
    """An address the workspace writes to no more, whoever it belongs to. Of erased people only the digest is kept."""

    class Reason(models.IntegerChoices):
        ERASED = 1, "asked to be erased"
        COMPLAINED = 2, "complained"
        BOUNCED = 3, "bounced"
        IMPORTED = 4, "on an imported suppression list"
        ADDED = 5, "added by a colleague"
        STOPPED = 6, "replied with a word for stop, and nobody here had the number"
        OPTED_OUT = 7, "opted out, and its owner has another one here now"

    workspace = models.ForeignKey(Workspace, models.CASCADE, related_name="suppressions")
    digest = models.BinaryField(max_length=32)  # of people.suppression.digest_of
    address = models.CharField(max_length=254, blank=True)
    is_phone = models.BooleanField("a phone number, where that is known", null=True)
    reason = models.SmallIntegerField(choices=Reason)
    note = models.CharField(max_length=300, blank=True)
    by = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["workspace", "digest"], name="suppressed_once"),
            models.CheckConstraint(condition=~Q(reason=1) | Q(address=""), name="an_erased_address_is_not_kept"),
        ]
        indexes = [models.Index("workspace", F("id").desc(), name="suppression_page")]

    def __str__(self) -> str:
        return self.address or f"{self.kind} that is not kept"

    @property
    def kind(self) -> str:
        if self.is_phone is None:
            return "an address"
        return "a phone number" if self.is_phone else "an email address"

    @property
    def audit_name(self) -> str:
        return f"suppression {self.pk}"


class SuppressionKey(models.Model):
    """Tells the key with which the digests of the list are made from any other, and nothing else of it: one row."""

    digest = models.BinaryField(max_length=32)

    def __str__(self) -> str:
        return "the key of the suppression list"


class ListLook(models.Model):
    """That everybody of a workspace is being compared with its suppression list, and up to whom they were."""

    workspace = models.OneToOneField(Workspace, models.CASCADE, primary_key=True, related_name="+")
    up_to = models.BigIntegerField(default=0)
    moved_at = models.DateTimeField(db_default=Now())

    def __str__(self) -> str:
        return f"workspace {self.workspace_id}, up to person {self.up_to}"


class ConsentSettings(models.Model):
    """What a workspace has chosen about wishes; a workspace without a row has chosen nothing."""

    workspace = models.OneToOneField(Workspace, models.CASCADE, primary_key=True, related_name="consent_settings")
    sms_link = models.BooleanField("adds the link to each SMS", default=True, db_default=True)
    whatsapp_link = models.BooleanField("adds the link to each WhatsApp message", default=False, db_default=False)
    words = models.JSONField("words of replies that differ from the usual ones", default=dict, blank=True)

    def __str__(self) -> str:
        return f"consent settings of {self.workspace}"

    @classmethod
    def of(cls, workspace: Workspace) -> "ConsentSettings":
        return cls.objects.filter(workspace=workspace).first() or cls(workspace=workspace)

    def adds_link_to(self, channel: Channel) -> bool:
        return {Channel.SMS: self.sms_link, Channel.WHATSAPP: self.whatsapp_link}.get(channel, True)


class Reply(models.Model):
    """What somebody answered to a message, and what was understood of it."""

    class Meaning(models.IntegerChoices):
        NONE = 0, "nothing we know"
        STOP = 1, "stop"
        START = 2, "start"
        HELP = 3, "help"

    workspace = models.ForeignKey(Workspace, models.CASCADE, related_name="replies")
    recipient = models.ForeignKey(Recipient, models.SET_NULL, null=True, related_name="replies")
    channel = models.SmallIntegerField(choices=Channel)
    number = models.CharField(max_length=16)
    text = models.CharField(max_length=1600, blank=True)
    meaning = models.SmallIntegerField(choices=Meaning, default=Meaning.NONE)
    provider_id = models.CharField(max_length=200, blank=True)
    by = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")
    key = models.ForeignKey(ApiKey, models.SET_NULL, null=True, related_name="+")
    at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        verbose_name_plural = "replies"
        constraints = [
            models.UniqueConstraint(
                fields=["workspace", "provider_id"], condition=~Q(provider_id=""), name="reply_received_once"
            ),
        ]
        indexes = [
            models.Index("workspace", F("id").desc(), name="reply_page"),
            models.Index("workspace", "meaning", F("id").desc(), name="reply_page_of_a_kind"),
            models.Index(fields=["recipient"], name="replies_of_a_person"),
        ]

    def __str__(self) -> str:
        return f"reply {self.pk} by {self.get_channel_display()}"
