"""What a part of a message costs a workspace."""

from django.db import models
from django.db.models import Q

from accounts.models import Workspace
from people.channels import Channel


class PartPrice(models.Model):
    """The price of one part on one channel; without a row it is unknown."""

    workspace = models.ForeignKey(Workspace, models.CASCADE, related_name="part_prices")
    channel = models.SmallIntegerField(choices=Channel)
    amount = models.DecimalField(max_digits=12, decimal_places=6)
    currency = models.CharField(max_length=3)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["workspace", "channel"], name="one_price_a_channel"),
            models.CheckConstraint(condition=Q(amount__gte=0), name="price_not_below_zero"),
        ]

    def __str__(self) -> str:
        return f"{self.currency} {self.amount.normalize():f} for a part by {self.get_channel_display()}"
