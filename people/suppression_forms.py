"""The forms of the suppression list."""

from django import forms

from accounts.models import Workspace
from people.addresses import InvalidAddress
from people.models import Suppression
from people.sheet import UnreadableSheet, text_of
from people.suppression import digest_of
from people.suppression_lists import normal_address

LARGEST = 10 * 1024 * 1024


class AddressForm(forms.Form):
    """One address to write to no more."""

    address = forms.CharField(
        label="Email address or phone number",
        max_length=320,
        help_text="A number with its country code, as +254 712 345 678.",
        widget=forms.TextInput({"autocomplete": "off", "spellcheck": "false"}),
        error_messages={"required": "Type an email address or a phone number."},
    )
    note = forms.CharField(label="Why", required=False, max_length=300, widget=forms.TextInput({"autocomplete": "off"}))

    def __init__(self, workspace: Workspace, *arguments, **options) -> None:
        super().__init__(*arguments, **options)
        self.workspace = workspace

    def clean_address(self) -> str:
        try:
            return normal_address(self.cleaned_data["address"], self.workspace.region)
        except InvalidAddress as fault:
            raise forms.ValidationError(str(fault)) from None


class ReleaseForm(forms.Form):
    """The address of an entry that does not keep it, typed by whoever knows it."""

    address = forms.CharField(
        label="Type the address",
        max_length=320,
        help_text="It is not kept here: only who knows it can take it off.",
        widget=forms.TextInput({"autocomplete": "off", "spellcheck": "false"}),
        error_messages={"required": "Type the address that is to be taken off."},
    )

    def __init__(self, row: Suppression, *arguments, **options) -> None:
        super().__init__(*arguments, **options)
        self.row = row

    def clean_address(self) -> str:
        try:
            address = normal_address(self.cleaned_data["address"], self.row.workspace.region)
        except InvalidAddress as fault:
            raise forms.ValidationError(str(fault)) from None
        if digest_of(address) != bytes(self.row.digest):
            raise forms.ValidationError("That is not the address of this entry.")
        return address


class ListForm(forms.Form):
    text = forms.CharField(
        required=False, strip=False, max_length=LARGEST, widget=forms.Textarea({"rows": 8}), label="or paste it"
    )
    file = forms.FileField(required=False, allow_empty_file=True, label="Choose a file")

    def clean(self) -> dict:
        cleaned = super().clean() or self.cleaned_data
        file, text = cleaned.get("file"), cleaned.get("text") or ""
        if self.errors:
            return cleaned
        if bool(file) == bool(text.strip()):
            raise forms.ValidationError("Paste a list or choose a file, one of both.")
        if file and file.size > LARGEST:
            raise forms.ValidationError("The file is larger than 10 MB; split it and bring in the parts.")
        try:
            cleaned["source"] = text_of(file.read()) if file else text
        except UnreadableSheet as refusal:
            raise forms.ValidationError(str(refusal)) from None
        return cleaned
