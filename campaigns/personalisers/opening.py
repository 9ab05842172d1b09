"""A first sentence made of the place, the product and the month: no network, and the same for the same person."""

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from django import forms

from campaigns.languages import code_of
from campaigns.personalisers.brief import Brief, Options, Person, Words

MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
    "December",
)  # fmt: skip
SENTENCES: dict[str, dict[str, tuple[str, ...]]] = {
    "warm": {
        "both": (
            "Greetings to {location}! As somebody who likes {product} you will enjoy {about}.",
            "How is {month} in {location}? We thought of you and {product} when we prepared {about}.",
        ),
        "location": ("Greetings to {location}! Here is {about}.", "How is {month} in {location}? Here is {about}."),
        "product": ("You like {product}, so you will enjoy {about}.", "This {month} is a good time for {product}."),
    },
    "plain": {
        "both": ("For everybody in {location} who likes {product}: {about}.",),
        "location": ("For everybody in {location}: {about}.",),
        "product": ("For everybody who likes {product}: {about}.",),
    },
}


class OpeningOptions(Options):
    tone = forms.ChoiceField(label="Tone", choices=[("warm", "Warm"), ("plain", "Plain")])


class Opening:
    """Writes English: who reads another language gets nothing from it."""

    title = "First sentence"
    about = "A sentence from the place, the product a person likes and the month. English only; it asks nobody else."
    gives: ClassVar = ("opening",)
    asks: ClassVar = ("location", "preferred_product", "language")
    options = OpeningOptions

    def __init__(self, options: Mapping[str, Any]) -> None:
        self.sentences = SENTENCES.get(options.get("tone", ""), SENTENCES["warm"])

    @classmethod
    def defaults(cls) -> dict[str, Any]:
        return {"tone": "warm"}

    def learn(self, workspace: int) -> dict[str, Any]:
        return {}

    def generate(self, people: Sequence[Person], brief: Brief) -> Sequence[Words]:
        about = brief.about.strip().rstrip(".!") or "something new"
        return [self._for(person, about, MONTHS[brief.day.month - 1]) for person in people]

    def _for(self, person: Person, about: str, month: str) -> Words:
        location, product = person["location"], person["preferred_product"]
        known = "both" if location and product else "location" if location else "product" if product else ""
        if not known or code_of(person["language"]).partition("-")[0] not in ("", "en"):
            return {}
        sentences = self.sentences[known]
        drawn = int.from_bytes(hashlib.blake2b(f"{location}\n{product}".encode(), digest_size=2).digest())
        values = {"location": location, "product": product, "about": about, "month": month}
        return {"opening": filled(sentences[drawn % len(sentences)], values)}


def filled(sentence: str, values: Mapping[str, str]) -> str:
    """One pass: what a value holds is never looked into."""
    pieces = sentence.replace("}", "{").split("{")
    return "".join(values[piece] if n % 2 else piece for n, piece in enumerate(pieces))
