"""To whom: the people of a workspace, how they can be reached, and the groups they are in."""

from django.contrib.postgres.indexes import OpClass
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Lower, Now

from accounts.models import User, Workspace

STANDARD_FIELDS = ("first_name", "last_name", "location", "preferred_product", "phone", "email")


class Group(models.Model):
    """A named set of people."""

    workspace = models.ForeignKey(Workspace, models.CASCADE, related_name="groups")
    name = models.CharField(max_length=100)
    description = models.CharField(max_length=300, blank=True)
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        ordering = ["name"]
        constraints = [models.UniqueConstraint("workspace", Lower("name"), name="group_name_once")]

    def __str__(self) -> str:
        return self.name


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
    opted_out = models.BooleanField(default=False)
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
            # What the search box looks in: beginnings of words, whatever the collation of the database.
            models.Index("workspace", OpClass(Lower("email"), "text_pattern_ops"), name="email_begins"),
            models.Index("workspace", OpClass("phone", "varchar_pattern_ops"), name="phone_begins"),
            models.Index("workspace", OpClass(Lower("first_name"), "text_pattern_ops"), name="first_name_begins"),
            models.Index("workspace", OpClass(Lower("last_name"), "text_pattern_ops"), name="last_name_begins"),
        ]

    def __str__(self) -> str:
        return self.full_name or self.email or self.phone

    @property
    def audit_name(self) -> str:
        return f"person {self.pk}"

    @property
    def full_name(self) -> str:
        return f"{self.first_name} {self.last_name}".strip()


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
    return [*STANDARD_FIELDS, *workspace.attribute_names.order_by("name").values_list("name", flat=True)]


class Import(models.Model):
    """One uploaded or pasted list and what became of each of its rows."""

    class Status(models.IntegerChoices):
        WAITING = 1, "waiting"
        RUNNING = 2, "running"
        DONE = 3, "done"
        FAILED = 4, "failed"

    workspace = models.ForeignKey(Workspace, models.CASCADE, related_name="imports")
    name = models.CharField(max_length=200)
    source = models.TextField(blank=True)
    group = models.ForeignKey(Group, models.SET_NULL, null=True, blank=True, related_name="+")
    status = models.SmallIntegerField(choices=Status, default=Status.WAITING)
    expected = models.PositiveIntegerField("rows of the list", default=0)
    rows = models.PositiveIntegerField("rows with a verdict", default=0)
    created = models.PositiveIntegerField(default=0)
    updated = models.PositiveIntegerField(default=0)
    unchanged = models.PositiveIntegerField(default=0)
    rejected = models.PositiveIntegerField(default=0)
    note = models.CharField(max_length=300, blank=True)
    error = models.CharField(max_length=300, blank=True)
    by = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    moved_at = models.DateTimeField(db_default=Now(), editable=False)
    finished_at = models.DateTimeField(null=True, editable=False)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(rows=F("created") + F("updated") + F("unchanged") + F("rejected")),
                name="every_row_has_a_verdict",
            ),
        ]
        indexes = [models.Index(fields=["moved_at"], condition=Q(status__in=[1, 2]), name="import_unfinished")]

    def __str__(self) -> str:
        return self.name

    @property
    def is_open(self) -> bool:
        return self.status in (Import.Status.WAITING, Import.Status.RUNNING)

    @property
    def percent(self) -> int:
        return self.rows * 100 // self.expected if self.expected else 0

    @property
    def shares(self) -> list[tuple[str, str]]:
        """The parts of the bar, brought in and rejected: the letter of the stylesheet and the width."""
        counts = (("s", self.rows - self.rejected), ("f", self.rejected))
        return [(letter, f"{100 * n / max(n, self.expected):.2f}%" if n else "0%") for letter, n in counts]


class ImportRow(models.Model):
    """The verdict on one row of an import. Several rows may stand on one line of the list."""

    class Verdict(models.IntegerChoices):
        CREATED = 1, "created"
        UPDATED = 2, "updated"
        UNCHANGED = 3, "unchanged"
        REJECTED = 4, "rejected"

    upload = models.ForeignKey(Import, models.CASCADE, related_name="verdicts", db_index=False)
    number = models.PositiveIntegerField()
    line = models.PositiveIntegerField()
    verdict = models.SmallIntegerField(choices=Verdict)
    address = models.CharField(max_length=254)
    reason = models.CharField(max_length=200, blank=True)
    # No more than a note of who it was: the person may be erased, and the verdict stays.
    recipient = models.ForeignKey(
        Recipient, models.DO_NOTHING, null=True, related_name="+", db_index=False, db_constraint=False
    )

    class Meta:
        constraints = [models.UniqueConstraint(fields=["upload", "number"], name="import_row_once")]

    def __str__(self) -> str:
        return f"line {self.line}: {self.get_verdict_display()}"
