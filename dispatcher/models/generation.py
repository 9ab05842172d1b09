"""How far the words of a campaign that is being prepared are generated, and how that went."""

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from campaigns.models import Campaign


class Generation(models.Model):
    """One personaliser going over the messages of one campaign, in the order of their numbers.

    `up_to` also fences: of two that did the same batch, the one that moves it on keeps its words.
    """

    campaign = models.ForeignKey(Campaign, models.CASCADE, related_name="generations", db_index=False)
    personaliser = models.CharField(max_length=40)
    options = models.JSONField(default=dict)  # as they were at the launch
    learnt = models.JSONField(null=True)  # of people; forgotten once it is done
    up_to = models.IntegerField("last message it has gone over", default=0)
    held_until = models.DateTimeField(null=True)
    done_at = models.DateTimeField(null=True)
    begun_at = models.DateTimeField(db_default=Now())

    written = models.IntegerField("people it wrote words for", default=0)
    empty = models.IntegerField("people it had nothing to say to", default=0)
    unusable = models.IntegerField("people whose words could not be used", default=0)
    slow = models.IntegerField("people for whom it took too long", default=0)
    failed = models.IntegerField("people for whom it failed", default=0)
    in_a_row = models.SmallIntegerField("batches of which nothing came, one after the other", default=0)
    trouble = models.CharField(max_length=200, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["campaign", "personaliser"], name="generated_once")]
        indexes = [models.Index(fields=["id"], condition=Q(done_at=None), name="generation_open")]

    def __str__(self) -> str:
        return f"{self.personaliser} for campaign {self.campaign_id}"

    @property
    def fell_back(self) -> int:
        """People who read the fallback of the text in place of generated words."""
        return self.empty + self.unusable + self.slow + self.failed
