"""What was done since the house was installed."""

from django.db import models


class Total(models.Model):
    """A count that only grows: it stays when campaigns and messages go."""

    name = models.CharField(max_length=40)
    channel = models.SmallIntegerField(default=0)  # 0 and "" for what belongs to no channel and no sender
    sender = models.CharField(max_length=40, blank=True)
    label = models.CharField(max_length=40, blank=True)
    n = models.FloatField(default=0)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["name", "channel", "sender", "label"], name="total_once")]

    def __str__(self) -> str:
        return f"{self.name} {self.label} {self.n:g}"
