"""The forms of an import: the list, and what its columns are."""

from collections.abc import Iterator, Sequence

from django import forms
from django.db import transaction

from accounts.models import User, Workspace
from people import imports
from people.attributes import MOST_NAMES, is_attribute_name, room_for
from people.channels import REFUSALS
from people.columns import ALIASES, COLUMNS, LOOKS, MOST_COLUMNS, NOT_READ, Mapping, name_for
from people.forms import Checked
from people.groups import checked_group
from people.models import Group, Import
from people.plain import shown
from people.sheet import Record

MOST_AT_ONCE = 10 * 1024 * 1024  # a larger file comes in parts
EXAMPLE = "ann@example.com\nBen Otieno, ben@example.com, +254 712 345 678"
OWN = "own"
FIELDS = {
    "email": "Email address",
    "phone": "Phone",
    "first_name": "First name",
    "last_name": "Last name",
    "name": "Full name",
    "location": "Location",
    "preferred_product": "Preferred product",
    "opted_out": "Opted out (yes or no)",
    **{refusal: f"Refuses {channel.label} (yes or no)" for refusal, channel in REFUSALS.items()},
}
SAMPLES = 3


class ListForm(forms.Form):
    """A list, pasted or as a file."""

    text = forms.CharField(
        required=False,
        strip=False,
        max_length=MOST_AT_ONCE,
        widget=forms.Textarea({"rows": 6, "placeholder": EXAMPLE, "spellcheck": "false"}),
    )
    file = forms.FileField(
        required=False,
        allow_empty_file=True,
        widget=forms.FileInput({"accept": ".csv,.tsv,.txt,.xlsx,text/csv,text/plain"}),
    )

    def clean_file(self):
        file = self.cleaned_data["file"]
        if file and file.size > MOST_AT_ONCE:
            raise forms.ValidationError("A file of more than 10 MB needs JavaScript, which sends it in parts.")
        return file

    def clean(self) -> dict:
        cleaned = super().clean() or self.cleaned_data
        if self.errors:
            return cleaned
        if cleaned["file"] and cleaned["text"].strip():
            raise forms.ValidationError("Paste a list or choose a file, not both at once.")
        if not cleaned["file"] and not cleaned["text"].strip():
            raise forms.ValidationError("Paste a list or choose a file.")
        return cleaned

    @transaction.atomic
    def begin(self, workspace: Workspace, *, by: User) -> Import:
        """An import of the list, up to the choice of its columns. Raises UnreadableSheet, with nothing kept."""
        file, text = self.cleaned_data["file"], self.cleaned_data["text"]
        upload = imports.begin(workspace, name=file.name if file else "Pasted list", by=by)
        imports.keep_list(upload, file.chunks() if file else imports.as_bytes(text))
        return imports.complete(upload, by=by)


