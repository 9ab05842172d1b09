"""Proof of a text: the words told of a message beside the digest of those that were handed over."""

from collections.abc import Iterator

from campaigns.footer import has_link, text_for
from campaigns.models import Campaign, Split, ask_for_words
from campaigns.preview import preheader_in
from campaigns.rendering import Rendered, TooLong, digest_of, preheaders_of, renderer_of
from dispatcher.models import Message
from people.links import is_known

LOOKED_AT = 20  # messages of a campaign, by the auditor


def words_of(campaign: Campaign, message: Message, *, is_exact: bool = False) -> Rendered:
    """What the message says; nothing of one that is too long to be sent, or whose variant is not decided yet.

    See `text_for` for what is exact.
    """
    if not message.variant and Split.of(campaign):
        return Rendered("", "")
    told = message.fields, message.recipient_id
    try:
        return text_for(campaign, *told, variant=message.variant, is_exact=is_exact)
    except TooLong:
        return Rendered("", "")


def preheader_of(campaign: Campaign, message: Message) -> str:
    """What inboxes show beside the subject of the message."""
    return preheader_in(preheaders_of(campaign), renderer_of(campaign), message.fields, message.variant)


def is_proved(campaign: Campaign, message: Message) -> bool | None:
    """Whether the words told now are those that were sent, to the letter.

    None where no digest was kept of them, or the key that sealed their link is gone.
    """
    if message.digest is None or (has_link(campaign) and not is_known(campaign.link_key)):
        return None
    return digest_of(*words_of(campaign, message, is_exact=True)) == message.digest


def disproved(campaign: Campaign) -> Iterator[int]:
    """The numbers of those messages, of the first and the last that were sent, whose words are not what was sent."""
    ask_for_words(campaign)
    sent = campaign.messages.filter(digest__isnull=False)
    for message in {*sent.order_by("number")[:LOOKED_AT], *sent.order_by("-number")[:LOOKED_AT]}:
        if is_proved(campaign, message) is False:
            yield message.number
