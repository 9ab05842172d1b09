"""The forms a WhatsApp template and what the provider decided are typed into."""

from typing import Any

from django import forms
from django.http import QueryDict

from campaigns.models import WhatsAppTemplate
from campaigns.whatsapp import FIELDS, LONGEST_BODY, LONGEST_LINE

Status = WhatsAppTemplate.Status
LINE = f"The same for everybody, {LONGEST_LINE} characters at most; may be empty."


def typed(label: str, help_text: str, **options: Any) -> forms.CharField:
    return forms.CharField(required=False, strip=False, label=label, help_text=help_text, **options)


class TemplateForm(forms.Form):
    """Takes everything as typed: `whatsapp` says what is wrong, and the form comes back with all of it."""

    name = typed("Name at the provider", "Small letters, digits and _, such as spring_offer.")
    language = typed("Language", "As the provider writes it: en, sw, pt_BR.", initial="en")
    category = forms.TypedChoiceField(
        choices=[(value, label.capitalize()) for value, label in WhatsAppTemplate.Category.choices],
        coerce=int,
        initial=WhatsAppTemplate.Category.MARKETING,
        label="Category",
    )
    header = typed("Header", LINE)
    body = typed(
        "Text",
        f"Write what changes as {{{{1}}}} or {{{{name}}}}. {LONGEST_BODY:,} characters at most.",
        widget=forms.Textarea({"rows": 7}),
    )
    footer = typed("Footer", LINE)
    provider_id = typed("Number at the provider", "So that you find it there; may be empty.")

    def __init__(self, data: QueryDict | None = None, template: WhatsAppTemplate | None = None) -> None:
        initial = {field: getattr(template, field) for field in FIELDS} if template else None
        super().__init__(data, initial=initial)

    def content(self) -> dict[str, Any]:
        """What `add_template` and `change_template` take."""
        return {field: self.cleaned_data[field] for field in FIELDS}

    def add_errors(self, errors: dict[str, list[str]]) -> None:
        for field, sentences in errors.items():
            for sentence in sentences:
                self.add_error(field, sentence)


class StatusForm(forms.Form):
    """What the provider decided."""

    to = forms.TypedChoiceField(label="It is now", coerce=lambda value: Status(int(value)))
    reason = forms.CharField(
        required=False, max_length=300, label="Why", help_text="Needed for rejected and paused: what the provider says."
    )

    def __init__(self, template: WhatsAppTemplate, data: QueryDict | None = None) -> None:
        super().__init__(data)
        self.fields["to"].choices = [(status.value, status.label.capitalize()) for status in template.next_statuses]  # type: ignore[attr-defined]