class ColumnsForm(forms.Form):
    """What each column of a list is, and the groups its people are put in."""

    groups = forms.TypedMultipleChoiceField(
        required=False, coerce=int, empty_value=[], widget=forms.CheckboxSelectMultiple
    )
    new_group = Checked(lambda text: text and checked_group(text)["name"], label="New group")

    def __init__(self, upload: Import, first: Sequence[Record], data=None, **options) -> None:
        super().__init__(data, **options)
        self.upload = upload
        self.first = first
        self.has_titles = bool(upload.titles)
        self.width = len(upload.titles) or max((len(record.cells) for record in first), default=0)
        self.fields["groups"].choices = list(upload.workspace.groups.values_list("pk", "name"))  # type: ignore[attr-defined]
        self.known = list(upload.workspace.attribute_names.order_by("name").values_list("name", flat=True))
        self.is_on_one_line = self.width > MOST_COLUMNS and not self.has_titles
        for n in range(0 if self.is_on_one_line else self.width):
            self._add_column(n)

    def _add_column(self, n: int) -> None:
        title = self.upload.titles[n] if self.has_titles else ""
        column = self.upload.columns[n] if n < len(self.upload.columns) else LOOKS
        label = f"“{title}” is" if title else f"Column {n + 1} is"
        is_own = column not in (*FIELDS, LOOKS, NOT_READ)
        self.fields[f"column_{n}"] = forms.ChoiceField(
            label=label, required=False, choices=self._choices(), initial=OWN if is_own else column
        )
        self.fields[f"name_{n}"] = forms.CharField(
            label="Name of the attribute",
            required=False,
            max_length=60,
            initial=column if is_own else name_for(title),
            widget=forms.TextInput({"autocomplete": "off", "list": "attribute-names"}),
        )

    def _choices(self) -> list[tuple[str, str]]:
        looks = (LOOKS, "What each cell looks like")
        return [looks, *FIELDS.items(), (OWN, "An attribute of your own"), (NOT_READ, "Do not import")]

    @property
    def columns(self) -> Iterator[dict]:
        """Of each column its title, some of its cells, and the two fields that say what it is."""
        records = [record for record in self.first[1 if self.has_titles else 0 :] if not record.fault][:SAMPLES]
        for n in range(0 if self.is_on_one_line else self.width):
            cells = [record.cells[n] for record in records if n < len(record.cells)]
            yield {
                "number": n + 1,
                "title": self.upload.titles[n] if self.has_titles else "",
                "samples": [shown(cell, at_most=40) for cell in cells if cell.strip()],
                "kind": self[f"column_{n}"],
                "name": self[f"name_{n}"],
            }

    def clean(self) -> dict:
        cleaned = super().clean() or self.cleaned_data
        if self.is_on_one_line:
            self.mapping = Mapping()
        if self.errors or self.is_on_one_line:
            return cleaned
        chosen = [self._column(n) for n in range(self.width)]
        if self.errors:
            return cleaned
        for n, column in enumerate(chosen):
            if column not in (LOOKS, NOT_READ) and column in chosen[:n]:
                self.add_error(f"column_{n}", "Another column is this already; choose one of them.")
        if not {"email", "phone", LOOKS} & set(chosen):
            raise forms.ValidationError("Say which column has the email addresses or the phone numbers.")
        own = {column for column in chosen if column not in (*ALIASES, LOOKS, NOT_READ)}
        if too_many := own - room_for(self.upload.workspace, own):
            names = ", ".join(sorted(too_many))
            raise forms.ValidationError(
                f"There is no room for {names}: a workspace has at most {MOST_NAMES} attributes. Leave some out."
            )
        self.mapping = self._mapping(chosen)
        return cleaned

    def _mapping(self, chosen: list[str]) -> Mapping:
        by_looks_alone = not self.has_titles and set(chosen) <= {LOOKS}
        return Mapping([] if by_looks_alone else chosen, self.upload.titles)

    def _column(self, n: int) -> str:
        kind = self.cleaned_data[f"column_{n}"]
        if kind != OWN:
            return kind
        name = "_".join(self.cleaned_data[f"name_{n}"].lower().split())
        if not name:
            self.add_error(f"name_{n}", "Give the attribute a name, such as tier.")
        elif name in COLUMNS or not is_attribute_name(name):
            sentence = "cannot be the name of an attribute; use small letters and underscores, at most 40."
            self.add_error(f"name_{n}", f"“{name}” {sentence}")
        return name

    @transaction.atomic
    def have_checked(self, *, by: User) -> None:
        """Raises NotPossible when the import went on meanwhile."""
        workspace = self.upload.workspace
        groups: list[Group] = list(workspace.groups.filter(pk__in=self.cleaned_data["groups"]))
        new = self.cleaned_data["new_group"]
        if known := workspace.groups.filter(name__iexact=new).first():
            groups.append(known)
        imports.map_columns(self.upload, self.mapping, groups, by=by, new_group="" if known else new)
