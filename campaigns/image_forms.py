"""The form a picture is described in. What may be written is decided in `images`."""

from django import forms

from campaigns.images import LONGEST_ALT, LONGEST_NAME
from people.forms import Checked
from people.plain import plain


def named(text: str) -> str:
    return plain(text, "The name", at_most=LONGEST_NAME)


def described(text: str) -> str:
    return plain(text, "The text", at_most=LONGEST_ALT)


class ImageForm(forms.Form):
    alt = Checked(
        described,
        label="What it shows, in words",
        help_text="Read where the picture is not seen: by a screen reader, or while pictures are blocked."
        " Mails that have it already keep their words.",
        widget=forms.TextInput({"maxlength": LONGEST_ALT}),
    )
    name = Checked(
        named,
        label="Name",
        help_text="Only you and your colleagues see it.",
        widget=forms.TextInput({"maxlength": LONGEST_NAME}),
    )
