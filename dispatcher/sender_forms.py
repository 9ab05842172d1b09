"""What is typed on the settings page of senders."""

import re
from typing import Any

from django import forms
from django.conf import settings
from django.http import QueryDict

from people.addresses import InvalidAddress, normal_email, normal_phone
from people.channels import Channel

SHORT_NAME = re.compile(r"[A-Za-z0-9 .&_-]{1,11}")
UNPRINTABLE = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]")
FROM_LABELS = {
    Channel.EMAIL: "Sender’s address",
    Channel.SMS: "Sender’s number or name",
    Channel.WHATSAPP: "Sender’s number",
}


class SenderForm(forms.Form):
    """In whose name is written on a channel, and how fast."""

    from_name = forms.CharField(label="Sender’s name", max_length=100, required=False)
    from_address = forms.CharField(max_length=254, required=False)
    limit = forms.FloatField(
        label="Messages a second, at most",
        min_value=0.01,
        max_value=100_000,
        required=False,
        help_text="Empty: as fast as the provider takes them.",
    )

    def __init__(self, channel: Channel, data: QueryDict | None = None, initial: dict[str, Any] | None = None):
        super().__init__(data, initial=initial)
        self.channel = channel
        address = self.fields["from_address"]
        address.label = FROM_LABELS[channel]
        if channel == Channel.EMAIL:
            address.help_text = f"Empty: {settings.FROM_EMAIL}."
            self.fields["from_name"].help_text = "As people see it in their inbox."
        else:
            del self.fields["from_name"]
            address.help_text = "Empty: the one your provider gave you."

    def clean_from_name(self) -> str:
        name = self.cleaned_data["from_name"]
        if UNPRINTABLE.search(name) or any(letter in name for letter in "<>"):
            raise forms.ValidationError("Write a name without line breaks, control characters, < and >.")
        return name

    def clean_from_address(self) -> str:
        address = self.cleaned_data["from_address"]
        if not address or (self.channel == Channel.SMS and SHORT_NAME.fullmatch(address)):
            return address
        try:
            address = address_for(self.channel, address)
        except forms.ValidationError as refusal:
            if self.channel == Channel.SMS:
                sentence = "Write a number such as +254712345678, or a name of at most 11 letters and digits."
                raise forms.ValidationError(sentence) from refusal
            raise
        if not address.isascii():
            sentence = (
                "Many mail servers take no mail from such an address: choose one with plain letters before the @."
            )
            raise forms.ValidationError(sentence)
        return address


class TestForm(forms.Form):
    """Where a test goes."""

    to = forms.CharField(max_length=254, error_messages={"required": "Say where the test goes."})

    def __init__(self, channel: Channel, data: QueryDict | None = None, initial: dict[str, Any] | None = None):
        super().__init__(data, initial=initial, auto_id=f"{channel.word}_%s")
        self.channel = channel
        self.fields["to"].label = "Email address" if channel == Channel.EMAIL else "Phone number"

    def clean_to(self) -> str:
        return address_for(self.channel, self.cleaned_data["to"])


def address_for(channel: Channel, typed: str) -> str:
    """The address as it is kept everywhere else. Raises ValidationError."""
    try:
        return normal_email(typed) if channel == Channel.EMAIL else normal_phone(typed)
    except InvalidAddress as refusal:
        raise forms.ValidationError(str(refusal)) from refusal
