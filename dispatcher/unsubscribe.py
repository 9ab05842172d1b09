"""What a link to unsubscribe does: whom it means, and the wish that is written down when a button is pressed."""

from dataclasses import dataclass
from typing import Any

from django.db import transaction

from campaigns.models import Campaign
from dispatcher import link_hits
from dispatcher.models import LinkHit
from people import consent
from people.channels import Channel
from people.links import Purpose, meant_by
from people.models import ConsentEvent, Recipient
from people.preferences import Wanted, choose, put_back

How, Kind = ConsentEvent.How, LinkHit.Kind


@dataclass(frozen=True)
class Visitor:
    """Whom a link was made for, and where it stood; of a deleted campaign the wish counts all the same."""

    person: Recipient
    channel: Channel
    campaign: Campaign | None

    def note(self, *kinds: LinkHit.Kind) -> None:
        if self.campaign:
            link_hits.note(self.campaign.pk, self.person.pk, *kinds)

    def evidence(self, agent: str) -> dict[str, Any]:
        """What stands beside the wish: from which message it came, and what the program calls itself."""
        named = {"campaign": self.campaign.pk, "name": self.campaign.name} if self.campaign else {}
        return named | {"link": self.channel.word, "program": agent[:200]}


def visitor_of(purpose: Purpose, token: str) -> Visitor | None:
    """None for a link that is not ours, or of somebody who is not there any more; also before the launch."""
    meant = meant_by(purpose, token)
    if not meant:
        return None
    person = Recipient.objects.select_related("workspace").filter(pk=meant.recipient).first()
    campaign = Campaign.objects.filter(pk=meant.campaign).first()
    if not person or (campaign and (campaign.workspace_id != person.workspace_id or not campaign.launched_at)):
        return None
    return Visitor(person, meant.channel, campaign)


@transaction.atomic
def one_click(visitor: Visitor, *, agent: str) -> None:
    """RFC 8058: no more messages on the channel of this one. As often as it is asked."""
    evidence = visitor.evidence(agent)
    if consent.opt_out(visitor.person, channel=visitor.channel, how=How.ONE_CLICK, by=None, evidence=evidence):
        visitor.note(Kind.ONE_CLICK, Kind.UNSUBSCRIBED)


@transaction.atomic
def stop(visitor: Visitor, *, everything: bool, reason: str, agent: str) -> None:
    """No more messages on this channel, or on any."""
    channel = None if everything else visitor.channel
    told: dict[str, Any] = {"how": How.PREFERENCES, "by": None, "reason": reason, "evidence": visitor.evidence(agent)}
    if consent.opt_out(visitor.person, channel=channel, **told):
        visitor.note(Kind.CONFIRMED, Kind.UNSUBSCRIBED)


@transaction.atomic
def choose_anew(visitor: Visitor, wanted: Wanted, *, reason: str, agent: str) -> None:
    """What is ticked and nothing else; who stops the channel of the message has unsubscribed by it."""
    got_it = not visitor.person.refuses(visitor.channel)
    choose(visitor.person, wanted, how=How.PREFERENCES, reason=reason, evidence=visitor.evidence(agent))
    if got_it and visitor.person.refuses(visitor.channel):
        visitor.note(Kind.CONFIRMED, Kind.UNSUBSCRIBED)


@transaction.atomic
def undo(visitor: Visitor, before: Wanted, *, agent: str) -> None:
    """As it was, on the channels also on which the person has no address."""
    put_back(visitor.person, before, how=How.PREFERENCES, evidence=visitor.evidence(agent))
