"""Whether everybody's own words fit into the WhatsApp template of a campaign, before its first message goes out."""

from collections.abc import Iterator
from typing import NamedTuple

from campaigns.footer import links_of
from campaigns.models import Campaign
from campaigns.templated import Misfits, misfits
from campaigns.weighing import as_it_would_be, in_chunks
from dispatcher import freeze
from dispatcher.models import Message
from people.channels import Channel
from people.links import Purpose
from people.models import UNSUBSCRIBE_LINK, Recipient


class Misfit(NamedTuple):
    """One reason why the provider would refuse messages, how many, and some of the people."""

    words: str
    how_many: int
    people: list[Recipient]


class Unfitting(Exception):
    """The provider would refuse messages of the campaign."""


def misfits_of(campaign: Campaign) -> Misfits:
    """Of the first freeze.CHUNK people it would go to now; the freeze looks at all others."""
    if campaign.whatsapp_template_id is None:
        return Misfits()
    people = freeze.candidates(campaign).filter(skip=None)
    links = links_of(campaign, Channel(campaign.channel))
    chunk = next(in_chunks(as_it_would_be(campaign), people, links, size=freeze.CHUNK), [])
    return misfits(campaign, chunk)


def named_misfits(campaign: Campaign) -> list[Misfit]:
    """Those of the first freeze.CHUNK people, by reason."""
    return by_name(campaign, misfits_of(campaign))


def by_name(campaign: Campaign, found: Misfits) -> list[Misfit]:
    """With those of them who are still here."""
    rows = found.rows
    known = campaign.workspace.recipients.in_bulk({pk for *_, whose in rows for pk in whose})
    return [Misfit(words, count, [known[pk] for pk in whose if pk in known]) for words, count, whose in rows]


def refuse_unfitting(campaign: Campaign, above: int) -> None:
    """Raises Unfitting when one of the messages frozen with a number above this would be refused."""
    if campaign.whatsapp_template_id is not None:
        found = misfits(campaign, frozen(campaign, above))
        if found.refused:
            raise Unfitting(found.sentence)


def frozen(campaign: Campaign, above: int) -> Iterator[tuple[int, dict[str, object]]]:
    links = links_of(campaign, Channel(campaign.channel))
    rows = Message.objects.filter(campaign=campaign, number__gt=above, status=Message.Status.PENDING)
    for person, fields in rows.values_list("recipient_id", "fields"):
        yield person, fields | {UNSUBSCRIBE_LINK: links.dead(Purpose.PAGE, person)}
