"""Saved descriptions of people: who fits is found anew each time somebody asks."""

from django.db import models
from django.db.models.functions import Lower, Now

from accounts.models import Workspace


class Segment(models.Model):
    """People described by rules (people.segment_rules); who fits today need not fit tomorrow."""

    workspace = models.ForeignKey(Workspace, models.CASCADE, related_name="segments")
    name = models.CharField(max_length=100)
    rules = models.JSONField()
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["name"]
        constraints = [models.UniqueConstraint("workspace", Lower("name"), name="segment_name_once")]

    def __str__(self) -> str:
        return self.name
