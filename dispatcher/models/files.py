"""Messages that were moved to files, and people who were erased from both."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now

from accounts.models import User, Workspace
from campaigns.models import Campaign


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
