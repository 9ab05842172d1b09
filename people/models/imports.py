"""Lists that were brought in, and what became of each of their rows."""

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now

from accounts.models import User, Workspace
from people.models.person import Group, Recipient


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
