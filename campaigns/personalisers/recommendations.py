"""What else a person may like: by the workspace's own catalogue, else what people of the same place like."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from django import forms

from campaigns.personalisers.brief import Brief, Options, Person, Words
from people.models import Recipient

LOOKED_AT = 20_000  # the newest people, from whom tastes are learnt
PLACES, PRODUCTS = 300, 8  # of which places how many products are remembered


def catalogue_in(text: str) -> dict[str, list[str]]:
    """What goes with each product. Raises ValueError with a sentence that names the line."""
    catalogue: dict[str, list[str]] = {}
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip():
            continue
        product, colon, others = line.partition(":")
        goes_with = [other.strip() for other in others.split(",") if other.strip()]
        if not (product.strip() and colon and goes_with):
            raise ValueError(f"Line {number}: write a product, a colon, and what goes with it.")
        catalogue[product.strip().lower()] = goes_with
    return catalogue


class RecommendationOptions(Options):
    most = forms.IntegerField(label="Products, at most", min_value=1, max_value=5)
    catalogue = forms.CharField(
        label="What goes with what",
        required=False,
        max_length=20_000,
        widget=forms.Textarea(attrs={"rows": 6}),
        help_text="A product a line: “Running Shoes: Socks, Water Bottle”. Where it says nothing, "
        "people get what others in the same place like.",
    )

    def clean_catalogue(self) -> str:
        text = self.cleaned_data["catalogue"].replace("\r\n", "\n")
        try:
            catalogue_in(text)
        except ValueError as error:
            raise forms.ValidationError(str(error)) from error
        return text


class Recommendations:
    title = "Recommendations"
    about = "Products a person may like, from your own list and from what people of the same place like."
    gives: ClassVar = ("recommendations",)
    asks: ClassVar = ("location", "preferred_product")
    options = RecommendationOptions

    def __init__(self, options: Mapping[str, Any]) -> None:
        self.most = options.get("most") or 3
        self.catalogue = catalogue_in(options.get("catalogue", ""))

    @classmethod
    def defaults(cls) -> dict[str, Any]:
        return {"most": 3, "catalogue": ""}

    def learn(self, workspace: int) -> dict[str, Any]:
        """What people like most, everywhere ("") and by place."""
        newest = Recipient.objects.filter(workspace=workspace).order_by("-pk")
        tastes = newest.values_list("location", "preferred_product")[:LOOKED_AT]
        counts: defaultdict[str, Counter[str]] = defaultdict(Counter)
        for location, product in tastes.iterator():
            if product:
                counts[""][product] += 1
                counts[location.lower()][product] += bool(location)
        places = sorted(counts, key=lambda place: (place != "", -counts[place].total(), place))[:PLACES]
        return {place: ranked(counts[place])[:PRODUCTS] for place in places}

    def generate(self, people: Sequence[Person], brief: Brief) -> Sequence[Words]:
        return [self._for(person, brief.learnt) for person in people]

    def _for(self, person: Person, learnt: Mapping[str, Any]) -> Words:
        own = person["preferred_product"]
        fitting = self.catalogue.get(own.strip().lower(), [])
        if not fitting:
            fitting = [*learnt.get(person["location"].lower(), []), *learnt.get("", [])]
        others = dict.fromkeys(product for product in fitting if product.lower() != own.lower())
        return {"recommendations": listed([*others][: self.most])}


def ranked(counts: Counter[str]) -> list[str]:
    """The most frequent first; of equals, by the alphabet."""
    return sorted((product for product, n in counts.items() if n), key=lambda product: (-counts[product], product))


def listed(products: list[str]) -> str:
    """One, two and three; nothing where there is none."""
    *first, last = products or [""]
    return f"{', '.join(first)} and {last}" if first else last
