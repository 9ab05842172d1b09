"""Who would read a gap: people who lack what the text asks for, where it says nothing in its place."""

from django.db.models import Count, Q, TextField, Value
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Coalesce
from django.db.models.lookups import Exact

from campaigns.models import Campaign, Channel
from campaigns.personalise import Text
from people.models import STANDARD_FIELDS

NOTHING = Value("", output_field=TextField())


def gaps(campaign: Campaign) -> list[tuple[str, int]]:
    """Each placeholder without a fallback that some lack of those who get the campaign, and how many; one query."""
    subject = campaign.subject if campaign.channel == Channel.EMAIL else ""
    names = Text(f"{subject}\n{campaign.body}").without_fallback
    if not names:
        return []
    reached = campaign.audience().filter(opted_out=False).exclude(**{Channel(campaign.channel).address_field: ""})
    counts = reached.order_by().aggregate(**{f"lack_{name}": Count("pk", filter=lacks(name)) for name in names})
    return [(name, count) for name in names if (count := counts[f"lack_{name}"])]


def lacks(name: str) -> Q:
    """Whose field or attribute of this name is empty or missing."""
    if name in STANDARD_FIELDS:
        return Q(**{name: ""})
    return Q(Exact(Coalesce(KeyTextTransform(name, "attributes"), NOTHING), NOTHING))
