"""The form of what is set for the moment before a campaign goes out."""

from collections.abc import Iterator
from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from accounts.models import Workspace
from campaigns.price import Price
from people.channels import Channel

LONGEST_UNDO = 600  # seconds
SECONDS = f"Give a number of seconds from 0 to {LONGEST_UNDO}; 0 is off."
PEOPLE = "Give a number of people, such as 1000, or nothing."
AMOUNT = "Give a price such as 0.80, with at most six decimals."
CURRENCY = "Give the currency in three letters, such as KES."
DIGITS = forms.TextInput({"inputmode": "numeric", "autocomplete": "off"})


class AmountField(forms.DecimalField):
    """A comma may stand for the point."""

    def clean(self, value: Any) -> Any:
        return super().clean(value.replace(",", ".") if isinstance(value, str) else value)


class BeforeSendingForm(forms.Form):
    """The seconds, the number, and a price with its currency for each channel."""

    undo_seconds = forms.IntegerField(
        label="Seconds to undo",
        min_value=0,
        max_value=LONGEST_UNDO,
        help_text="For so long nobody gets what was sent from its page, and it can be undone. 0 is off.",
        widget=DIGITS,
        error_messages=dict.fromkeys(("required", "invalid", "min_value", "max_value"), SECONDS),
    )
    typed_above = forms.IntegerField(
        label="Type the number above",
        required=False,
        min_value=0,
        max_value=100_000_000,
        help_text="Whoever sends to more people than this types how many they are. Empty is never.",
        widget=DIGITS,
        error_messages=dict.fromkeys(("invalid", "min_value", "max_value"), PEOPLE),
    )

    def __init__(self, workspace: Workspace, data=None) -> None:
        initial: dict[str, Any] = {"undo_seconds": workspace.undo_seconds, "typed_above": workspace.typed_above}
        for row in workspace.part_prices.all():
            word = Channel(row.channel).word
            initial |= {f"{word}_price": f"{row.amount.normalize():f}", f"{word}_currency": row.currency}
        super().__init__(data, initial=initial)
        for channel in Channel:
            self.fields[f"{channel.word}_price"] = price_field(channel)
            self.fields[f"{channel.word}_currency"] = currency_field(channel)

    @property
    def pairs(self) -> Iterator[tuple[Channel, forms.BoundField, forms.BoundField]]:
        for channel in Channel:
            yield channel, self[f"{channel.word}_price"], self[f"{channel.word}_currency"]

    def clean(self) -> dict[str, Any]:
        typed = super().clean() or {}
        for channel in Channel:
            currency = f"{channel.word}_currency"
            if typed.get(f"{channel.word}_price") is not None and currency in typed and not typed[currency]:
                self.add_error(currency, CURRENCY)
        return typed

    @property
    def settings(self) -> dict[str, Any]:
        """What `change_before_sending` takes."""
        typed = self.cleaned_data
        prices = {channel: price_typed(typed, channel.word) for channel in Channel}
        return {"undo_seconds": typed["undo_seconds"], "typed_above": typed["typed_above"], "prices": prices}


def price_typed(typed: dict[str, Any], word: str) -> Price | None:
    amount = typed[f"{word}_price"]
    return None if amount is None else Price(amount, typed[f"{word}_currency"].upper())


def price_field(channel: Channel) -> forms.DecimalField:
    wrong = ("invalid", "min_value", "max_value", "max_digits", "max_decimal_places", "max_whole_digits")
    return AmountField(
        label=f"A part by {channel.label}",
        required=False,
        min_value=0,
        max_digits=12,
        decimal_places=6,
        widget=forms.TextInput({"inputmode": "decimal", "autocomplete": "off", "placeholder": "unknown"}),
        error_messages=dict.fromkeys(wrong, AMOUNT),
    )


def currency_field(channel: Channel) -> forms.CharField:
    return forms.CharField(
        label=f"Currency by {channel.label}",
        required=False,
        validators=[three_letters],
        widget=forms.TextInput({"autocomplete": "off", "spellcheck": "false", "maxlength": 3, "placeholder": "KES"}),
    )


def three_letters(value: str) -> None:
    if len(value) != 3 or not (value.isascii() and value.isalpha()):
        raise ValidationError(CURRENCY)
