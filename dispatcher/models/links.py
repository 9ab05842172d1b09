"""Who followed the links to unsubscribe, and how many did."""

from django.db import models
from django.db.models.functions import Now

from campaigns.models import Campaign
from people.models import Recipient


class LinkHit(models.Model):
    """That somebody, or a machine in their place, followed the link to unsubscribe of a message, and how often."""

    class Kind(models.IntegerChoices):
        MACHINE = 1, "opened by a machine"
        OPENED = 2, "opened by a person"
        ONE_CLICK = 3, "unsubscribed with one click"
        CONFIRMED = 4, "unsubscribed on the page"
        UNSUBSCRIBED = 5, "unsubscribed"

    campaign = models.ForeignKey(Campaign, models.CASCADE, related_name="link_hits", db_index=False)
    recipient = models.ForeignKey(Recipient, models.SET_NULL, null=True, related_name="+")
    kind = models.SmallIntegerField(choices=Kind)
    times = models.IntegerField()
    first_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["campaign", "recipient", "kind"], name="link_hit_once")]

    def __str__(self) -> str:
        return f"campaign {self.campaign_id}: {self.get_kind_display()}"


class LinkCount(models.Model):
    """How many people of a campaign, and how often: kept beside the hits, so that no page counts a million of them."""

    campaign = models.ForeignKey(Campaign, models.CASCADE, related_name="link_counts", db_index=False)
    kind = models.SmallIntegerField(choices=LinkHit.Kind)
    part = models.SmallIntegerField(default=0, db_default=0)  # the sum of all parts counts
    people = models.IntegerField()
    times = models.IntegerField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["campaign", "kind", "part"], name="link_count_once")]

    def __str__(self) -> str:
        return f"campaign {self.campaign_id}: {self.people} {self.get_kind_display()}"
