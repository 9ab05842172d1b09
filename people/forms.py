"""The forms people, groups and lists are typed into. They keep what was typed, right or wrong."""

from collections.abc import Callable

from django import forms

from accounts.models import User, Workspace
from people.columns import refuse_alias
from people.groups import checked_group
from people.models import Recipient
from people.plain import NotPlain
from people.recipients import add_recipient, change_recipient, checked_fields


class Checked(forms.Field):
    """A field whose rule lives in the domain and says itself what is wrong."""

    def __init__(self, check: Callable, **options) -> None:
        super().__init__(required=False, **options)
        self.check = check

    def clean(self, value: str | None):
        try:
            return self.check(value or "")
        except NotPlain as refusal:
            raise forms.ValidationError(str(refusal)) from None


def _field(name: str, label: str, **options) -> Checked:
    return Checked(lambda text: checked_fields({name: text})[name], label=label, **options)


def attributes_in(text: str) -> dict:
    """Attributes written one on a line as `name: value`. Raises NotPlain."""
    pairs = [line.partition(":") for line in text.splitlines() if line.strip()]
    for name, colon, _ in pairs:
        if not colon:
            raise NotPlain(f"“{name[:60]}” has no colon; write one attribute on each line, as tier: gold.")
        refuse_alias(name.strip())
    return checked_fields({"attributes": {name.strip(): value for name, _, value in pairs}})["attributes"]


class PersonForm(forms.Form):
    email = _field("email", "Email address", widget=forms.EmailInput({"autocomplete": "off"}))
    phone = _field("phone", "Phone", help_text="With the country code, as +254 712 345 678.")
    first_name = _field("first_name", "First name")
    last_name = _field("last_name", "Last name")
    location = _field("location", "Location")
    preferred_product = _field("preferred_product", "Preferred product")
    attributes = Checked(attributes_in, label="Further attributes", widget=forms.Textarea({"rows": 3}))
    groups = forms.TypedMultipleChoiceField(
        required=False, coerce=int, empty_value=[], widget=forms.CheckboxSelectMultiple
    )
    # Sent back as it was shown, so that saving a page opened before an opt-out does not undo it.
    opted_out = forms.BooleanField(required=False, show_hidden_initial=True)

    def __init__(self, workspace: Workspace, data=None, person: Recipient | None = None, **options) -> None:
        super().__init__(data, initial=_shown(person) if person else {}, **options)
        self.workspace, self.person = workspace, person
        phone = self.fields["phone"]
        phone.check = lambda text: checked_fields({"phone": text}, workspace.region)["phone"]  # type: ignore[attr-defined]
        groups = workspace.groups.exclude(left_by__recipient=person) if person else workspace.groups.all()
        self.fields["groups"].choices = list(groups.values_list("pk", "name"))  # type: ignore[attr-defined]

    def clean(self) -> dict:
        cleaned = super().clean() or self.cleaned_data
        if not self.errors and not cleaned["email"] and not cleaned["phone"]:
            raise forms.ValidationError("An email address or a phone number is needed.")
        return cleaned

    def save(self, *, by: User) -> Recipient:
        """Add or change the person. Raises NotPlain or DuplicateRecipient."""
        fields = dict(self.cleaned_data)
        if self.person is None:
            self.person = add_recipient(self.workspace, by=by, **fields)
        else:
            if "opted_out" not in self.changed_data:
                del fields["opted_out"]
            fields["attributes"] = _as_before(self.person.attributes, fields["attributes"])
            change_recipient(self.person, by=by, **fields)
        return self.person


def _shown(person: Recipient) -> dict:
    names = ("email", "phone", "first_name", "last_name", "location", "preferred_product", "opted_out")
    shown = {name: getattr(person, name) for name in names}
    shown["attributes"] = "\n".join(f"{name}: {value}" for name, value in sorted(person.attributes.items()))
    shown["groups"] = list(person.groups.values_list("pk", flat=True))
    return shown


def _as_before(before: dict, after: dict) -> dict:
    """What was not retyped keeps its kind: a number stays a number."""
    return {name: before[name] if str(before.get(name)) == value else value for name, value in after.items()}


class GroupForm(forms.Form):
    name = Checked(lambda text: checked_group(text)["name"], label="Name")
    description = Checked(
        lambda text: checked_group("any", text)["description"],
        label="Description",
        help_text="Only you and your colleagues see it.",
    )
    is_public = forms.BooleanField(label="Its people may see it, and leave it", required=False)
    public_name = Checked(
        lambda text: checked_group("any", public_name=text)["public_name"],
        label="Name they see",
        help_text="Empty: the name above.",
    )
    public_description = Checked(
        lambda text: checked_group("any", public_description=text)["public_description"],
        label="What they read about it",
    )
