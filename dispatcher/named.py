"""Where colleagues typed somebody's address: what an admin should look at before the person is erased."""

from collections.abc import Iterator
from typing import Any, NamedTuple

from django.db import connection
from django.db.models import Model
from django.urls import reverse

from campaigns.models import Campaign, Recurrence, Template, WhatsAppTemplate
from dispatcher.erase import Theirs
from people import segment_traces
from people.models import Recipient
from people.patience import TookTooLong, patience
from people.patterns import pattern_of_all

MOST = 20
# The whole row as one text, so that no column is forgotten: neither a new one nor one nobody thinks of.
NAMING = """
    SELECT id FROM {table} t WHERE t.workspace_id = %(workspace)s AND (t::text ~* %(named)s {or_elsewhere})
    ORDER BY id DESC LIMIT {most}
"""
IN_OTHER_WORDS = "OR EXISTS (SELECT FROM campaigns_wording w WHERE w.campaign_id = t.id AND w::text ~* %(named)s)"
# Word by word, as in JSON a line break before an address is a letter n.
IN_WORDS_THAT_FOLLOW = """
    OR EXISTS (SELECT FROM jsonb_path_query(t.others, '$.wordings[*].*') AS w WHERE w #>> '{}' ~* %(named)s)
"""
IN_A_VERSION = """
    OR EXISTS (SELECT FROM campaigns_templateversion v WHERE v.template_id = t.id AND v::text ~* %(named)s)
"""


class Place(NamedTuple):
    """Something written by a colleague, where it is looked at, and whether erasing the person mends it."""

    words: str
    url: str
    is_mended: bool = False


def places_naming(person: Recipient) -> list[Place]:
    """Campaigns, series, templates and segments that hold an address of theirs, as far as they are found in time."""
    addresses = Theirs.of(person).addresses
    try:
        with patience():
            return [*_written(person, addresses)]
    except TookTooLong:
        return []


def _written(person: Recipient, addresses: set[str]) -> Iterator[Place]:
    for campaign in _naming(Campaign, person, addresses, IN_OTHER_WORDS):
        yield Place(f"campaign “{campaign}” ({campaign.get_status_display()})", reverse("campaign", args=[campaign.pk]))
    for series in _naming(Recurrence, person, addresses, IN_WORDS_THAT_FOLLOW):
        yield Place(f"series “{series}”", reverse("series", args=[series.pk]))
    for template in _naming(Template, person, addresses, IN_A_VERSION):
        yield Place(f"template “{template}”", reverse("template", args=[template.pk]))
    for approved in _naming(WhatsAppTemplate, person, addresses):
        yield Place(f"WhatsApp template “{approved}”", reverse("whatsapp-template", args=[approved.pk]))
    for segment in segment_traces.naming(person.workspace, addresses)[:MOST]:
        is_mended = not segment_traces.is_called(segment, addresses)
        yield Place(f"segment “{segment}”", reverse("segment-edit", args=[segment.pk]), is_mended)


def _naming(model: type[Model], person: Recipient, addresses: set[str], or_elsewhere: str = "") -> list:
    with connection.cursor() as cursor:
        asked: dict[str, Any] = {"workspace": person.workspace_id, "named": pattern_of_all(addresses)}
        cursor.execute(NAMING.format(table=model._meta.db_table, most=MOST, or_elsewhere=or_elsewhere), asked)
        found = [pk for (pk,) in cursor.fetchall()]
    return list(model._default_manager.filter(pk__in=found).order_by("-pk"))
