"""Who would read a gap: people who lack what the text asks for, where it says nothing in its place."""

from typing import NamedTuple

from django.db.models import Count, Q, TextField, Value
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Coalesce
from django.db.models.lookups import Exact

from campaigns.generated import names_in
from campaigns.models import Campaign
from campaigns.personalise import Text
from campaigns.spoken import those_who_get
from people.channels import Channel
from people.models import STANDARD_FIELDS, UNSUBSCRIBE_LINK

NOTHING = Value("", output_field=TextField())


class Gap(NamedTuple):
    """A placeholder without a fallback, how many of those who get the campaign lack it, and where it stands."""

    name: str
    people: int
    where: str


def gaps(campaign: Campaign) -> list[Gap]:
    """Those that some lack; one query."""
    asked_in = asked_of(campaign)
    asked = dict.fromkeys(name for names in asked_in.values() for name in names)
    generated = names_in(campaign.workspace) if campaign.generated_words else ()
    names = [name for name in asked if name != UNSUBSCRIBE_LINK and name not in generated]
    if not names:
        return []
    counts = (
        those_who_get(campaign)
        .order_by()
        .aggregate(**{f"lack_{name}": Count("pk", filter=lacks(name)) for name in names})
    )
    return [
        Gap(name, count, " and ".join(part for part, names in asked_in.items() if name in names))
        for name in names
        if (count := counts[f"lack_{name}"])
    ]


def asked_of(campaign: Campaign) -> dict[str, list[str]]:
    """What subject and message ask for where they say nothing in its place, in whatever variant or language."""
    sources = [campaign.source, *(each.source for each in campaign.wordings.all())]
    subjects = [source.subject for source in sources] if campaign.channel == Channel.EMAIL else []
    messages = [part for source in sources for part in (source.text, source.html)]
    return {
        "subject": Text("\n".join(subjects)).without_fallback,
        "message": Text("\n".join(messages)).without_fallback,
    }


def lacks(name: str) -> Q:
    """Whose field or attribute of this name is empty or missing."""
    if name in STANDARD_FIELDS:
        return Q(**{name: ""})
    return Q(Exact(Coalesce(KeyTextTransform(name, "attributes"), NOTHING), NOTHING))
