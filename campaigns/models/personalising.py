"""What a workspace has set of those who write words for each person."""

from django.db import models

from accounts.models import Workspace


class ChosenPersonaliser(models.Model):
    """Whether a workspace uses a personaliser, and with which of its options; without a row it does, as it comes."""

    workspace = models.ForeignKey(Workspace, models.CASCADE, related_name="chosen_personalisers")
    personaliser = models.CharField(max_length=40)
    is_on = models.BooleanField(default=True)
    options = models.JSONField(default=dict, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["workspace", "personaliser"], name="personaliser_chosen_once")]

    def __str__(self) -> str:
        return self.personaliser

    @property
    def audit_name(self) -> str:
        return f"personaliser {self.personaliser}"
