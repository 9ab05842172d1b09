"""The other words of a campaign: of a variant, in a language, or both."""

from django.db import models
from django.db.models import Q

from campaigns.languages import name_of
from campaigns.models.campaign import Campaign
from campaigns.models.words import Words


class Wording(Words):
    """What people of one variant (1 is A) read who speak one language; where there is none they read the main words.

    The main words of the campaign itself are those of variant A in any other language.
    """

    campaign = models.ForeignKey(Campaign, models.CASCADE, related_name="wordings")
    variant = models.SmallIntegerField(default=1)
    language = models.CharField(max_length=16, blank=True)

    class Meta:
        ordering = ["variant", "language"]
        constraints = [
            models.UniqueConstraint(fields=["campaign", "variant", "language"], name="wording_once"),
            models.CheckConstraint(condition=Q(variant__gt=1) | ~Q(language=""), name="main_words_are_the_campaigns"),
            models.CheckConstraint(condition=Q(variant__gte=1), name="variants_count_from_one"),
        ]

    def __str__(self) -> str:
        variant = f"variant {chr(64 + self.variant)}"
        return f"{variant} in {name_of(self.language)}" if self.language else variant
