"""Lists that were brought in, and what became of each of their rows."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now

from accounts.models import Actor, ApiKey, User, Workspace
from people.channels import Channel
from people.models.person import Group, Recipient


class Import(models.Model):
    """One uploaded or pasted list, what its columns are, and what became of each of its rows."""

    class Status(models.IntegerChoices):
        WAITING = 1, "waiting"
        RUNNING = 2, "running"
        DONE = 3, "done"
        FAILED = 4, "failed"
        UPLOADING = 5, "uploading"
        MAPPING = 6, "columns to choose"
        CHECKING = 7, "checking"
        CHECKED = 8, "checked"
        CANCELLED = 9, "cancelled"
        UNDOING = 10, "being undone"
        UNDONE = 11, "undone"
        LOOKING = 12, "being looked at"

    workspace = models.ForeignKey(Workspace, models.CASCADE, related_name="imports")
    name = models.CharField(max_length=200)
    groups = models.ManyToManyField(Group, related_name="+", blank=True)
    # Made when the import starts: a list that is cancelled before leaves none behind.
    new_group = models.CharField(max_length=100, blank=True, db_default="")
    status = models.SmallIntegerField(choices=Status, default=Status.UPLOADING)
    parts = models.PositiveIntegerField(default=0)
    size = models.PositiveIntegerField("bytes", default=0)
    announced = models.PositiveIntegerField("bytes that are to come", null=True, editable=False)
    digest = models.CharField(max_length=64, blank=True)
    titles = models.JSONField(default=list, blank=True)
    columns = models.JSONField(default=list, blank=True)
    first = models.JSONField("the first rows, until the import is over", default=list, blank=True)
    is_confirmed = models.BooleanField("to be carried out once it is checked", default=False)
    # How far it is: rows read from the list, rows looked up among the people, rows with a verdict.
    expected = models.PositiveIntegerField("rows of the list", default=0)
    is_read = models.BooleanField("read to its end", default=False)
    checked = models.PositiveIntegerField(default=0)
    forecast = models.JSONField(default=dict, blank=True)
    rows = models.PositiveIntegerField("rows with a verdict", default=0)
    created = models.PositiveIntegerField(default=0)
    updated = models.PositiveIntegerField(default=0)
    unchanged = models.PositiveIntegerField(default=0)
    rejected = models.PositiveIntegerField(default=0)
    partly = models.PositiveIntegerField("rows of which something was left out", default=0, db_default=0)
    # What undoing it came to, and how many rows, from the last one down, are not undone yet.
    not_undone = models.PositiveIntegerField(default=0)
    removed = models.PositiveIntegerField(default=0)
    restored = models.PositiveIntegerField(default=0)
    kept = models.PositiveIntegerField(default=0)
    note = models.CharField(max_length=300, blank=True)
    error = models.CharField(max_length=300, blank=True)
    by = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")
    key = models.ForeignKey(ApiKey, models.SET_NULL, null=True, blank=True, related_name="+")
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    moved_at = models.DateTimeField(db_default=Now(), editable=False)
    # Those it wrote and nobody has touched since were changed at this very time.
    started_at = models.DateTimeField(null=True, editable=False)
    finished_at = models.DateTimeField(null=True, editable=False)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(rows=F("created") + F("updated") + F("unchanged") + F("rejected")),
                name="every_row_has_a_verdict",
            ),
        ]
        indexes = [
            models.Index(fields=["moved_at"], condition=Q(status__in=[1, 2, 7, 10, 12]), name="import_unfinished"),
            models.Index(fields=["workspace", "digest"], condition=~Q(digest=""), name="import_same_list"),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def audit_name(self) -> str:
        """The file may be called after somebody, and the log outlives them."""
        return f"import {self.pk}"

    @property
    def brought_by(self) -> Actor | None:
        """The colleague or the program."""
        return self.by or self.key

    @property
    def is_open(self) -> bool:
        """Whether a worker has to carry it on."""
        return self.status in AT_WORK

    @property
    def is_asking(self) -> bool:
        """Whether a person has to say how to go on."""
        return self.status in (Import.Status.UPLOADING, Import.Status.MAPPING, Import.Status.CHECKED)

    @property
    def is_over(self) -> bool:
        return not self.is_open and not self.is_asking

    @property
    def has_begun(self) -> bool:
        """Whether anybody may have been changed."""
        return bool(self.rows) or self.is_open

    @property
    def brought(self) -> int:
        """The rows of the list, as far as they are known."""
        return self.expected or self.rows

    @property
    def is_looked_at(self) -> bool:
        """Whether its columns can be chosen."""
        return self.status not in (Import.Status.UPLOADING, Import.Status.LOOKING)

    @property
    def good(self) -> int:
        """The rows of a checked list that would be carried out."""
        return self.expected - self.forecast.get("rejected", 0)

    @property
    def looked_up(self) -> int:
        """Percent of the rows read so far."""
        return self.checked * 100 // self.expected if self.expected else 0

    @property
    def percent(self) -> int:
        return self.rows * 100 // self.expected if self.expected else 0

    @property
    def shares(self) -> list[tuple[str, str]]:
        """The parts of the bar, brought in and rejected: the letter of the stylesheet and the width."""
        counts = (("s", self.rows - self.rejected), ("f", self.rejected))
        return [(letter, f"{100 * n / max(n, self.expected):.2f}%" if n else "0%") for letter, n in counts]


AT_WORK = (
    Import.Status.LOOKING,
    Import.Status.CHECKING,
    Import.Status.WAITING,
    Import.Status.RUNNING,
    Import.Status.UNDOING,
)


class ImportPart(models.Model):
    """Some megabytes of a list that is being imported, forgotten when the import is over."""

    upload = models.ForeignKey(Import, models.CASCADE, related_name="+", db_index=False)
    number = models.PositiveIntegerField()
    data = models.BinaryField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["upload", "number"], name="import_part_once")]

    def __str__(self) -> str:
        return f"part {self.number}"


class Problem(models.IntegerChoices):
    """What is wrong with a row, by what somebody has to do about it."""

    NONE = 0, "nothing"
    UNREADABLE = 1, "unreadable"
    NOBODY = 2, "nobody"
    EMAIL = 3, "email"
    PHONE = 4, "phone"
    NO_COUNTRY = 5, "no country"
    TEXT = 6, "text"
    WORD = 7, "word"
    ERASED = 8, "erased"
    SUPPRESSED = 9, "suppressed"
    REPEATED = 10, "repeated"


PARTLY = Q(cells__isnull=False) & ~Q(verdict=4)  # imported, without what can be mended
CHANGED_SINCE = "not undone: changed, used or opted out since"
IN_PART = "not wholly undone: some of it was changed since, or is a wish"


class ImportRow(models.Model):
    """The verdict on one row of an import. Several rows may stand on one line of the list."""

    class Verdict(models.IntegerChoices):
        CREATED = 1, "created"
        UPDATED = 2, "updated"
        UNCHANGED = 3, "unchanged"
        REJECTED = 4, "rejected"

    # Written by whoever holds the import locked, as are the rows below.
    upload = models.ForeignKey(Import, models.CASCADE, related_name="verdicts", db_index=False, db_constraint=False)
    number = models.PositiveIntegerField()
    line = models.PositiveIntegerField()
    verdict = models.SmallIntegerField(choices=Verdict)
    address = models.CharField(max_length=254)
    reason = models.CharField(max_length=200, blank=True)
    # No more than a note of who it was: the person may be erased, and the verdict stays.
    recipient = models.ForeignKey(
        Recipient, models.DO_NOTHING, null=True, related_name="+", db_index=False, db_constraint=False
    )
    cells = models.JSONField("the row as it came, when something of it was left out", null=True, blank=True)
    before = models.JSONField("what was changed, as [before, after]", null=True, blank=True)
    is_kept = models.BooleanField("stays although the import was undone", default=False, db_default=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["upload", "number"], name="import_row_once")]
        indexes = [
            models.Index(fields=["recipient"], condition=Q(recipient__isnull=False), name="import_rows_of"),
            models.Index(fields=["upload", "number"], condition=Q(is_kept=True), name="import_rows_kept"),
            models.Index(fields=["upload", "number"], condition=PARTLY, name="import_rows_partly"),
            models.Index(fields=["upload", "verdict", "number"], name="import_rows_by_verdict"),
        ]

    def __str__(self) -> str:
        return f"line {self.line}: {self.get_verdict_display()}"

    @property
    def kept_because(self) -> str:
        """Why it stays although the import was undone; `reason` still tells what became of it before."""
        if not self.is_kept:
            return ""
        return CHANGED_SINCE if self.verdict == self.Verdict.CREATED else IN_PART


class StagedRow(models.Model):
    """A row of an import as it was read, until it has its verdict."""

    # Written and deleted by whoever holds the import locked: a million checks would tell nothing new.
    upload = models.ForeignKey(Import, models.CASCADE, related_name="staged", db_index=False, db_constraint=False)
    number = models.PositiveIntegerField()
    line = models.PositiveIntegerField()
    address = models.CharField(max_length=254)
    email = models.CharField(max_length=254)
    phone = models.CharField(max_length=16)
    first_name = models.CharField(max_length=100)
    last_name = models.CharField(max_length=100)
    location = models.CharField(max_length=100)
    preferred_product = models.CharField(max_length=100)
    attributes = models.JSONField()
    opted_out = models.BooleanField()
    refused_channels = ArrayField(
        models.SmallIntegerField(choices=Channel), default=list, db_default=models.Value([]), blank=True
    )
    left_out = models.TextField()
    fault = models.TextField()
    problem = models.SmallIntegerField(choices=Problem)
    found = models.CharField(max_length=100)
    cells = models.JSONField(null=True)
    # What the check found: whom it is about, and whether an earlier or later row may be about the same person.
    forecast = models.SmallIntegerField(choices=ImportRow.Verdict)
    recipient_id = models.BigIntegerField(null=True)
    is_alone = models.BooleanField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["upload", "number"], name="staged_row_once")]
        indexes = [
            models.Index(fields=["upload", "problem", "number"], condition=~Q(problem=0), name="staged_problems"),
        ]

    def __str__(self) -> str:
        return f"row {self.number}"
