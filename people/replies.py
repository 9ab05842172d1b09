"""What people answer to text messages: kept, shown, and done where it is a word for stop or start."""

from django.db import transaction

from accounts import audit_log
from accounts.models import Actor, User, Workspace
from people import consent
from people.addresses import normal_phone
from people.channels import Channel
from people.consent import How
from people.held import hold_workspace
from people.keywords import understood
from people.models import ConsentSettings, Recipient, Reply, Suppression
from people.plain import NotPlain, shown
from people.suppression import BY_ITS_OWNER, digest_of, erased_among, release, sealed, suppress

Meaning = Reply.Meaning
CHANNELS = (Channel.SMS, Channel.WHATSAPP)
LONGEST = 1600


class NoReplies(NotPlain):
    """Nobody replies over this channel."""


@transaction.atomic
def receive_reply(
    workspace: Workspace, channel: Channel, number: str, text: str, *, by: Actor | None, provider_id: str = ""
) -> Reply:
    """Keep a reply and do what it asks for, in this workspace alone; one with a provider's id is received once.

    Raises InvalidAddress, or NoReplies for a channel without a number.
    """
    if channel not in CHANNELS:
        raise NoReplies("Replies come by SMS or WhatsApp.")
    number = normal_phone(number)
    # So that of two that bring the same one at once the second sees the first.
    hold_workspace(workspace.pk)
    names = {provider_id, sealed(provider_id)} - {""}
    if known := workspace.replies.filter(provider_id__in=names).first():
        return known
    person = workspace.recipients.filter(phone=number).first()
    is_erased = bool(erased_among(workspace, [number]))
    reply = Reply.objects.create(
        workspace=workspace,
        recipient=person,
        channel=channel,
        number="" if is_erased else number,
        text="" if is_erased else shown(text, at_most=LONGEST),
        meaning=understood(text, ConsentSettings.of(workspace)),
        provider_id=sealed(provider_id) if is_erased else provider_id,
        by=by if isinstance(by, User) else None,
        key=None if isinstance(by, User) else by,
    )
    audit_log.record(workspace, "receive_reply", reply, by=by, after={"meaning": reply.get_meaning_display()})
    if is_erased:
        return reply
    if reply.meaning == Meaning.STOP:
        stop(reply, person, by=by)
    elif reply.meaning == Meaning.START and not isinstance(by, User):  # whose word it would be is not known
        start(reply, person, by=by)
    return reply


def stop(reply: Reply, person: Recipient | None, *, by: Actor | None) -> None:
    """Of a number nobody here has, the number itself is kept: it may come with the next list."""
    if person is None:
        suppress(reply.workspace, reply.number, reason=Suppression.Reason.STOPPED, by=by)
        return
    consent.opt_out(person, channel=Channel(reply.channel), how=How.REPLY, by=by, evidence=evidence(reply))


def start(reply: Reply, person: Recipient | None, *, by: Actor | None) -> None:
    """Takes back what the owner of the number said, and nothing that others put on the list."""
    listed = reply.workspace.suppressions.filter(digest=digest_of(reply.number), reason__in=BY_ITS_OWNER)
    if listed.exists():
        release(reply.workspace, reply.number, by=by)
    if person:
        consent.opt_in(person, channel=Channel(reply.channel), how=How.REPLY, by=by, evidence=evidence(reply))


def evidence(reply: Reply) -> dict[str, object]:
    return {"reply": reply.pk, "text": reply.text[:200]}
