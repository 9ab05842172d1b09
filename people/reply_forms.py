"""The forms of replies: noting one, and the words by which they are understood."""

from collections.abc import Iterator

from django import forms

from accounts.models import Workspace
from people.addresses import InvalidAddress, normal_phone
from people.channels import Channel
from people.keywords import FAMILIES, LANGUAGES, checked_words, clashes, words_of
from people.models import ConsentSettings
from people.plain import NotPlain
from people.replies import CHANNELS, LONGEST


class ReplyForm(forms.Form):
    """A reply that reached us another way, or is played to see what becomes of it."""

    channel = forms.TypedChoiceField(
        label="By", coerce=lambda value: Channel(int(value)), choices=[(each.value, each.label) for each in CHANNELS]
    )
    number = forms.CharField(
        label="From",
        max_length=40,
        help_text="The number with its country code, as +254 712 345 678.",
        widget=forms.TextInput({"autocomplete": "off", "inputmode": "tel"}),
        error_messages={"required": "Type the number it came from."},
    )
    text = forms.CharField(
        label="Text",
        max_length=LONGEST,
        widget=forms.TextInput({"autocomplete": "off"}),
        error_messages={"required": "Type what it says."},
    )

    def __init__(self, workspace: Workspace, *arguments, **options) -> None:
        super().__init__(*arguments, **options)
        self.workspace = workspace

    def clean_number(self) -> str:
        try:
            return normal_phone(self.cleaned_data["number"], self.workspace.region or None)
        except InvalidAddress as fault:
            raise forms.ValidationError(str(fault)) from None


class ConsentForm(forms.Form):
    """Links in text messages, and a field of words for each language and family."""

    sms_link = forms.BooleanField(label="Add the link to every SMS", required=False)
    whatsapp_link = forms.BooleanField(label="Add the link to every WhatsApp message", required=False)

    def __init__(self, settings: ConsentSettings, data=None) -> None:
        words = words_of(settings)
        initial: dict[str, object] = {"sms_link": settings.sms_link, "whatsapp_link": settings.whatsapp_link}
        initial |= {name: ", ".join(words[language][family]) for name, language, family in names()}
        super().__init__(data, initial=initial)
        for name, language, family in names():
            widget = forms.TextInput({"autocomplete": "off", "spellcheck": "false", "dir": "auto", "lang": language})
            self.fields[name] = forms.CharField(label=family.capitalize(), required=False, widget=widget)

    def clean(self) -> dict:
        cleaned = super().clean() or self.cleaned_data
        words: dict[str, dict[str, list[str]]] = {language: {} for language in LANGUAGES}
        for name, language, family in names():
            try:
                words[language][family] = checked_words(cleaned.pop(name, ""))
            except NotPlain as fault:
                self.add_error(name, str(fault))
        for language, family, word, other in clashes(words):
            self.add_error(name_of(language, family), f"“{word}” stands for {other}, too; a word can mean only one.")
        return cleaned | {"words": words}

    def languages(self) -> Iterator[tuple[str, list[forms.BoundField]]]:
        """Each language with its fields, for the page."""
        for language, title in LANGUAGES.items():
            yield title, [self[name_of(language, family)] for family in FAMILIES]


def name_of(language: str, family: str) -> str:
    return f"{language}_{family}"


def names() -> Iterator[tuple[str, str, str]]:
    for language in LANGUAGES:
        for family in FAMILIES:
            yield name_of(language, family), language, family
