"""The form on which the people of a campaign are divided among its variants."""

from collections.abc import Iterator
from typing import Any

from django import forms
from django.core.exceptions import NON_FIELD_ERRORS
from django.http import QueryDict

from campaigns.models import Split
from campaigns.splitting import MOST, even_weights, letter, wrong_with
from dispatcher.variants import MEASURES
from people.search import number_in

BY_PERSON, BY_RULE = "person", "rule"
LONGEST_WAIT = 14 * 24  # hours
MOST_HELD_OUT = 50


class VariantsForm(forms.Form):
    """Takes everything as typed; once valid, `choices` is what `set_up_variants` takes."""

    tested = forms.Field(required=False)
    hold_out = forms.Field(required=False)
    chosen = forms.ChoiceField(choices=[(BY_PERSON, "A person"), (BY_RULE, "A rule")], required=False)
    measure = forms.ChoiceField(choices=[(word, each.name) for word, each in MEASURES.items()], required=False)
    after_hours = forms.Field(required=False)
    at_least = forms.Field(required=False)

    def __init__(self, split: Split | None, data: QueryDict | None = None) -> None:
        self.weights = list(split.weights) if split else even_weights(2)
        super().__init__(data, initial=as_typed(split))
        self.choices: dict[str, Any] = {}

    def clean(self) -> None:
        typed = self.cleaned_data
        hold_out = self.number("hold_out", 0, MOST_HELD_OUT, "Hold out between 0 and 50 percent.")
        tested = self.number("tested", 1, 100, "Between 1 and 100 percent can get a variant at once.")
        by_rule = typed.get("chosen") == BY_RULE and tested is not None and tested < 100
        hours, points = 4, 0
        if by_rule:
            hours = self.number("after_hours", 1, LONGEST_WAIT, "Wait between 1 hour and two weeks (336 hours).") or 4
            points = self.number("at_least", 0, 50, "Between 0 and 50 points.") or 0
        self.weights = [number_in(str(weight).strip()) or 0 for weight in self.typed_weights()]
        if sentence := wrong_with(self.weights):
            self.add_error(None, sentence)
        self.choices = {
            "weights": self.weights,
            "tested": tested,
            "hold_out": hold_out,
            "measure": typed.get("measure") or next(iter(MEASURES)) if by_rule else "",
            "after_hours": hours,
            "at_least": points,
        }

    def has_sound_fields(self) -> bool:
        """Whether all is well but the weights, which one more variant replaces."""
        return set(self.errors) <= {NON_FIELD_ERRORS}

    def number(self, field: str, low: int, high: int, sentence: str) -> int | None:
        typed = str(self.cleaned_data.get(field) or "0").strip()
        number = int(typed) if typed.isdecimal() and len(typed) < 9 else -1
        if low <= number <= high:
            return number
        self.add_error(field, sentence)
        return None

    def typed_weights(self) -> list[str]:
        names = [f"weight_{letter(n).lower()}" for n in range(1, MOST + 1)]
        return [self.data[name] for name in names if name in self.data]

    # --- what the template draws ---

    def rows(self) -> Iterator[tuple[int, str, object]]:
        """Number and letter of each variant, and its weight as typed."""
        shown = self.typed_weights() if self.is_bound else self.weights
        return ((number, letter(number), weight) for number, weight in enumerate(shown, 1))

    def can_have_more(self) -> bool:
        return len(list(self.rows())) < MOST

    def by_rule(self) -> bool:
        return self["chosen"].value() == BY_RULE


def as_typed(split: Split | None) -> dict[str, Any]:
    """The split as the form would have sent it."""
    usual = Split(tested=100, hold_out=0, after_hours=4, at_least=0)
    shown = split or usual
    return {
        "tested": shown.tested,
        "hold_out": shown.hold_out,
        "chosen": BY_RULE if shown.measure else BY_PERSON,
        "measure": shown.measure or next(iter(MEASURES)),
        "after_hours": shown.after_hours,
        "at_least": shown.at_least,
    }
