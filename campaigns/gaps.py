"""Who would read a gap: people who lack what the text asks for, where it says nothing in its place."""

from typing import NamedTuple

from django.db.models import Count, Q, TextField, Value
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Coalesce
from django.db.models.lookups import Exact

from campaigns.models import Campaign
from campaigns.personalise import Text
from people.channels import Channel
from people.consent import reached_on
from people.models import STANDARD_FIELDS, UNSUBSCRIBE_LINK

NOTHING = Value("", output_field=TextField())


class Gap(NamedTuple):
    """A placeholder without a fallback, how many of those who get the campaign lack it, and where it stands."""

    name: str
    people: int
    where: str


def gaps(campaign: Campaign) -> list[Gap]:
    """Those that some lack; one query."""
    subject = campaign.subject if campaign.channel == Channel.EMAIL else ""
    asked = Text(f"{subject}\n{campaign.body}").without_fallback
    names = [name for name in asked if name != UNSUBSCRIBE_LINK]
    if not names:
        return []
    reached = campaign.audience().filter(reached_on(Channel(campaign.channel)))
    counts = reached.order_by().aggregate(**{f"lack_{name}": Count("pk", filter=lacks(name)) for name in names})
    asked_in = {"subject": Text(subject).without_fallback, "message": Text(campaign.body).without_fallback}
    return [
        Gap(name, count, " and ".join(part for part, names in asked_in.items() if name in names))
        for name in names
        if (count := counts[f"lack_{name}"])
    ]


def lacks(name: str) -> Q:
    """Whose field or attribute of this name is empty or missing."""
    if name in STANDARD_FIELDS:
        return Q(**{name: ""})
    return Q(Exact(Coalesce(KeyTextTransform(name, "attributes"), NOTHING), NOTHING))
