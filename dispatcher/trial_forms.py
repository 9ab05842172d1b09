"""What is typed to send a test of a campaign."""

import re
from typing import Any

from django import forms
from django.http import QueryDict

from campaigns.models import Campaign
from dispatcher.trials import MOST, normal_addresses
from people.channels import Channel

BETWEEN = re.compile(r"[\n,;]+")
SHOWN = 3  # faults told at once


class TrialForm(forms.Form):
    """Where a test goes, and which words it has."""

    addresses = forms.CharField(
        max_length=4_000,
        widget=forms.Textarea(attrs={"rows": 3}),
        error_messages={"required": "Say where the test goes."},
    )
    variant = forms.ChoiceField(label="Variant", required=False)
    is_marked = forms.BooleanField(label="Put “[Test]” in front of the subject", required=False, initial=True)

    def __init__(self, campaign: Campaign, data: QueryDict | None = None, initial: dict[str, Any] | None = None):
        super().__init__(data, initial=initial)
        self.channel = Channel(campaign.channel)
        self.region = campaign.workspace.region or None
        addresses = self.fields["addresses"]
        addresses.label = "Email addresses" if self.channel == Channel.EMAIL else "Phone numbers"
        addresses.help_text = f"One a line, {MOST} at most."
        variants = sorted({1, *campaign.wordings.values_list("variant", flat=True)})
        if len(variants) > 1:
            choices = [(variant, chr(64 + variant)) for variant in variants]
            self.fields["variant"].choices = choices  # type: ignore[attr-defined]
        else:
            del self.fields["variant"]
        if self.channel != Channel.EMAIL:
            del self.fields["is_marked"]

    def clean_variant(self) -> int:
        return int(self.cleaned_data["variant"] or 0)

    def clean_addresses(self) -> list[str]:
        """Each as it is kept everywhere else, once."""
        typed = [word.strip() for word in BETWEEN.split(self.cleaned_data["addresses"]) if word.strip()]
        known, faults = normal_addresses(typed, self.channel, self.region)
        if faults:
            raise forms.ValidationError(faults[:SHOWN])
        return known
