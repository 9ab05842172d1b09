"""The people of a workspace, how they can be reached, and the groups they are in."""

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import OpClass
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower, Now

from accounts.models import Workspace
from people.channels import Channel
from people.folding import Folded, is_accented

STANDARD_FIELDS = ("first_name", "last_name", "location", "preferred_product", "phone", "email")
UNSUBSCRIBE_LINK = "unsubscribe_link"  # what a text asks for it by


class Group(models.Model):
    """A named set of people."""

    workspace = models.ForeignKey(Workspace, models.CASCADE, related_name="groups")
    name = models.CharField(max_length=100)
    description = models.CharField(max_length=300, blank=True)
    # Those of its people who look at what they get see it under these words, and may leave it.
    is_public = models.BooleanField("shown to its people", default=False, db_default=False)
    public_name = models.CharField(max_length=100, blank=True, db_default="")
    public_description = models.CharField(max_length=300, blank=True, db_default="")
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        ordering = ["name"]
        constraints = [models.UniqueConstraint("workspace", Lower("name"), name="group_name_once")]

    def __str__(self) -> str:
        return self.name

    @property
    def shown_name(self) -> str:
        """What its people read."""
        return self.public_name or self.name


class Recipient(models.Model):
    """A person who can be written to: by email, by phone, or both. Addresses are stored normalised."""

    workspace = models.ForeignKey(Workspace, models.CASCADE, related_name="recipients")
    email = models.EmailField(max_length=254, blank=True)
    phone = models.CharField(max_length=16, blank=True)
    first_name = models.CharField(max_length=100, blank=True)
    last_name = models.CharField(max_length=100, blank=True)
    location = models.CharField(max_length=100, blank=True)
    preferred_product = models.CharField(max_length=100, blank=True)
    attributes = models.JSONField(default=dict, blank=True)
    # What follows from the events of consent and from the suppression list, kept here so that a hand-over can ask.
    opted_out = models.BooleanField("wants nothing on any channel", default=False, db_default=False)
    refused_channels = ArrayField(
        models.SmallIntegerField(choices=Channel), default=list, db_default=models.Value([]), blank=True
    )
    email_suppressed = models.BooleanField(default=False, db_default=False)
    phone_suppressed = models.BooleanField(default=False, db_default=False)
    groups = models.ManyToManyField(Group, related_name="recipients", blank=True)
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = [
            models.UniqueConstraint("workspace", Lower("email"), condition=~Q(email=""), name="email_once"),
            models.UniqueConstraint(fields=["workspace", "phone"], condition=~Q(phone=""), name="phone_once"),
            models.CheckConstraint(condition=~Q(email="", phone=""), name="recipient_can_be_reached"),
        ]
        indexes = [
            models.Index(fields=["workspace", "id"], name="recipient_page"),
            # The rare ones a list may be asked for: they cost nothing to write of anybody else.
            models.Index(fields=["workspace", "id"], condition=Q(opted_out=True), name="opted_out_page"),
            models.Index(
                fields=["workspace", "id"],
                condition=Q(opted_out=False) & ~Q(refused_channels=[]),
                name="refused_channels_page",
            ),
            models.Index(
                fields=["workspace", "id"],
                condition=Q(email_suppressed=True) | Q(phone_suppressed=True),
                name="suppressed_page",
            ),
            # What the search box looks in: beginnings of words, whatever the collation of the database.
            models.Index("workspace", OpClass(Lower("email"), "text_pattern_ops"), name="email_begins"),
            models.Index("workspace", OpClass("phone", "varchar_pattern_ops"), name="phone_begins"),
            models.Index("workspace", OpClass(Lower("first_name"), "text_pattern_ops"), name="first_name_begins"),
            models.Index("workspace", OpClass(Lower("last_name"), "text_pattern_ops"), name="last_name_begins"),
            *(
                models.Index(
                    "workspace",
                    OpClass(Folded(name), "text_pattern_ops"),
                    condition=is_accented(name),
                    name=f"{name}_folded",
                )
                for name in ("first_name", "last_name")
            ),
        ]

    def __str__(self) -> str:
        return self.full_name or self.email or self.phone

    @property
    def audit_name(self) -> str:
        return f"person {self.pk}"

    def refuses(self, channel: Channel) -> bool:
        return self.opted_out or channel in self.refused_channels

    @property
    def objections(self) -> str:
        """What stands in the way of writing to the person, in words; empty if nothing does."""
        if self.opted_out:
            return "opted out"
        refused = [f"no {Channel(channel).label}" for channel in self.refused_channels]
        suppressed = [
            f"{name} suppressed"
            for name in ("email", "phone")
            if getattr(self, name) and getattr(self, f"{name}_suppressed")
        ]
        return ", ".join(refused + suppressed)

    @property
    def full_name(self) -> str:
        return f"{self.first_name} {self.last_name}".strip()


MEMBERSHIP = Recipient.groups.through


class AttributeName(models.Model):
    """The name of a free attribute some recipient of the workspace has: what a text may ask for."""

    workspace = models.ForeignKey(Workspace, models.CASCADE, related_name="attribute_names")
    name = models.CharField(max_length=40)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["workspace", "name"], name="attribute_name_once")]

    def __str__(self) -> str:
        return self.name


def placeholders_of(workspace: Workspace) -> list[str]:
    """The names a campaign's text may ask for in this workspace."""
    attributes = workspace.attribute_names.order_by("name").values_list("name", flat=True)
    return [*STANDARD_FIELDS, *attributes, UNSUBSCRIBE_LINK]
