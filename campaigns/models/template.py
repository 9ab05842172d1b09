"""Texts kept to be used again: a template of the library, and each version of its words."""

from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower, Now

from accounts.models import User, Workspace
from campaigns.models.words import Words
from people.channels import Channel


class Template(models.Model):
    """A text of the library. What it says stands in its versions; `version` is the number of the current one."""

    workspace = models.ForeignKey(Workspace, models.CASCADE, related_name="templates")
    name = models.CharField(max_length=100)
    channel = models.SmallIntegerField(choices=Channel)
    version = models.PositiveIntegerField(default=1)
    archived_at = models.DateTimeField(null=True, editable=False)
    created_by = models.ForeignKey(User, models.SET_NULL, null=True, editable=False, related_name="+")
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        ordering = [Lower("name"), "pk"]
        constraints = [
            models.UniqueConstraint("workspace", Lower("name"), name="template_name_once"),
            models.CheckConstraint(condition=Q(version__gte=1), name="templates_count_from_one"),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def channel_word(self) -> str:
        return Channel(self.channel).word

    @property
    def current(self) -> "TemplateVersion":
        """What it says now."""
        return self.versions.select_related("written_by").get(number=self.version)


class TemplateVersion(Words):
    """What a template said from one change to the next. It is written once and never changed."""

    template = models.ForeignKey(Template, models.CASCADE, related_name="versions")
    number = models.PositiveIntegerField()
    written_by = models.ForeignKey(User, models.SET_NULL, null=True, editable=False, related_name="+")
    written_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        ordering = ["-number"]
        constraints = [models.UniqueConstraint(fields=["template", "number"], name="template_version_once")]

    def __str__(self) -> str:
        return f"version {self.number} of {self.template}"
