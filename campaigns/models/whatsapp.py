"""Templates of WhatsApp, as the provider knows them: only what it approved may begin a conversation."""

import re

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from accounts.models import Actor, ApiKey, User, Workspace

VARIABLE = re.compile(r"\{\{([a-z0-9_]+)\}\}")


class IllegalStatus(Exception):
    """The template cannot become what it was asked to become, or somebody else was faster."""

    def __init__(self, template: "WhatsAppTemplate", wanted: "WhatsAppTemplate.Status") -> None:
        super().__init__(f"“{template}” is {template.get_status_display()} and cannot become {wanted.label}.")


class WhatsAppTemplate(models.Model):
    """A text with variables such as {{1}} or {{name}}. Its status, kept by hand, changes only in `move_to`."""

    class Category(models.IntegerChoices):
        MARKETING = 1, "marketing"
        UTILITY = 2, "utility"
        AUTHENTICATION = 3, "authentication"

    class Status(models.IntegerChoices):
        DRAFT = 1, "draft"
        SUBMITTED = 2, "submitted"
        APPROVED = 3, "approved"
        REJECTED = 4, "rejected"
        PAUSED = 5, "paused"

    workspace = models.ForeignKey(Workspace, models.CASCADE, related_name="whatsapp_templates")
    name = models.CharField("name at the provider", max_length=512)
    language = models.CharField(max_length=16)
    category = models.SmallIntegerField(choices=Category, default=Category.MARKETING)
    header = models.CharField(max_length=60, blank=True)
    body = models.CharField(max_length=1024)
    footer = models.CharField(max_length=60, blank=True)
    status = models.SmallIntegerField(choices=Status, default=Status.DRAFT, editable=False)
    provider_id = models.CharField("number at the provider", max_length=100, blank=True)
    archived_at = models.DateTimeField(null=True, editable=False)
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        verbose_name = "WhatsApp template"
        ordering = ["name", "language"]
        constraints = [
            models.UniqueConstraint(fields=["workspace", "name", "language"], name="whatsapp_template_once"),
            models.CheckConstraint(condition=~Q(body=""), name="whatsapp_template_says_something"),
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.language})"

    @property
    def variables(self) -> list[str]:
        """The names between {{ and }}, each once, in the order in which they appear."""
        return list(dict.fromkeys(VARIABLE.findall(self.body)))

    @property
    def badge(self) -> str:
        """Of which status of a campaign its badge has the colour."""
        return ("draft", "scheduled", "sent", "failed", "paused")[self.status - 1]

    @property
    def is_approved(self) -> bool:
        return self.status == self.Status.APPROVED

    @property
    def is_at_the_provider(self) -> bool:
        """Whether it says what the provider has seen, so that another text has to be approved anew."""
        return self.status not in (self.Status.DRAFT, self.Status.REJECTED)

    @property
    def next_statuses(self) -> list["WhatsAppTemplate.Status"]:
        return [status for status in self.Status if status in MOVES[self.Status(self.status)]]

    def can_become(self, status: "WhatsAppTemplate.Status") -> bool:
        return status in MOVES[self.Status(self.status)]

    def move_to(self, status: "WhatsAppTemplate.Status", *, by: Actor | None, reason: str = "") -> None:
        """Change the status and write it into the history. Raises IllegalStatus."""
        here = WhatsAppTemplate.objects.filter(pk=self.pk, status=self.status)
        if not self.can_become(status) or not here.update(status=status, updated_at=Now()):
            self.refresh_from_db(fields=["status"])
            raise IllegalStatus(self, status)
        TemplateStatus.write(self, self.status, status, by=by, reason=reason)
        self.status = status


S = WhatsAppTemplate.Status
MOVES: dict[WhatsAppTemplate.Status, set[WhatsAppTemplate.Status]] = {
    S.DRAFT: {S.SUBMITTED, S.APPROVED},
    S.SUBMITTED: {S.DRAFT, S.APPROVED, S.REJECTED},
    S.APPROVED: {S.DRAFT, S.PAUSED, S.REJECTED},
    S.REJECTED: {S.DRAFT, S.SUBMITTED, S.APPROVED},
    S.PAUSED: {S.DRAFT, S.APPROVED, S.REJECTED},
}


class TemplateStatus(models.Model):
    """One line of a template's history; never changed once written."""

    template = models.ForeignKey(WhatsAppTemplate, models.CASCADE, related_name="history")
    from_status = models.SmallIntegerField(choices=S, null=True)
    to_status = models.SmallIntegerField(choices=S)
    by = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")
    key = models.ForeignKey(ApiKey, models.SET_NULL, null=True, related_name="+")
    reason = models.CharField(max_length=300, blank=True)
    at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        ordering = ["-id"]
        verbose_name = "status of a WhatsApp template"
        verbose_name_plural = "statuses of WhatsApp templates"

    def __str__(self) -> str:
        return f"{self.get_to_status_display()} at {self.at}"

    @classmethod
    def write(cls, template: WhatsAppTemplate, old: int | None, new: int, *, by: Actor | None, reason: str) -> None:
        who = {"by": by} if isinstance(by, User) else {"key": by}
        cls.objects.create(template=template, from_status=old, to_status=new, reason=reason[:300], **who)

    @property
    def actor(self) -> str:
        return str(self.by) if self.by else f"API key {self.key}" if self.key else ""


class WhatsAppSettings(models.Model):
    """What a workspace chose for WhatsApp; those without a row send free texts too."""

    workspace = models.OneToOneField(Workspace, models.CASCADE, related_name="whatsapp_settings")
    needs_template = models.BooleanField("send by approved templates only", default=False)

    class Meta:
        verbose_name_plural = "settings of WhatsApp"

    def __str__(self) -> str:
        return "templates only" if self.needs_template else "templates and free texts"

    @classmethod
    def of(cls, workspace: Workspace) -> "WhatsAppSettings":
        """Those of the workspace, as they are without a row where it chose none."""
        return cls.objects.filter(workspace=workspace).first() or cls(workspace=workspace)


class Templated(models.Model):
    """What may be written by a WhatsApp template: which, and by variable what stands in its place."""

    whatsapp_template = models.ForeignKey(WhatsAppTemplate, models.RESTRICT, null=True, blank=True, related_name="+")
    whatsapp_values = models.JSONField(default=dict, db_default={}, blank=True, editable=False)

    class Meta:
        abstract = True
